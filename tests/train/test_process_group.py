"""What a process says that waits for another which has ended."""

from __future__ import annotations

import pytest

from assay.errors import TrainingError
from assay.train.process_group import told_of_others

GLOO = "[third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:12345"


def test_a_lost_process_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(TrainingError, match=r"^Process 1: another process .* has ended"), told_of_others():
        raise RuntimeError(GLOO)


@pytest.mark.parametrize(("world", "words"), [("1", GLOO), ("2", "mat1 and mat2 shapes cannot be multiplied")])
def test_other_errors_are_what_they_were(world: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", world)
    with pytest.raises(RuntimeError, match=r"multiplied|peer"), told_of_others():
        raise RuntimeError(words)
