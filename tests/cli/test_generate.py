"""`assay generate` as it is typed: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay.cli.main import build
from assay.errors import ConfigError, InputError
from tests.scorers.judge.chat_server import Raw, serving

RUN = CliRunner()


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "A?"}\n{"prompt": "B?"}\n')
    return path


def typed(*words: object) -> str:
    found = RUN.invoke(build(), ["generate", *map(str, words)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.output


def test_what_was_written_is_said(prompts: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    with serving(
        lambda body: f"{body['seed']}" if body["messages"][0]["content"] == "A?" else Raw(400, b"no")
    ) as server:
        name = f"endpoint:m@{server.address}"
        text = typed(name, prompts, "--n", 2, "--out", out, "--at-once", 1)
        assert "4 answers to 2 prompts" in text
        assert "2 without a text" in text
        assert "the server answered 400: no" in text
        assert server.most_at_once == 1
        told = json.loads(typed(name, prompts, "--n", 2, "--out", out, "--json"))
    assert (told["answers"], told["already_there"], told["unanswered"]) == (4, 2, 2)
    assert told["made"]["sampling"]["max_tokens"] == 256
    # What was recorded is a policy too.
    again = json.loads(typed(out, prompts, "--n", 2, "--out", tmp_path / "again.jsonl", "--json"))
    assert (again["answers"], again["unanswered"], again["made"]["policy"]) == (4, 2, name)


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["--temperature", "inf"], ConfigError, "temperature is inf"),
        (["--top-p", "0"], ConfigError, "top_p is 0"),
        (["--stop", ""], ConfigError, "stop holds an empty text"),
        (["--template", "plain"], InputError, "no model that is run here"),
        (["--cache-tokens", "9"], InputError, "no model that is run here"),
    ],
)
def test_what_cannot_be_is_refused(
    words: list[str], error: type[Exception], said: str, prompts: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said):
        typed("endpoint:m@http://127.0.0.1:9/v1", prompts, "--out", tmp_path / "a.jsonl", *words)
    assert not (tmp_path / "a.jsonl").exists()
