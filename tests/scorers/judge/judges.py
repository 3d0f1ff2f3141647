"""Judge files of tests, and the scorers they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from assay.scorers.judge.judge_scorer import AnswerJudge, PairwiseJudge, judge


def written(folder: Path, **options: Any) -> Path:
    """A judge's file with short limits and a cache of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "judge.yaml"
    options = {"model": "m", "seconds": 5, "retries": 0, "cache": "replies", **options}
    path.write_text(yaml.safe_dump({key: value for key, value in options.items() if value is not None}))
    return path


def pairwise(folder: Path, **options: Any) -> PairwiseJudge:
    found = judge(str(written(folder, **options)))
    assert isinstance(found, PairwiseJudge)
    return found


def one_by_one(folder: Path, **options: Any) -> AnswerJudge:
    found = judge(str(written(folder, **{"mode": "score", **options})))
    assert isinstance(found, AnswerJudge)
    return found
