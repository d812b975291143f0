"""Compile the library and say what was done: ``python -m lossfn.native``."""

from __future__ import annotations

import argparse
import sys

import tensorflow as tf

from lossfn import native, nn
from lossfn.native import _build, _library


def main(arguments: list[str] | None = None) -> int:
    """Compile, load, compute one loss, and report; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m lossfn.native",
        description="Compile the losses in C++, load them, and say what was done.",
    )
    parser.add_argument(
        "--again", action="store_true", help="compile even if there is a library"
    )
    options = parser.parse_args(arguments)
    try:
        built = _build.build(again=True) if options.again else None
        library = native.load()
    except native.BuildError as error:
        print(error, file=sys.stderr)
        return 1
    seconds = (built or library).seconds
    took = "found" if seconds is None else f"compiled in {seconds:.2f} s"
    print(f"library:    {library.path}")
    print(f"            {took}, {library.path.stat().st_size // 1024} KB")
    print(f"TensorFlow: {tf.__version__}")
    print(f"threads:    {_library.threads()}")
    print(f"check:      {_check()}")
    return 0


def _check() -> str:
    arguments = {"labels": [0], "logits": [[2.0, 1.0, 0.0]]}
    ours = native.sparse_softmax_cross_entropy_with_logits(**arguments)[0]
    theirs = nn.sparse_softmax_cross_entropy_with_logits(**arguments)[0]
    return f"{ours:.6f}, as lossfn.nn says {theirs:.6f}"


if __name__ == "__main__":
    sys.exit(main())
