"""A category in the data that is not measured fails the gate and stands in the verdict, however it was lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from assay.artifacts.contract_body import TokenLimit
from assay.artifacts.gate_body import GateBody
from assay.artifacts.run_folder import RunFolder
from assay.cli import audit as audit_command
from assay.cli import gate as gate_command
from assay.data import read_pairs, split
from assay.data.config import DataConfig, SplitConfig
from assay.data.contract_report import with_rejects, write_contract
from assay.data.native_rows import as_native
from assay.gate import Verdict, decide_run
from assay.records import Pair, Reject, Vote
from tests.audits.planted import audited, healthy, make_pairs

EVERY = "every category > 0.5"


def rare(count: int, *, category: str = "refunds", **more: object) -> list[Pair]:
    """Pairs of one more category."""
    made = make_pairs(count, per_prompt=1, seed=9)
    return [
        replace(p, id=f"{category}-{p.id}", prompt=f"{category} {p.prompt}", category=category, **more) for p in made
    ]


def folder(
    root: Path, pairs: list[Pair], *, too_long: str = "", unheld: str = "", limit: TokenLimit | None = None
) -> RunFolder:
    """The evidence of a run over these pairs, as the stages write it; one category is too long, or never held out."""
    run = RunFolder(root)
    found = read_pairs([as_native(pair) for pair in pairs], config=DataConfig(near_duplicates=None))
    long = [pair for pair in found.pairs if pair.category == too_long]
    rejects = [Reject(where=p.where, reason="too_long", detail="long", category=p.category) for p in long]
    write_contract(run.root, with_rejects(found.report, rejects, limit=limit), [*found.rejects, *rejects])
    fits = [pair for pair in found.pairs if pair.category != too_long]
    sides = split(fits, config=SplitConfig(holdout=300, rounding="nearest"), groups=[str(p.prompt) for p in fits])
    held = [pair for pair in sides.held_out if pair.category != unheld]
    proof = sides.proof
    if unheld:
        part = proof.categories[unheld].model_copy(update={"held_out": 0})
        proof = proof.model_copy(update={"categories": {**proof.categories, unheld: part}})
    digest = proof.write(run.path("split.json"))
    audited(healthy(held, signal=2.0), held, inputs={"split.json": digest}).write(run)
    return run


def every(run: RunFolder, *lines: str) -> tuple[Verdict, str]:
    """The verdict by `every category` and these lines, and the reason of the first."""
    path = run.path("criteria.yaml")
    path.write_text("".join(f"- {line}\n" for line in (EVERY, *lines)))
    verdict = decide_run(run, path)
    return verdict, verdict.criteria[0].reason


def tied(count: int) -> list[Pair]:
    return rare(count, votes=(Vote(choice="tie"), Vote(choice="tie")))


@pytest.mark.parametrize(
    ("lost", "how", "reason"),
    [
        (rare(31), {"too_long": "refunds"}, "none of its 31 rows became a pair (31 too long); raise max_tokens"),
        (tied(31), {}, "none of its 31 rows became a pair (31 tie); see rejects.jsonl"),
        ([replace(p, rejected=" ") for p in rare(5)], {}, "none of its 5 rows became a pair (5 empty candidate)"),
        (rare(31), {"unheld": "refunds"}, "no held-out pair is of its 31 pairs; hold out more pairs"),
    ],
)
def test_a_category_that_vanished_fails_and_is_named(tmp_path: Path, lost, how, reason) -> None:
    whole, said = every(folder(tmp_path / "whole", [*make_pairs(900), *rare(90)]))
    assert whole.verdict == "pass", said
    run = folder(tmp_path / "short", [*make_pairs(900), *lost], **how)
    verdict, said = every(run)
    assert verdict.verdict == "fail"
    assert f"refunds is in the data and not measured: {reason}" in said
    rests = GateBody.read(run.path("gate.json")).rests_on
    assert rests is not None
    (gone,) = rests.unmeasured
    assert (gone.name, gone.rows, gone.measured) == ("refunds", len(lost), 0)
    assert {one.name for one in rests.categories if one.measured} == {"brevity", "refusals", "tone"}


def test_a_criterion_that_asks_no_category_passes_and_the_verdict_still_says_it(tmp_path: Path) -> None:
    run = folder(tmp_path, [*make_pairs(900), *rare(31)], too_long="refunds")
    run.path("one.yaml").write_text("- overall accuracy > 0.5\n")
    app = typer.Typer()
    gate_command.register(app)
    audit_command.register(app)
    shown = CliRunner().invoke(app, ["gate", str(run.root), "--criteria", str(run.path("one.yaml"))])
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert "Rests on 96.7% of the rows" in lines[1]
    assert "In the data and not measured: refunds (31 rows, 0 pairs left)." in " ".join(lines)


def test_named_by_a_criterion_it_is_told_why(tmp_path: Path) -> None:
    run = folder(tmp_path, [*make_pairs(900), *rare(31)], too_long="refunds")
    _, _ = every(run, "category refunds > 0.5")
    reason = decide_run(run, run.path("criteria.yaml")).criteria[1].reason
    assert "no accuracy for refunds; refunds is in the data and not measured: none of its 31 rows" in reason


def test_the_built_in_set_asks_for_categories_where_every_one_was_lost(tmp_path: Path) -> None:
    """What is left states no category, so the figures alone would choose the set that does not ask."""
    plain = [replace(pair, category=None) for pair in make_pairs(900)]
    run = folder(tmp_path, [*plain, *rare(31)], too_long="refunds")
    found = {line.text: line for line in decide_run(run).criteria}
    assert found["every category > 0.65"].verdict == "fail"
    assert "refunds" in found["every category > 0.65"].reason
    none = folder(tmp_path / "none", plain)
    assert "every category > 0.65" not in {line.text for line in decide_run(none).criteria}


def test_without_a_contract_it_is_unknown_and_said(tmp_path: Path) -> None:
    run = folder(tmp_path, [*make_pairs(900), *rare(31)], too_long="refunds")
    run.path("contract.json").unlink()
    verdict, said = every(run)
    assert verdict.verdict == "pass"
    assert "whether the data held other categories is not known: there is no contract.json" in said
    assert verdict.rests_on is None


def test_a_verdict_on_another_contract_is_refused(tmp_path: Path) -> None:
    from assay.artifacts.run_evidence import RunEvidence
    from assay.errors import ArtifactError

    run = folder(tmp_path, make_pairs(900))
    decide_run(run)
    RunEvidence.read(run)
    folder(tmp_path, [*make_pairs(900), *rare(31)], too_long="refunds")
    with pytest.raises(ArtifactError, match="not the file"):
        RunEvidence.read(run)
