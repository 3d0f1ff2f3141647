"""What is planted is there, in exactly the rows the truth names, and nowhere else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from assay.cli import simulate as command
from assay.data import prompt_groups, read_pairs
from assay.simulate.support import DEFECTS, Simulation, support

PAIRS = 600
CLEAN = support(PAIRS, seed=3)


def planted(name: str, rate: float = 0.1) -> tuple[Simulation, dict[str, Any], dict[str, Any]]:
    simulation = support(PAIRS, seed=3, defects={name: rate})
    return simulation, simulation.truth["defects"][name], {row["id"]: row for row in simulation.rows}


def clean(name: str) -> dict[str, Any]:
    return next(row for row in CLEAN.rows if row["id"] == name)


@pytest.mark.parametrize("name", [name for name in DEFECTS if name != "position_bias"])
def test_only_the_named_rows_are_touched(name: str) -> None:
    _, found, rows = planted(name)
    assert len(found["rows"]) == 60
    for row in CLEAN.rows:
        now = dict(rows[row["id"]])
        if name == "context_mismatch":
            now["prompt"] = now.pop("prompt_left")
            same = now.pop("prompt_right") == row["prompt"]
        else:
            now.pop("label", None)
            same = now == row
        if row["id"] not in found["rows"]:
            assert same
        elif name != "length_shortcut":
            assert not same


def test_flipped_labels_say_the_opposite() -> None:
    simulation, found, rows = planted("flipped_labels")
    for name in found["rows"]:
        assert rows[name]["chosen"] == clean(name)["rejected"]
        assert sum(v["choice"] == "chosen" for v in rows[name]["votes"]) >= 2
    lost = CLEAN.truth["oracle"]["accuracy"] - simulation.truth["oracle"]["accuracy"]
    assert lost == pytest.approx(0.1, abs=0.02)
    assert simulation.truth["oracle_without_defects"] == CLEAN.truth["oracle"]


def test_length_shortcut_prefers_the_longer() -> None:
    _, found, rows = planted("length_shortcut", 0.5)
    assert all(len(rows[name]["chosen"]) >= len(rows[name]["rejected"]) for name in found["rows"])
    assert set(found["changed"]) < set(found["rows"])
    assert all(rows[name]["chosen"] == clean(name)["rejected"] for name in found["changed"])


def test_ties_have_a_majority_of_tied_votes() -> None:
    simulation, found, rows = planted("ties")
    for row in rows.values():
        tied = sum(v["choice"] == "tie" for v in row["votes"])
        assert (tied, row["label"]) == ((2, "tie") if row["id"] in found["rows"] else (0, "chosen"))
    assert simulation.truth["oracle"]["n"] == PAIRS - 60


def test_leaked_prompts_are_nearly_equal_under_another_group() -> None:
    _, found, rows = planted("leaked_prompts")
    for name in found["rows"]:
        before, now = clean(name), rows[name]
        assert now["group"] != before["group"] == found["group_leaked_from"][name]
        assert now["prompt"] != before["prompt"]
        shared = set(now["prompt"].split()) & set(before["prompt"].split())
        assert len(shared) / len(set(now["prompt"].split()) | set(before["prompt"].split())) > 0.8


def test_context_mismatch_states_two_prompts() -> None:
    _, found, rows = planted("context_mismatch")
    apart = {row["id"] for row in rows.values() if row["prompt_left"] != row["prompt_right"]}
    assert apart == set(found["rows"])
    assert all("prompt" not in row for row in rows.values())


def test_duplicates_are_exact_or_both_ways() -> None:
    _, found, rows = planted("duplicates")
    assert len(found["exact"]) == len(found["both_ways"]) == 30
    texts = ("prompt", "chosen", "rejected")
    for copy, original in found["exact"].items():
        assert [rows[copy][t] for t in texts] == [rows[original][t] for t in texts]
    for copy, original in found["both_ways"].items():
        assert rows[copy]["prompt"] == rows[original]["prompt"]
        assert (rows[copy]["chosen"], rows[copy]["rejected"]) == (rows[original]["rejected"], rows[original]["chosen"])
    assert Counter(row["category"] for row in rows.values()) == Counter(row["category"] for row in CLEAN.rows)


def test_a_position_biased_annotator_favours_the_left() -> None:
    simulation, found, _ = planted("position_bias", 0.4)
    left = {name: np.mean([(v["choice"] == "chosen") == (v["shown_left"] == "chosen") for row in simulation.rows
                           for v in row["votes"] if v["annotator"] == name])
            for name in ("annotator-1", "annotator-2", "annotator-3")}  # fmt: skip
    assert left[found["annotator"]] == pytest.approx(0.5 + 0.4 / 2, abs=0.06)
    assert all(share == pytest.approx(0.5, abs=0.06) for name, share in left.items() if name != found["annotator"])
    assert len(found["rows"]) / PAIRS == pytest.approx(0.4, abs=0.06)


def test_several_defects_take_different_rows() -> None:
    rates = dict.fromkeys((name for name in DEFECTS if name != "position_bias"), 0.05)
    found = support(PAIRS, seed=3, defects=rates).truth["defects"]
    touched = [row for defect in found.values() for row in defect["rows"]]
    assert len(touched) == len(set(touched)) == 6 * 30


REASONS = {
    "ties": {"tie"},
    "context_mismatch": {"context_mismatch"},
    "duplicates": {"duplicate", "conflicting_labels"},
}


def test_the_contract_keeps_every_clean_row() -> None:
    found = read_pairs(CLEAN.rows)
    assert (len(found.pairs), found.rejects) == (PAIRS, [])


@pytest.mark.parametrize("name", REASONS)
def test_the_contract_finds_what_was_planted(name: str) -> None:
    simulation, found, _ = planted(name)
    rejects = read_pairs(simulation.rows).rejects
    assert {reject.reason for reject in rejects} == REASONS[name]
    if name == "duplicates":
        originals = set(found["both_ways"].values())
        assert {reject.row["id"] for reject in rejects if reject.row} <= set(found["rows"]) | originals | set(
            found["exact"].values()
        )
    else:
        assert {reject.row["id"] for reject in rejects if reject.row} == set(found["rows"])


def test_leaked_prompts_end_in_the_group_they_came_from() -> None:
    simulation, found, _ = planted("leaked_prompts")
    pairs = read_pairs(simulation.rows).pairs
    groups = prompt_groups(pairs, threshold=0.8, seed=0)
    by_id = {pair.id: group for pair, group in zip(pairs, groups, strict=True)}
    declared = {pair.group: by_id[pair.id] for pair in pairs}
    origin = found["group_leaked_from"]
    joined = [by_id[name] == declared[group] for name, group in origin.items() if group in declared]
    assert np.mean(joined) > 0.9
    assert len(set(groups)) < len(declared)


def _run(*arguments: str) -> Any:
    app = typer.Typer()
    command.register(app)
    return CliRunner().invoke(app, ["simulate", "support", *arguments])


def test_the_command_writes_rows_and_truth(tmp_path: Path) -> None:
    out = tmp_path / "desk.jsonl"
    done = _run("--pairs", "120", "--seed", "2", "--defect", "ties=0.1", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert "best reachable accuracy" in done.output
    assert "planted ties: 12 rows" in done.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    truth = json.loads((tmp_path / "desk.jsonl.truth.json").read_text())
    expected = support(120, seed=2, defects={"ties": 0.1})
    assert rows == expected.rows
    assert truth["schema"] == "simulation/1"
    assert truth["defects"]["ties"]["rows"] == expected.truth["defects"]["ties"]["rows"]


def test_the_command_refuses_a_defect_without_a_share(tmp_path: Path) -> None:
    done = _run("--defect", "ties", "--out", str(tmp_path / "desk.jsonl"))
    assert done.exit_code != 0
    assert "flipped_labels=0.1" in str(done.exception)
