"""A policy's recorded answers, people who prefer long ones in three of four, and files of what they said."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.artifacts.files import read_jsonl, write_jsonl
from assay.policies.prompt_files import read_prompts
from assay.policies.protocol import Prompt

WORDS = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau"),
)
Row = Mapping[str, Any]


def prompt_text(number: int, *, of: str = "Question") -> str:
    rng = random.Random(f"{of} {number}")
    return f"{of} {number}: {' '.join(rng.sample(WORDS, 6))} {rng.randrange(10**6)}?"


def recorded(folder: Path, *, prompts: int, n: int = 4, answer: Callable[[int, int], str] | None = None) -> Path:
    """A file of `n` answers a prompt. answer: of prompt and number; None: random words."""
    rng = random.Random(0)
    rows = [
        {
            "id": f"q{k}", "prompt": prompt_text(k),
            "answer": " ".join(rng.choices(WORDS, k=rng.randint(3, 25))) if answer is None else answer(k, number),
        }
        for k in range(prompts)
        for number in range(n)
    ]  # fmt: skip
    write_jsonl(folder / "answers.jsonl", rows)
    return folder / "answers.jsonl"


def prompts_of(path: Path) -> list[Prompt]:
    return read_prompts(path)


def pairs(folder: Path, *, n: int = 60, of: str = "Earlier") -> Path:
    """Labelled pairs of which the longer answer is preferred in nine of ten: what the reward was held out on."""
    rng = random.Random(1)
    rows = []
    for k in range(n):
        long, short = (" ".join(rng.choices(WORDS, k=size)) for size in (20, 5))
        chosen, rejected = (long, short) if rng.random() < 0.9 else (short, long)
        rows.append({"id": f"h{k}", "prompt": prompt_text(k, of=of), "chosen": chosen, "rejected": rejected})
    write_jsonl(folder / "held_out.jsonl", rows)
    return folder / "held_out.jsonl"


def liked(row: Row, *, agree: float = 0.75) -> str:
    """Which answer people prefer: the longer one in `agree` of pairs, decided by the pair alone."""
    longer = "a" if len(row["answer_a"]) > len(row["answer_b"]) else "b"
    other = "b" if longer == "a" else "a"
    return longer if random.Random(row["id"]).random() < agree else other


def judged(out: Path, path: Path, *, ties: Sequence[str] = ()) -> Path:
    """The pairs for people with a winner each, their answers exchanged in every other row."""
    rows = []
    for place, row in enumerate(read_jsonl(out / "for_people.jsonl")):
        winner = "tie" if row["id"] in ties else liked(row).upper()
        first, second = row["answer_a"], row["answer_b"]
        if place % 2:
            first, second, winner = second, first, {"A": "B", "B": "A"}.get(winner, winner)
        rows.append({"prompt": row["prompt"], "answer_a": first, "answer_b": second, "winner": winner})
    write_jsonl(path, rows)
    return path


def judge(out: Path, path: Path, *, right: float = 0.9, some: float = 1.0) -> Path:
    """A recorded judge of all fresh pairs, which agrees with people in `right` of them and labels `some`."""
    rows = []
    for row in read_jsonl(out / "fresh_pairs.jsonl"):
        rng = random.Random(f"judge {row['id']}")
        for_a = (liked(row) == "a") == (rng.random() < right)
        if rng.random() < some:
            rows.append({"pair_id": row["id"], "chosen": 1.0 if for_a else 0.0, "rejected": 0.0 if for_a else 1.0})
    write_jsonl(path, rows)
    return path
