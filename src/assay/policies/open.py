"""A policy from what a user writes: a file, or `kind:argument`. The one parser of all of them.

A new kind of policy is one file beside this one and one line in KINDS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from assay.errors import InputError
from assay.policies.protocol import Policy
from assay.policies.recorded_answers import RecordedPolicy

KINDS: Mapping[str, Callable[[str], Policy]] = {
    "recorded": RecordedPolicy,
}
ANSWER_FILES = {".jsonl", ".ndjson", ".json", ".gz"}


def open_policy(text: Path | str) -> Policy:
    """The policy that `text` names. A file: the answers recorded in it. `kind:argument`: see KINDS.

    Raises InputError for a kind there is not, and for what is neither.
    """
    kind, colon, argument = str(text).partition(":")
    if colon and kind in KINDS:
        return KINDS[kind](argument)
    path = Path(text).expanduser()
    if path.is_file() or (ANSWER_FILES & set(path.suffixes) and not path.is_dir()):
        return RecordedPolicy(path)
    kinds = ", ".join(f"{one}:..." for one in KINDS)
    if colon and kind.isidentifier() and not path.exists():
        raise InputError(f"{text}: no policy of kind {kind!r}. Kinds: {kinds}.")
    raise InputError(f"{text}: no policy. Give a file of answers (JSON lines), or one of {kinds}.")
