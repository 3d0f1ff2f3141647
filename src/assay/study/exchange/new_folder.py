"""New folders, all or nothing. Knows files; knows no study."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.errors import StudyError


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A draft to write into; it becomes `out` when the block ends well, and vanishes otherwise.

    Raises StudyError if `out` is there already, or cannot be written.
    """
    if out.exists():
        raise StudyError(f"{out}: exists already and is left as it is. Give --out another name.")
    draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    try:
        draft.mkdir(parents=True)
        yield draft
        os.rename(draft, out)  # noqa: PTH104 (fails where a folder with content came to be meanwhile)
    except OSError as error:
        raise StudyError(f"{out}: cannot be written ({error.strerror}).") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
