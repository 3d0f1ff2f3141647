"""From a scorer to an audit with probes: the command, what it costs in tokens, going on after a kill, and why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.artifacts.files import read_jsonl, write_jsonl
from assay.audits.config import ProbeConfig
from assay.cli.audit import summary
from assay.data.native_rows import as_native
from assay.engine.trie import distinct_tokens
from assay.errors import ConfigError, EmptyBatchError
from assay.flows.audit import ScorerAuditConfig, audit_scorer
from assay.flows.rescoring import STORE, ask, rescored
from assay.records import Pair
from assay.scorers.local import LocalScorer
from assay.scorers.scored_pairs import score_pairs
from assay.scorers.scores_file import pair_rows
from tests.audits.written import right, scorer, written_pairs
from tests.support import saved_models

PAIRS = written_pairs(40)
CONFIG = ScorerAuditConfig.build({"audit": {"resamples": 50}, "probes": {"names": "prompt_swap,filler,case"}})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "pairs.jsonl", map(as_native, PAIRS))
    return tmp_path / "pairs.jsonl"


def test_tokens_run_are_within_a_third_of_the_distinct_ones(tmp_path: Path) -> None:
    """All probes of one model: a prompt's tokens run once for its answers, an answer's once for its additions."""
    pairs = [
        Pair(id=str(n), prompt=f"refund {n} please help me today", chosen=f"we refund {n}.", rejected=f"no refund {n}.")
        for n in range(12)
    ]
    one = LocalScorer(saved_models.reward_model(tmp_path))
    score_pairs(one, pairs)  # whether the model can share is found out once
    model = one.reward_model
    seen: list[int] = []
    model.model.base_model.layers[0].mlp.register_forward_hook(
        lambda _m, args, _o: seen.append(args[0][..., 0].numel())
    )
    groups = [pair.id for pair in pairs]
    config = ProbeConfig(names="all")
    found = rescored({0: one}, pairs, groups, config=config)
    assert found is not None
    texts = list(dict.fromkeys(ask(pairs, groups, config).rows()))
    rows = [row.ids for row in model.renderer.encode_rows(texts) if len(getattr(row, "ids", ())) <= model.most_tokens]
    assert len(rows) > 100
    assert sum(seen) <= 1.3 * distinct_tokens(rows)
    assert sum(map(len, rows)) > 1.5 * distinct_tokens(rows)  # or there is nothing to share, and this tests nothing


def test_the_audit_holds_what_was_asked_for(data: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    found = audit_scorer("baseline:longest", str(data), tmp_path / "out", config=CONFIG, notify=lines.append)
    names = {one.name for one in found.audit.findings}
    assert {"probe_filler", "probe_case", "swapped_accuracy", "own_prompt_preferred"} <= names
    assert "probe_typos" not in names
    assert found.audit.find("probe_filler").value == 1.0  # longer is better, to this rule
    assert lines[0].startswith("probes: ")
    assert "beside 80 of the audit" in lines[0]
    body = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert [row["probe"] for row in body["tables"]["probes"]["rows"]] == ["filler", "case"]
    assert "two sentences that say nothing: raises the rejected answer in 100.0% of 40" in summary(found, tmp_path)


def test_stored_rewards_are_taken(data: Path, tmp_path: Path) -> None:
    first = audit_scorer("baseline:longest", str(data), tmp_path / "out", config=CONFIG).audit
    rows = list(read_jsonl(tmp_path / "out" / STORE))
    assert len(rows) == len({row["key"] for row in rows}) > 100
    again = audit_scorer("baseline:longest", str(data), tmp_path / "out", config=CONFIG).audit
    assert again.findings == first.findings
    assert len(list(read_jsonl(tmp_path / "out" / STORE))) == len(rows)


def test_recorded_scores_say_why_not(data: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "scores.jsonl", pair_rows(scorer(right), PAIRS))
    found = audit_scorer(tmp_path / "scores.jsonl", str(data), tmp_path / "out", config=CONFIG).audit
    for name in ("probe_filler", "probe_case", "swapped_accuracy", "own_prompt_preferred"):
        assert "changed answers and other prompts cannot be scored" in found.find(name).reason


def test_wrong_names_and_empty_training(data: Path, tmp_path: Path) -> None:
    wrong = ScorerAuditConfig.build({"probes": {"names": "fillers"}})
    with pytest.raises(ConfigError, match="no probe 'fillers'"):
        audit_scorer("baseline:longest", str(tmp_path / "nowhere"), tmp_path / "out", config=wrong)
    (tmp_path / "none.jsonl").write_text('{"prompt": "p", "chosen": "a", "rejected": "a"}\n')
    with pytest.raises(EmptyBatchError, match="nothing can be held against the training"):
        audit_scorer(
            "baseline:longest", str(data), tmp_path / "out", config=CONFIG, trained_on=str(tmp_path / "none.jsonl")
        )


def test_how_many_and_which_follow_the_options() -> None:
    groups = [str(pair.prompt) for pair in PAIRS]

    def asked(**options: object) -> tuple[int, int, tuple[int, ...]]:
        found = ask(PAIRS, groups, ProbeConfig.build({"names": "all", **options}))
        return len(found.matched), len(found.drawn.places), found.drawn.places

    assert asked()[:2] == (40, 40)
    assert asked(pairs=7)[1] == 7
    assert asked(swapped=10)[0] <= 10
    assert asked(pairs=7)[2] != asked(pairs=7, seed=1)[2]


def test_the_command(data: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "assay.cli.main", "audit", "baseline:longest", str(data), "--out", str(tmp_path / "out"),
        "--probes", "filler", "--trained-on", str(data), "--set", "probes.pairs=9", "--set", "audit.resamples=50",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert "probes: 9 changed or exchanged answers to score" in done.stderr
    assert "raises the rejected answer in 100.0% of 9" in done.stdout
    assert "leaked prompts" in done.stdout
