"""What a loss is called in: the same settings for all, and a time limit."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
import warnings
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

# A year, which every system can count.
LONGEST = 365 * 24 * 3600.0


class TimeIsUp(BaseException):
    """The time limit has passed. Not an Exception, so that no loss swallows it."""


@contextlib.contextmanager
def usual_settings() -> Iterator[None]:
    """Give every loss the same surroundings, and leave them as they were.

    What a loss or TensorFlow warns of, many traces for instance, is not what is asked.
    """
    logger, eagerly = tf.get_logger(), tf.config.functions_run_eagerly()
    level = logger.level
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        logger.setLevel(max(level, logging.ERROR))
        tf.config.run_functions_eagerly(False)
        try:
            yield
        finally:
            tf.config.run_functions_eagerly(eagerly)
            logger.setLevel(level)


@contextlib.contextmanager
def time_limit_of(seconds: float) -> Iterator[None]:
    """Raise on this thread when the time is up, where the system can."""
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise TimeIsUp

    before, started = signal.signal(signal.SIGALRM, stop), time.monotonic()
    # Again every second: a bare except in the loss may swallow the first.
    seconds = min(seconds, LONGEST)
    left, every = signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
        if left:
            # Somebody else's alarm, a test's time limit for instance, goes on.
            left = max(left - (time.monotonic() - started), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, left, every)
