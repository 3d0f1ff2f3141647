"""Every group of RewardConfig is read by the flow: changing one option of it changes an artifact.

That every option of a group is read is shown beside the room that reads it: tests/train/test_options.py for model, loss
and train but for the seeds, which are the flow's.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from assay.flows.reward import run_reward
from assay.train.reward_config import RewardConfig
from tests.support import tiny_bases as tiny

pytestmark = pytest.mark.usefixtures("one_thread")
CRITERIA, SUSPECTS = "CRITERIA", "SUSPECTS"
ALIKE = "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 "  # then a word of its own: near-duplicates, unless nobody looks
SCORES, WEIGHTS = "seed-0/scores.jsonl", "seed-0/model/model.safetensors"
# What it is changed to, and a file in which that must show; none of them repeats the options.
CHANGES: dict[str, tuple[Any, str]] = {
    "data.near_duplicates": (None, SCORES),
    "split.seed": (1, SCORES),
    "model.dropout": (0.4, WEIGHTS),
    "loss.label_smoothing": (0.2, WEIGHTS),
    "train.epochs": (2, WEIGHTS),
    "regularise.odin": ("on", WEIGHTS),
    "stopping.patience": (1, WEIGHTS),
    "augment.verbosity": (0.5, WEIGHTS),
    "select.without": (SUSPECTS, WEIGHTS),
    "train.seeds": ((1,), WEIGHTS),
    "audit.level": (0.8, "audit.json"),
    "probes.names": ("filler,prompt_swap", "audit.json"),
    "criteria": (CRITERIA, "gate.json"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def before(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return outcome(base, tmp_path_factory.mktemp("before") / "run", {})


def test_every_group_has_its_change() -> None:
    assert {name.partition(".")[0] for name in CHANGES} == set(RewardConfig.model_fields)


@pytest.mark.slow
@pytest.mark.parametrize("option", CHANGES)
def test_changing_it_changes_something(option: str, base: Path, before: dict[str, str], tmp_path: Path) -> None:
    value, where = CHANGES[option]
    if value == CRITERIA:
        value = str(tmp_path / "criteria.yaml")
        Path(value).write_text("[no prompt overlap]")
    if value == SUSPECTS:
        value = str(tmp_path / "suspects.jsonl")
        Path(value).write_text("".join(f'{{"id": "p0-{number}"}}\n' for number in range(0, 40, 3)))
    after = outcome(base, tmp_path / "run", {option: value})
    assert before[where] != after.get(where)


def outcome(base: Path, out: Path, settings: dict[str, Any]) -> dict[str, str]:
    """Hashes of what a run leaves that says what was found, not with which options or how fast."""
    rows = [
        {
            "id": p.id,
            "prompt": f"{ALIKE * (n < 8)}w{n + 14}",
            "chosen": p.chosen,
            "rejected": p.rejected,
        }
        for n, p in enumerate(tiny.pairs(40))
    ]
    values: dict[str, Any] = {
        "model": {"base": str(base), "max_tokens": 64},
        "split": {"holdout": 10},
        "train": {"epochs": 1, "precision": "float32"},
    }
    for key, value in settings.items():
        *path, last = key.split(".")
        place = values
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    run_reward(rows, out, config=RewardConfig.build(values))
    told = [*out.glob("seed-*/model/*.safetensors"), *out.glob("seed-*/scores.jsonl")]
    told += [out / "audit.json", out / "gate.json"]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in told}
