"""The commands on juries and debates, against a real server: score, audit, gate, optimise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import assay
from assay.artifacts.audit_body import AuditBody
from assay.artifacts.files import read_jsonl, write_jsonl
from assay.cli.main import build
from assay.flows.audit import audit_scores
from assay.records import Pair
from assay.scorers.open import open_scorer
from assay.scorers.shared_weights import shared_weights
from tests.scorers.judge.chat_server import prefers, question, serving


def replies(body: dict[str, Any]) -> str:
    text = question(body)
    if ": argue for answer " in text:
        return "so it is"
    if "<answer>\n" in text:
        return f"Score: [[{len(text.partition('<answer>' + chr(10))[2].partition(chr(10) + '</answer>')[0]) % 10 + 1}]]"
    return "Hm." if body["model"] == "silent" else str(prefers(len)(body))


def files(folder: Path, address: str) -> dict[str, str]:
    each = {"endpoint": address, "cache": "kept", "seconds": 30}
    contents: dict[str, dict[str, Any]] = {
        "jury": {"judges": [{"model": name, **each} for name in ("a", "b", "silent")]},
        "debate": {"debaters": [{"model": "a", **each}], "judge": {"model": "b", **each}},
        "graders": {"judges": [{"model": name, "mode": "score", **each} for name in "ab"], "rule": "mean"},
    }
    for name, content in contents.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return {name: f"{'debate' if name == 'debate' else 'jury'}:{folder / name}.yaml" for name in contents}


def pairs(count: int) -> list[dict[str, str]]:
    return [
        {"id": f"p{n}", "prompt": f"question {n} {'abcdefgh'[n % 8] * 9}?", "chosen": "yes, yes", "rejected": "no"}
        for n in range(count)
    ]


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(build(), list(map(str, words)))
    return done.exit_code, " ".join(f"{done.output} {done.exception or ''}".split())


def test_score_and_audit_say_who_was_silent_and_what_it_took(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", pairs(40))
    with serving(replies) as server:
        for name, spec in files(tmp_path, server.address).items():
            code, told = run("score", spec, tmp_path / "pairs.jsonl", "--out", tmp_path / f"{name}.jsonl")
            assert code == 0, told
            code, told = run("audit", spec, tmp_path / "pairs.jsonl", "--out", tmp_path / name, "--probes", "none")
            assert code == 0, told
            body = AuditBody.read(tmp_path / name / "audit.json")
            found = {one.name: one for one in body.findings if one.slice == "overall"}
            # The silent judge's replies count: they were replies.
            calls = {"jury": 240, "debate": 240, "graders": 160}[name]
            assert f"judge calls {calls} " in told
            assert found["judge_calls"].value == calls
            assert found["accuracy"].value == 1.0
            if name == "jury":
                assert found["silent_judge"].verdict == "problem"
                assert "silent gave no verdict on 40 of 40: the jury was the others." in told
        first = next(iter(read_jsonl(tmp_path / "jury.jsonl")))
        assert first["heads"]["chosen"]["a"] == 1.0
        assert "silent" not in first["heads"]["chosen"]


def test_a_jury_is_gated_as_any_scorer_is(tmp_path: Path) -> None:
    labelled = [Pair(**row) for row in pairs(60)]
    (tmp_path / "criteria.yaml").write_text("- accuracy > 0.9\n")
    with serving(replies) as server:
        specs = files(tmp_path, server.address)
        audits = {name: audit_scores(open_scorer(specs[name]), labelled) for name in ("jury", "debate")}
    for audit in audits.values():
        verdict = assay.decide(audit, tmp_path / "criteria.yaml")
        assert verdict.verdict == "pass"


def test_graders_order_candidates_and_pairwise_judges_are_refused_there(tmp_path: Path) -> None:
    rows = [
        {"id": f"c{n}", "prompt": f"question {n}?", "answers": [{"text": "x" * k, "score": k} for k in range(1, 9)]}
        for n in range(6)
    ]
    write_jsonl(tmp_path / "candidates.jsonl", rows)
    with serving(replies) as server:
        specs = files(tmp_path, server.address)
        words = ("optimise", specs["jury"], tmp_path / "candidates.jsonl", "--gold", "baseline:longest")
        code, told = run(*words, "--out", tmp_path / "one")
        assert code != 0, told
        assert "compares two answers at a time" in told
        graded = ("optimise", specs["graders"], tmp_path / "candidates.jsonl", "--gold", "baseline:longest")
        code, told = run(*graded, "--out", tmp_path / "two")
    assert code in (0, 3), told
    body = json.loads((tmp_path / "two" / "pressure.json").read_text())
    assert body


@pytest.mark.parametrize("kind", ["jury", "debate"])
def test_what_a_jury_shares_with_another_scorer_is_named(kind: str, tmp_path: Path) -> None:
    specs = files(tmp_path, "http://127.0.0.1:9/v1")
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"model": "a", "endpoint": "http://127.0.0.1:9/v1"}))
    alone = open_scorer(f"judge:{tmp_path / 'a.yaml'}")
    assert shared_weights(open_scorer(specs[kind]), alone)
    (tmp_path / "z.yaml").write_text(yaml.safe_dump({"model": "z", "endpoint": "http://127.0.0.1:9/v1"}))
    assert not shared_weights(open_scorer(specs[kind]), open_scorer(f"judge:{tmp_path / 'z.yaml'}"))
