"""What commands share: the command as it was typed, without a password, told alike by every flow that keeps it."""

from __future__ import annotations

import sys

import pytest

from assay.cli import analyse, reward
from assay.cli.options import command_line
from assay.study.study_address import without_password


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:s@cr:et@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql://:secret@host/db", "postgresql://:***@host/db"),
        ("--study=postgres://me:secret@host/db?options=-cx", "--study=postgres://me:***@host/db?options=-cx"),
        ("postgresql://me@host:5432/db", "postgresql://me@host:5432/db"),
        ("http://127.0.0.1:8321/s/a@b", "http://127.0.0.1:8321/s/a@b"),
        ("study.db", "study.db"),
        ("C:/me@home:x", "C:/me@home:x"),
    ],
)
def test_a_password_is_hidden_and_nothing_else(text: str, shown: str) -> None:
    assert without_password(text) == shown


def test_reward_and_analyse_tell_the_command_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["assay", "study", "analyse", "postgresql://me:secret@host/db", "--out", "r"])
    assert command_line() == "assay study analyse 'postgresql://me:***@host/db' --out r"
    assert reward.command_line is analyse.command_line is command_line
