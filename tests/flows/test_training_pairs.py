"""The training side of a run: made pairs, pairs left out, and the counts of both wherever a reader would look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.artifacts.contract_body import ContractBody
from assay.artifacts.files import read_jsonl, write_jsonl
from assay.artifacts.run_body import RunBody
from assay.artifacts.split_body import SplitBody
from assay.artifacts.train_body import TrainBody
from assay.data import read_pairs
from assay.data.made_mark import made_kind
from assay.data.native_rows import as_native
from assay.errors import ConfigError
from assay.flows.reward import RewardRun, run_reward
from assay.train.reward_config import RewardConfig
from tests.support import tiny_bases as tiny
from tests.support.ready_commands import ready_assay

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "pairs.jsonl"
    write_jsonl(path, (as_native(pair) for pair in tiny.pairs(40, longest=6)))
    return path


def run(data: Path, out: Path, base: Path, **sections: dict[str, Any]) -> tuple[RewardRun, list[str]]:
    values: dict[str, Any] = {
        "model": {"base": str(base), "max_tokens": 40},
        "split": {"holdout": 10},
        "train": {"epochs": 1, "precision": "float32"},
        **sections,
    }
    lines: list[str] = []
    return run_reward(data, out, config=RewardConfig.build(values), notify=lines.append), lines


AUGMENT = {"verbosity": 0.5, "rrm": 1.0}


@pytest.fixture(scope="module")
def augmented(data: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RewardRun, list[str]]:
    return run(data, tmp_path_factory.mktemp("augmented") / "run", base, augment=AUGMENT)


def test_made_pairs_are_trained_on_counted_and_never_held_out(augmented: tuple[RewardRun, list[str]]) -> None:
    found, lines = augmented
    made = read_pairs(found.folder / "made_pairs.jsonl").pairs
    assert made
    assert all(made_kind(pair) for pair in made)
    assert not any((made_kind(pair) or "").endswith("foreign_foreign") for pair in made)  # Bradley-Terry
    held = {str(row["pair_id"]) for row in read_jsonl(found.seeds[0].scores_path)}
    assert len(held) == 10
    assert not held & {pair.id for pair in made}
    origins = {str(one) for pair in made for one in pair.source["from"]}  # type: ignore[attr-defined]
    assert origins
    assert not origins & held  # nothing of a held-out pair is in what was made
    counts = RunBody.read(found.folder / "run.json").training_pairs
    assert counts is not None
    assert (counts.split, counts.made_wanted, counts.trained) == (30, 45, 30 + len(made))
    assert sum(counts.made.values()) == len(made)
    assert len(made) + sum(counts.made_dropped.values()) == 45
    assert ContractBody.read(found.folder / "contract.json").made == counts.made
    assert SplitBody.read(found.folder / "split.json").pairs_train == 30
    assert any(line.startswith("made ") and "of 45 asked for" in line for line in lines)
    for page in ("report.html", "MODEL_CARD.md"):
        assert "Made pairs, trained on and never held out" in (found.folder / page).read_text()


def test_the_same_again_is_the_same_model_and_a_finished_run_is_not_made_anew(
    augmented: tuple[RewardRun, list[str]], data: Path, base: Path, tmp_path: Path
) -> None:
    first, _ = augmented
    again, _ = run(data, tmp_path / "run", base, augment=AUGMENT)
    weights = "seed-0/model/model.safetensors"
    assert (first.folder / weights).read_bytes() == (again.folder / weights).read_bytes()
    written = (again.folder / "seed-0/train.json").stat().st_mtime_ns
    run(data, tmp_path / "run", base, augment=AUGMENT)
    assert (again.folder / "seed-0/train.json").stat().st_mtime_ns == written
    plain, _ = run(data, tmp_path / "plain", base)
    assert (plain.folder / weights).read_bytes() != (first.folder / weights).read_bytes()
    assert RunBody.read(plain.folder / "run.json").training_pairs is None
    assert not (plain.folder / "made_pairs.jsonl").exists()
    # the held-out side is what it is without them
    proofs = [SplitBody.read(one.folder / "split.json").held_out_sha256 for one in (first, plain)]
    assert proofs[0] == proofs[1]


def test_made_pairs_in_a_file_are_trained_on_and_not_held_out(
    augmented: tuple[RewardRun, list[str]], data: Path, base: Path, tmp_path: Path
) -> None:
    both = tmp_path / "both.jsonl"
    both.write_bytes(data.read_bytes() + (augmented[0].folder / "made_pairs.jsonl").read_bytes())
    found, _ = run(both, tmp_path / "run", base, split={"holdout": 5})
    held = {str(row["pair_id"]) for row in read_jsonl(found.seeds[0].scores_path)}
    assert len(held) == 5
    assert not any("/" in name for name in held)
    counts = RunBody.read(found.folder / "run.json").training_pairs
    assert counts is not None
    assert sum(counts.made.values()) > 0


def test_suspected_labels_are_left_out_of_training_alone(data: Path, base: Path, tmp_path: Path) -> None:
    plain, _ = run(data, tmp_path / "plain", base)
    held = {str(row["pair_id"]) for row in read_jsonl(plain.seeds[0].scores_path)}
    trained = [f"p0-{number}" for number in range(40) if f"p0-{number}" not in held]
    suspects = tmp_path / "suspected_labels.jsonl"
    write_jsonl(suspects, ({"id": name} for name in [*trained[:4], next(iter(held)), "nobody"]))
    found, lines = run(data, tmp_path / "run", base, select={"without": str(suspects)})
    counts = RunBody.read(found.folder / "run.json").training_pairs
    assert counts is not None
    assert (counts.left_out, counts.suspected_held_out, counts.suspected_unknown, counts.trained) == (
        {"suspected": 4},
        1,
        1,
        26,
    )
    assert {str(row["pair_id"]) for row in read_jsonl(found.seeds[0].scores_path)} == held
    assert "left out   4 suspected of 30 training pairs; the held-out ones stay" in lines
    # another file under the same name is another experiment
    write_jsonl(suspects, ({"id": name} for name in trained[:2]))
    with pytest.raises(Exception, match=r"select\.without"):
        run(data, tmp_path / "run", base, select={"without": str(suspects)})


def test_early_stopping_goes_by_training_groups_and_nothing_made_is_among_them(
    data: Path, base: Path, tmp_path: Path
) -> None:
    stopping = {"patience": 1, "validation": 0.2}
    found, lines = run(
        data,
        tmp_path / "run",
        base,
        stopping=stopping,
        augment={"verbosity": 0.5},
        train={"epochs": 3, "precision": "float32", "learning_rate": 1e-2},
    )
    counts = RunBody.read(found.folder / "run.json").training_pairs
    assert counts is not None
    assert counts.validation == 6
    assert counts.trained == 24 + sum(counts.made.values())
    assert "validation 6 training pairs set apart for early stopping" in lines
    body = TrainBody.read(found.folder / "seed-0/train.json")
    assert body.stopping is not None
    assert body.pairs == counts.trained
    # what was made was made of what is left
    made = read_pairs(found.folder / "made_pairs.jsonl").pairs
    origins = {str(one) for pair in made for one in pair.source["from"]}  # type: ignore[attr-defined]
    held = {str(row["pair_id"]) for row in read_jsonl(found.seeds[0].scores_path)}
    assert len(origins | held) <= 34
    assert not origins & held
    text = (found.folder / "report.html").read_text()
    assert "lowest loss on a slice of the training groups" in text
    assert "Set apart for early stopping" in text


def test_votes_are_asked_about_where_nobody_voted(data: Path, base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="go by votes"):
        run(data, tmp_path / "run", base, select={"min_agreement": 1.0})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("verbosity", "no share, such as 0.2"),
        ("verbosity=much", "no share, such as 0.2"),
        ("echo=0.2", "expected verbosity=0.2 or rrm=0.2"),
        ("verbosity=9", "augment.verbosity: Input should be less than or equal to 3"),
    ],
)
def test_the_option_says_what_it_takes(text: str, said: str, data: Path, tmp_path: Path) -> None:
    done = ready_assay("reward", data, "--out", tmp_path / "run", "--augment", text)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "run").exists()


def test_the_command_trains_on_made_pairs(data: Path, base: Path, tmp_path: Path) -> None:
    words = ["reward", data, "--base", base, "--out", tmp_path / "run", "--holdout", 10, "--max-tokens", 40]
    more = ["--epochs", 1, "--augment", "verbosity=0.3", "--augment", "rrm=0.2", "--set", "train.precision=float32"]
    done = ready_assay(*words, *more)
    assert "made       " in done.stderr
    assert "of 15 asked for" in done.stderr
