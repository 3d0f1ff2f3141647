"""Every option of data and split is read: another value changes what comes out, or is refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
import yaml

from assay.config import load_config, read_yaml
from assay.data import read_pairs, split
from assay.data.config import CheckConfig, DataConfig, SplitConfig, SplitRunConfig
from assay.errors import AssayError
from assay.records import Pair, Vote
from assay.train.reward_config import RewardConfig

Outcome = tuple[object, ...]


def outcome(source: object, **options: Any) -> Outcome:
    """What came of data under some options, in everything a later stage sees."""
    try:
        found = read_pairs(source, config=DataConfig(**options))
    except AssayError as error:
        return (type(error).__name__, str(error))
    report = found.report
    return (found.pairs, found.groups, [(r.reason, r.detail) for r in found.rejects], report.layout, report.overlap)


VOTED = [{"prompt": "Q", "answer_a": "x", "answer_b": "y", "votes": ["a", "a", "b"]}]
TIED = [{"prompt": "Q", "answer_a": "x", "answer_b": "y", "label": "tie"}]
RANKED = [{"prompt": "Q", "answers": ["x", "y", "z"], "ranks": [1, 2, 3]}]
NUMBERED = [{"prompt": "Q", "response_a": "x", "response_b": "y", "label": 1}]
RENAMED = [{"prompt": "Q", "chosen": "x", "rejected": "y", "good": "v", "poor": "w"}]
SHARED = [{"prompt": "Q", "chosen": "Q\n\nx", "rejected": "Q\n\ny"}]
NEAR = [{"prompt": "a b c d e f g h i j k l " + end, "chosen": "x", "rejected": "y"} for end in ("m n o p", "m n o q")]


def splits() -> object:
    rows = {name: [{"prompt": name, "chosen": "x", "rejected": "y"}] for name in ("train", "test")}
    return datasets.DatasetDict({name: datasets.Dataset.from_list(part) for name, part in rows.items()})


def crowded() -> list[dict[str, Any]]:
    """Prompts about as alike as the threshold: which of them MinHash proposes depends on its hashes."""
    rng = random.Random(0)
    words = [f"w{n}" for n in range(400)]
    rows = []
    for number in range(150):
        base = [rng.choice(words) for _ in range(60)]
        near = [rng.choice(words) if rng.random() < 0.06 else word for word in base]
        rows += [{"prompt": " ".join(text), "chosen": f"x{number}", "rejected": "y"} for text in (base, near)]
    return rows


SYSTEMS = [{"prompt": "Q", "chosen": "x", "rejected": "y", "category": "a", "system": "s"}]
TWO_OUTCOMES = [{"prompt": "Q", "response_0": "x", "response_1": "y", "better_response_id": 0, "safer_response_id": 1}]
DATA_CASES: dict[str, tuple[Callable[[], object], dict[str, Any], object]] = {
    "layout": (lambda: SHARED, {}, "implicit"),
    "columns": (lambda: RENAMED, {}, {"prompt": "prompt", "chosen": "good", "rejected": "poor"}),
    "labels": (lambda: NUMBERED, {}, {"1": "left"}),
    "ignore": (lambda: SYSTEMS, {"columns": {"system": "system"}}, ("category",)),
    "objective": (lambda: TWO_OUTCOMES, {}, "safer"),
    "split": (splits, {}, "test"),
    "min_agreement": (lambda: VOTED, {}, 0.7),
    "ties": (lambda: TIED, {}, "keep"),
    "derive": (lambda: RANKED, {}, "best"),
    "weight": (lambda: RANKED, {}, "pair"),
    "near_duplicates": (lambda: NEAR, {}, None),
    "seed": (crowded, {"near_duplicates": 0.8}, 1),
}


def test_every_option_of_data_has_a_case() -> None:
    assert DATA_CASES.keys() == DataConfig.model_fields.keys()


@pytest.mark.parametrize("name", [name for name in DATA_CASES if name != "seed"])
def test_every_option_of_data_is_read(name: str) -> None:
    make, others, value = DATA_CASES[name]
    assert outcome(make(), **others) == outcome(make(), **others)
    assert outcome(make(), **others) != outcome(make(), **others, **{name: value})


def test_the_seed_of_data_draws_other_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Near-duplicates are verified, so another seed rarely finds others; with one band of hashes it does."""
    monkeypatch.setattr("assay.data.groups.near.FEW", (1, 8))
    outcomes = [outcome(crowded(), seed=seed) for seed in (0, 0, 1, 2, 3)]
    assert outcomes[0] == outcomes[1]
    assert any(other != outcomes[0] for other in outcomes[2:])


SPLIT_CASES: dict[str, tuple[dict[str, Any], object]] = {
    "holdout": ({}, 20),
    "rounding": ({"holdout": 11}, "nearest"),
    "min_agreement": ({"holdout": 20}, 0.8),
    "seed": ({"holdout": 20}, 1),
}


def split_outcome(**options: Any) -> Outcome:
    votes = (Vote(choice="chosen"), Vote(choice="rejected"))
    pairs = [
        Pair(id=f"{n}", prompt=f"Q{n // 2}", chosen=f"x{n}", rejected=f"y{n}", votes=votes[: n % 3]) for n in range(60)
    ]
    try:
        sides = split(pairs, config=SplitConfig(**options), groups=[str(pair.prompt) for pair in pairs])
    except AssayError as error:
        return (str(error),)
    return (sides.held_out, sides.proof)


def test_every_option_of_split_is_read() -> None:
    assert SPLIT_CASES.keys() == SplitConfig.model_fields.keys()
    for name, (others, value) in SPLIT_CASES.items():
        assert split_outcome(**others) == split_outcome(**others)
        assert split_outcome(**others) != split_outcome(**(others | {name: value})), name


def test_the_commands_read_their_sections_only(tmp_path: Path) -> None:
    assert set(CheckConfig.model_fields) == {"data"}
    assert set(SplitRunConfig.model_fields) == {"data", "split"}


def test_on_and_off_are_words_on_the_command_line_and_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("regularise: {odin: on}\ntrain: {sharing: off, compile: on}\n")
    read = load_config(RewardConfig, file=file, sets=["train.gradient_checkpointing=on", "train.compile=off"])
    assert (read.regularise.odin, read.train.sharing, read.train.compile) == ("on", "off", "off")
    assert read.train.gradient_checkpointing == "on"
    assert read_yaml("[true, No, on]") == [True, False, "on"]
    assert yaml.safe_load("on") is True  # other readers in this process are as they were
