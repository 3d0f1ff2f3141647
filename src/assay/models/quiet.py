"""transformers without its advice and progress bars, and bitsandbytes without one line of it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """transformers without its advice and progress bars, and afterwards as it was."""
    from transformers.utils import logging as theirs

    level, bars = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
    theirs.set_verbosity_error()
    theirs.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # PEFT still asks transformers by the old name
            warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
            yield
    finally:
        theirs.set_verbosity(level)
        if bars:
            theirs.enable_progress_bar()


def drop_kernel_advice() -> None:
    """Drop one line that bitsandbytes logs when it is imported: advice to install kernels that nobody asked for.

    PEFT imports it wherever it is installed, and transformers.Trainer imports PEFT: call this before either. Whatever
    else bitsandbytes has to say is said.
    """
    logging.getLogger("bitsandbytes.backends.cpu.ops").addFilter(_is_no_advice)  # a second time changes nothing


def _is_no_advice(record: logging.LogRecord) -> bool:
    return "from kernels-community" not in record.msg
