"""What a model answered, one line a question, kept as it is answered so that a run that was killed goes on.

A line is found by a hash of the question's tokens: another template, other shots or another question is another line,
and the model is in the file's name. A last line that was torn by a kill is cut off and asked again. Knows files; knows
no model.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import orjson

from assay.errors import ArtifactError


def question_key(context: Sequence[int], continuations: Sequence[Sequence[int]]) -> str:
    """Hash of a question's tokens and of where its choices begin.

    >>> question_key((1, 2), ((3,), (4,))) == question_key((1,), ((2, 3), (4,)))
    False
    """
    digest = hashlib.sha256()
    for ids in (context, *continuations):
        digest.update(len(ids).to_bytes(8, "little"))
        digest.update(np.asarray(ids, dtype="<i8").tobytes())
    return digest.hexdigest()[:32]


class AnswerFile:
    """The answers of one model in a folder. known: log-probabilities of choices, in nats, by the question's key."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.path = folder / f"answers-{hashlib.sha256(fingerprint.encode()).hexdigest()[:12]}.jsonl"
        self.known: dict[str, tuple[float, ...]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._read()

    def add(self, answers: Mapping[str, tuple[str, tuple[float, ...]]]) -> None:
        """Keep answers, by key, each with the question's id for people; on the disk before this returns."""
        lines = [
            orjson.dumps({"key": key, "id": name, "logprobs": list(values)}) + b"\n"
            for key, (name, values) in answers.items()
        ]
        with self.path.open("ab") as stream:
            stream.write(b"".join(lines))
            stream.flush()
            os.fsync(stream.fileno())
        self.known.update({key: values for key, (_, values) in answers.items()})

    def _read(self) -> None:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with self.path.open("r+b") as stream:
                stream.truncate(whole)
        for number, line in enumerate(data[:whole].splitlines(), 1):
            try:
                row = orjson.loads(line)
                self.known[row["key"]] = tuple(float(value) for value in row["logprobs"])
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
                raise ArtifactError(
                    f"{self.path}:{number}: no answer as assay writes them. Delete the file; its questions are asked "
                    "again."
                ) from None
