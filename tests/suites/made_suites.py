"""Small suites of our own making, in the layouts as published, and a scorer that gives what a test says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from assay.questions.task import Answered
from assay.stats.unknown import Unknown
from assay.suites import Standing, Suite, open_suite, standings


def suite_of(
    name: str,
    rows: Sequence[Mapping[str, object]],
    folder: Path,
    *,
    file: str = "rows.jsonl",
    threshold: float | None = None,
) -> Suite:
    """The suite of rows written to a file of that name."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return open_suite(name, [str(path)], threshold=threshold)


def figures(suite: Suite, rewards: Mapping[str, Sequence[float | str]]) -> dict[str, Standing]:
    """Every figure by name; rewards by the item's id, a text standing for why there is none."""
    answered: list[Answered] = [
        [Unknown(one) if isinstance(one, str) else float(one) for one in rewards[group.id]] for group in suite.groups
    ]
    return {one.name: one for one in standings(suite, answered, {})}


def pair(number: int, subset: str, *, prompt: str | None = None) -> dict[str, object]:
    """A row of RewardBench."""
    return {
        "prompt": prompt or f"p{number}", "chosen": f"good {number}", "rejected": f"bad {number}",
        "chosen_model": "a", "rejected_model": "b", "subset": subset, "id": number,
    }  # fmt: skip


def four(name: str, subset: str, *, right: int = 1, answers: int = 4) -> dict[str, object]:
    """A row of RewardBench 2."""
    texts = [f"{name} answer {n}" for n in range(answers)]
    return {
        "id": name, "prompt": f"about {name.rpartition(':')[2]}", "chosen": texts[:right], "rejected": texts[right:],
        "num_correct": right, "total_completions": answers, "subset": subset,
    }  # fmt: skip


def styles(number: int, domain: str | None) -> dict[str, object]:
    """A row of RM-Bench."""
    row: dict[str, object] = {
        "id": number, "prompt": f"p{number}",
        "chosen": ["c", "c plain", "c **md**"], "rejected": ["r", "r plain", "r **md**"],
    }  # fmt: skip
    return row if domain is None else {**row, "domain": domain}


def judged(number: int, label: str, source: str = "mmlu-pro-law") -> dict[str, object]:
    """A row of JudgeBench."""
    return {
        "pair_id": f"j{number}", "original_id": number, "source": source, "question": f"q{number}",
        "response_model": "m", "response_A": f"A{number}", "response_B": f"B{number}", "label": label,
    }  # fmt: skip


def solution(name: str, steps: int, label: int) -> dict[str, object]:
    """A row of ProcessBench."""
    return {
        "id": name, "generator": "m", "problem": f"solve {name}", "steps": [f"step {n}" for n in range(steps)],
        "final_answer_correct": label == -1, "label": label,
    }  # fmt: skip
