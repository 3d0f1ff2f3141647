"""Many answers a prompt of the simulated support desk, padded at random, with the utility of each: candidates of which
the truth is known, and rewards that pay for length."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from assay.artifacts.files import write_jsonl
from assay.simulate.known_truth import write_with_truth
from assay.simulate.support.categories import CATEGORIES
from assay.simulate.support.utility import Answer

PADDING = (
    "We really appreciate you taking the time to reach out to us about this.",
    "Your satisfaction is our top priority at every step of the way.",
    "Please know that our whole team is always here to help you with anything at all.",
)


def padded(rng: random.Random, answer: Answer) -> Answer:
    """The answer with none to four sentences that say nothing, worth less by their words."""
    more = [rng.choice(PADDING) for _ in range(rng.choice((0, 0, 0, 1, 2, 4)))]
    words = sum(len(one.split()) for one in more)
    quality = replace(answer.quality, words_over=answer.quality.words_over + words)
    return replace(answer, text=" ".join([answer.text, *more]), quality=quality)


def desk_candidates(path: Path, *, prompts: int, answers: int, seed: int = 0) -> Path:
    """Rows of candidates at `path`, and their truth beside it; categories in turn."""
    rng = random.Random(seed)
    rows, truth = [], {}
    for number in range(prompts):
        name, draw = list(CATEGORIES.items())[number % len(CATEGORIES)]
        case = draw(rng, answers)
        drawn = [padded(rng, one) for one in (case.answers * answers)[:answers]]
        rows.append(
            {"id": f"s{number}", "prompt": case.prompt, "answers": [one.text for one in drawn], "category": name}
        )
        truth[f"s{number}"] = {"utility": [one.utility for one in drawn]}
    write_with_truth(path, rows, {"rows": truth})
    return path


def record_scores(
    path: Path,
    rows: list[dict[str, object]],
    truth: Mapping[str, Sequence[float | None]],
    *,
    length: float,
    noise: float,
    seed: int = 0,
) -> Path:
    """Recorded rewards: utility, so much for a hundred characters, and noise."""
    rng = np.random.default_rng(seed)
    found = []
    for row in rows:
        utility = np.array(truth[str(row["id"])], dtype=float)
        texts: list[str] = row["answers"]  # type: ignore[assignment]
        pay = length * np.array([len(text) for text in texts]) / 100
        found.append({"id": row["id"], "scores": (utility + pay + noise * rng.normal(size=len(texts))).tolist()})
    write_jsonl(path, found)
    return path
