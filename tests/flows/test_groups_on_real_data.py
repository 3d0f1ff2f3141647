"""Groups of candidates as people published them: what each rule picks, against a count made here by hand."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from assay.artifacts.files import write_jsonl
from assay.flows.audit import ScorerAuditConfig, audit_scorer
from tests.support.real_data import real

CHOICE = {0: "tie", 1: "first", 2: "second"}


def test_finegrained_feedback_has_488_groups_and_length_picks_no_better_than_chance(tmp_path: Path) -> None:
    """500 questions of four answers, six comparisons each; in 12 all answers won as often."""
    rows = json.loads(Path(real("finegrained_rlhf/dev_feedback.json")).read_text(encoding="utf-8"))
    written, hits = [], []
    for n, row in enumerate(rows):
        answers = [row[f"prediction {k}"] for k in (1, 2, 3, 4)]
        votes = [
            {"first": i, "second": j, "choice": CHOICE[said]}
            for (i, j), said in zip(combinations(range(4), 2), row["preference"], strict=True)
        ]
        written.append({"id": str(n), "prompt": row["question"], "answers": answers, "votes": votes})
        won = np.zeros(4)
        for (i, j), said in zip(combinations(range(4), 2), row["preference"], strict=True):
            won[i] += {0: 0.5, 1: 1, 2: 0}[said]
            won[j] += {0: 0.5, 1: 0, 2: 1}[said]
        if np.ptp(won):
            length = np.array([len(answer) for answer in answers])
            hits.append((won == won.max())[length == length.max()].mean())
    write_jsonl(tmp_path / "candidates.jsonl", written)
    found = audit_scorer(
        "baseline:longest", str(tmp_path / "candidates.jsonl"), tmp_path / "out", config=ScorerAuditConfig()
    ).audit
    assert found.find("top1").n == len(hits) == 488
    assert found.find("top1").known == pytest.approx(np.mean(hits))
    assert found.find("top1_beyond_length").known <= 0.0
    assert found.find("recovery").bounds.high < 0.1
    assert found.tables["groups"]["known_by"] == {"votes": 488}
