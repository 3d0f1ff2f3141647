"""Two scorers compared, and candidates audited as groups, from files to artifacts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from assay.artifacts.compare_body import CompareBody
from assay.artifacts.files import read_jsonl, write_jsonl
from assay.cli.main import build
from assay.errors import InputError
from assay.flows.audit import ScorerAuditConfig, audit_scorer
from assay.flows.compare import CompareOptions, ScorerCompareConfig, compare_scorers
from assay.flows.score import ScoreConfig, score_file
from assay.report.compare.compare_page import render_compare
from assay.scorers.open import open_scorer
from tests.scorers.judge.chat_server import Raw, prefers, question, serving
from tests.support import tiny_bases


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """60 prompts; people prefer the longer answer in 50 of them."""
    rows = [
        {"id": f"p{n}", "prompt": f"question {n} {'abcdefgh'[n % 8] * 9}", "chosen": "yes " * (9 if n < 50 else 1),
         "rejected": "no " * 4, "category": "ab"[n % 2]}
        for n in range(60)
    ]  # fmt: skip
    write_jsonl(tmp_path / "pairs.jsonl", rows)
    return tmp_path / "pairs.jsonl"


def command(*words: object) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(build(), ["compare", *map(str, words), "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_the_exit_code_is_the_verdict_and_the_folder_holds_it(pairs: Path, tmp_path: Path) -> None:
    code, body = command("baseline:longest", "baseline:shortest", pairs, "--out", tmp_path / "one")
    assert (code, body["verdict"], body["sentence"]) == (0, "A", "A is better")
    kept = CompareBody.read(tmp_path / "one" / "compare.json")
    assert (kept.pairs, kept.left_out, kept.a.name) == (60, 0, "baseline:longest")
    assert [one.measured for one in kept.rests_on.categories] == [30, 30]
    assert len(list(read_jsonl(tmp_path / "one" / "differences.jsonl"))) == 60
    code, body = command("baseline:shortest", "baseline:longest", pairs, "--out", tmp_path / "two")
    assert (code, body["verdict"]) == (1, "B")
    code, body = command("baseline:longest", "baseline:longest", pairs, "--out", tmp_path / "three")
    assert (code, body["verdict"], body["more_pairs"]) == (3, "undecided", None)
    assert body["shared"] == ["baseline:longest"]


def test_a_pair_that_one_side_cannot_take_is_left_out_of_both(pairs: Path, tmp_path: Path) -> None:
    rows = [{"pair_id": f"p{n}", "chosen": 1.0, "rejected": 0.0} for n in range(60)]
    rows[7] |= {"chosen": None, "reason": "too long"}
    rows[8] |= {"chosen": None}  # not finite: wrong, and no gap
    write_jsonl(tmp_path / "scores.jsonl", rows)
    found = compare_scorers(
        tmp_path / "scores.jsonl", "baseline:longest", str(pairs), tmp_path / "out", config=ScorerCompareConfig()
    )
    assert (found.body.pairs, found.body.left_out) == (59, 1)
    assert list(read_jsonl(tmp_path / "out" / "left_out.jsonl")) == [{"pair_id": "p7", "why": "A: too long"}]
    assert found.comparison.find("accuracy_of_a").known == pytest.approx(58 / 59)
    assert found.comparison.find("accuracy_of_b").known == pytest.approx(49 / 59)


def test_the_folder_of_an_audit_is_not_written_over(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "audit.json").write_text("{}")
    with pytest.raises(InputError, match=r"audit\.json"):
        compare_scorers(
            "baseline:longest", "baseline:random", str(pairs), tmp_path / "out", config=ScorerCompareConfig()
        )


def test_candidates_are_audited_as_groups_and_their_recorded_scores_alike(tmp_path: Path) -> None:
    """30 prompts of 3 answers, the longest the best in 20; one row says nothing and is no group."""
    rows = [
        {"id": f"c{n}", "prompt": f"question {n} {'abcdefgh'[n % 8] * 9}", "answers": ["a", "bb " * 3, "cc " * 9],
         "ranks": [3, 2, 1] if n < 20 else [1, 2, 3]}
        for n in range(30)
    ]  # fmt: skip
    rows.append({"id": "bad", "prompt": "question", "answers": ["a", "b"], "ranks": ["x", 1]})
    path = tmp_path / "candidates.jsonl"
    write_jsonl(path, rows)
    found = audit_scorer("baseline:longest", str(path), tmp_path / "out", config=ScorerAuditConfig()).audit
    assert found.find("top1").known == pytest.approx(2 / 3)
    assert found.find("recovery").known == pytest.approx((20 - 10) / 30)
    assert found.tables["groups"]["sizes"][0]["chance"] == pytest.approx(1 / 3)
    assert found.find("accuracy").known == pytest.approx(2 / 3)
    write_jsonl(path, rows[:30])
    score_file(open_scorer("baseline:longest"), str(path), tmp_path / "scores.jsonl", config=ScoreConfig())
    again = audit_scorer(tmp_path / "scores.jsonl", str(path), tmp_path / "again", config=ScorerAuditConfig()).audit
    assert again.findings == found.findings


def test_a_correction_is_fitted_and_an_average_saved_from_the_command_line(pairs: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(
        build(), ["models", "correct", "baseline:longest", str(pairs), "--out", str(tmp_path / "c.yaml")]
    )
    assert run.exit_code == 0, run.output
    assert open_scorer(f"corrected:{tmp_path / 'c.yaml'}").name == "baseline:longest without characters"
    with pytest.raises(InputError, match="Name two"):
        CliRunner().invoke(build(), ["models", "average", "one", "--out", str(tmp_path / "m")], catch_exceptions=False)


def test_the_page_stands_by_itself_and_says_what_the_artifact_says(pairs: Path, tmp_path: Path) -> None:
    """Texts of the data are escaped, nothing is fetched, and the same artifacts give the same bytes."""
    rows = list(read_jsonl(pairs))
    rows[0] |= {"prompt": "<script>alert(1)</script> what now"}
    write_jsonl(pairs, rows)
    found = compare_scorers(
        "baseline:longest", "baseline:shortest", str(pairs), tmp_path / "out", config=ScorerCompareConfig()
    )
    page = (tmp_path / "out" / "compare.html").read_text()
    assert "A is better" in page
    assert found.body.reason in page
    assert "the longer preferred" in page
    assert "+66.7 points" in page  # 50 of 60 are the longer, 10 the shorter
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert re.findall(r'(?:src|href)="(?!#)', page) == []
    assert max(float(y) for y in re.findall(r'<circle class="dot" cx="([\d.]+)"', page)) < 760
    again = render_compare(
        CompareBody.read(tmp_path / "out" / "compare.json"), found.comparison.differences, tmp_path / "again.html"
    )
    assert again.read_text() == page


def test_a_file_of_before_the_page_reads_as_it_did(pairs: Path, tmp_path: Path) -> None:
    command("baseline:longest", "baseline:shortest", pairs, "--out", tmp_path / "one")
    path = tmp_path / "one" / "compare.json"
    old = json.loads(path.read_text())
    for name in ("assay_version", "versions", "command"):
        del old[name]
    for side in ("a", "b"):
        del old[side]["template"]
    path.write_text(json.dumps(old))
    assert CompareBody.read(path).verdict == "A"


def test_a_template_is_one_side_s_and_none_for_what_is_no_model(pairs: Path, tmp_path: Path) -> None:
    published = tiny_bases.base(tmp_path / "published", "llama")
    (tmp_path / "short.jinja").write_text("{% for m in messages %}{{ m.content }} {% endfor %}")
    sides = ("--template-a", "plain", "--template-b", tmp_path / "short.jinja")
    code, body = command(published, published, pairs, "--out", tmp_path / "one", *sides)
    assert code in {0, 1, 3}
    a, b = body["a"], body["b"]
    assert isinstance(a, dict)
    assert isinstance(b, dict)
    assert (a["template"], b["template"]) == ("plain", str(tmp_path / "short.jinja"))
    assert a["fingerprints"] != b["fingerprints"]
    with pytest.raises(InputError, match="baseline:longest is no model"):
        compare_scorers(
            published, "baseline:longest", str(pairs), tmp_path / "two", config=ScorerCompareConfig(),
            options=CompareOptions(template_a="plain", template_b="plain"),
        )  # fmt: skip


def test_judges_are_compared_with_what_they_took(pairs: Path, tmp_path: Path) -> None:
    """A debate and its judges as a jury take the same calls; a single judge takes fewer, and that is said first."""

    def replies(body: dict[str, Any]) -> object:
        said = "so it is" if "argue for answer" in question(body) else str(prefers(len)(body))
        choice = {"message": {"content": said}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 100, "completion_tokens": 7}
        return Raw(content=json.dumps({"choices": [choice], "usage": usage}).encode())

    with serving(replies) as server:
        judge = {"endpoint": server.address, "cache": "kept"}
        (tmp_path / "d.yaml").write_text(
            yaml.safe_dump({"debaters": [{"model": "x", **judge}], "judge": {"model": "y", **judge}})
        )
        (tmp_path / "y.yaml").write_text(yaml.safe_dump({"model": "y", **judge}))
        debate, jury, alone = (
            f"debate:{tmp_path / 'd.yaml'}",
            f"jury:{tmp_path / 'd.yaml'}",
            f"judge:{tmp_path / 'y.yaml'}",
        )
        _, body = command(debate, jury, pairs, "--out", tmp_path / "one")
        two = CliRunner().invoke(build(), ["compare", debate, alone, str(pairs), "--out", str(tmp_path / "two")])
        asked = len(server.seen)
        command(debate, jury, pairs, "--out", tmp_path / "three")
        assert len(server.seen) == asked
    for side in ("a", "b"):
        cost = body[side]["cost"]  # type: ignore[index,call-overload]
        assert (cost["calls"], cost["read"], cost["written"], cost["untold"]) == (360, 36000, 2520, 0)
        assert (cost["right"], cost["wrong"], cost["undecided"], cost["flips"]) == (50, 10, 0, 0.0)
        assert cost["right_a_thousand_calls"] == pytest.approx(1000 * 50 / 360)
    again = CompareBody.read(tmp_path / "three" / "compare.json")
    assert again.a.cost is not None
    assert (again.a.cost.calls, again.a.cost.sent) == (360, 0)
    assert "Not at equal calls: A took 360, B 120." in " ".join(two.stdout.split())
    page = (tmp_path / "two" / "compare.html").read_text()
    assert "Not at equal calls: A took 360, B 120." in page
    assert "A: 50 pairs right, 10 wrong, 0 undecided; 0.0% of votes flipped; 360 calls" in page
    assert "Not at equal calls" not in (tmp_path / "one" / "compare.html").read_text()
