"""What the tests of telemetry share."""

import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Whatever a test configures is undone: handlers, levels, hooks, the way of warnings."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook, sys.unraisablehook)
    levels = {name: logging.getLogger(name).level for name in list(logging.root.manager.loggerDict)}
    show = warnings.showwarning
    # An earlier test may have left them captured, by a function that pytest has replaced since: then nothing would be.
    logging.captureWarnings(capture=False)
    warnings.showwarning = show
    yield
    logging.captureWarnings(capture=False)
    warnings.showwarning = show
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    sys.excepthook, threading.excepthook, sys.unraisablehook = before[2:]
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
        logging.getLogger(name).disabled = False
