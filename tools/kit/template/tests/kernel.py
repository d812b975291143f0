"""Executes cells in a fresh kernel, whatever they do."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

# Generous: a right answer must not fail on a busy machine.
SECONDS_PER_CELL = 300
SECONDS_PER_CHECK = 300
SECONDS_PER_NOTEBOOK = 1800


class _ThisInterpreter(AsyncKernelManager):
    """A kernel of the interpreter that runs the grader, whatever is registered."""

    @property
    def kernel_spec(self) -> KernelSpec:
        module = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(
            argv=[sys.executable, *module], display_name="Python 3", language="python"
        )


def execute(cells: Sequence[NotebookNode], folder: Path) -> str:
    """Execute cells in a folder, whatever they raise, and store their outputs.

    Returns:
        Why it stopped before the last cell, or "".
    """
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    return asyncio.run(_execute(notebook, folder))


async def _execute(notebook: NotebookNode, folder: Path) -> str:
    client = NotebookClient(
        notebook,
        allow_errors=True,
        timeout_func=_seconds,
        interrupt_on_timeout=True,
        startup_timeout=120,
        kernel_manager_class=_ThisInterpreter,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--IPKernelApp.capture_fd_output=False"],
        record_timing=False,
    )
    with tempfile.TemporaryDirectory() as profile:
        running = client.async_execute(env=_environment(profile))
        end = time.monotonic() + SECONDS_PER_NOTEBOOK
        try:
            await asyncio.wait_for(running, SECONDS_PER_NOTEBOOK)
        # A client that is stopped may take it for the death of the kernel.
        except (DeadKernelError, asyncio.TimeoutError):
            if time.monotonic() < end:
                return "The kernel died"
            return f"The notebook was stopped after {SECONDS_PER_NOTEBOOK} s,"
    return ""


def _seconds(cell: NotebookNode) -> int:
    return SECONDS_PER_CHECK if "check" in cell.metadata else SECONDS_PER_CELL


def _environment(profile: str) -> dict[str, str]:
    environment = dict(os.environ)
    environment.pop("MPLBACKEND", None)
    return environment | {
        # The start-up files of whoever runs it change nothing.
        "IPYTHONDIR": profile,
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TQDM_DISABLE": "1",
    }
