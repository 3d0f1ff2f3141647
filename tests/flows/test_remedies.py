"""`assay remedies`: the same held-out pairs for each, figures paired with none, what cannot be made is said."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.artifacts.files import read_jsonl, write_jsonl
from assay.artifacts.remedies_body import RemediesBody, RemedyRow
from assay.audits.config import AuditConfig
from assay.audits.scores_table import align
from assay.data import read_pairs
from assay.data.native_rows import as_native
from assay.errors import ConfigError, InputError
from assay.flows.remedies import Remedies, RemediesOptions, run_remedies
from assay.flows.remedy_config import BasesConfig, PressConfig, RemediesConfig
from assay.flows.remedy_measures import aligned_elsewhere, refuse_idle, scorers_of
from assay.flows.remedy_names import (
    NAMES,
    NONE,
    OF_TWO_BASES,
    SECOND_BASE,
    TRAINED,
    Seeds,
    remedy_names,
    remembered_of,
)
from assay.flows.remedy_pressure import BestOfN, PickedGold, searched
from assay.flows.remedy_rows import Without
from assay.flows.remedy_serving import scorer_to_serve
from assay.flows.remedy_trial import Measured, Trial, same_held_out, seeds_of, with_second_base
from assay.flows.remedy_workers import waits_for
from assay.records import Candidates, PairScore, plain_text
from assay.scorers.ensemble import measured_scale
from assay.scorers.local import LocalScorer
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Scorer
from assay.scorers.recorded import read_scored_pairs
from assay.scorers.remembering import RememberingScorer
from assay.scorers.scored_pairs import score_pairs
from tests.support import tiny_bases as tiny
from tests.support.ready_commands import ready_assay

pytestmark = pytest.mark.usefixtures("one_thread")
ASKED = (
    "verbosity, text, vote_weights, corrected_length, corrected_style, averaged, ensemble_worst, ensemble_good_with_all"
)
MADE = ["none", "verbosity", "corrected_length", "averaged", "ensemble_worst", "ensemble_good_with_all"]
ANSWERS = 8


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "pairs.jsonl"
    write_jsonl(path, (as_native(pair) for pair in tiny.pairs(44, longest=6)))
    # Others of the kind, and one whose prompt stands in the data.
    outside = [*(replace(pair, id=f"x{pair.id}") for pair in tiny.pairs(10, seed=5, longest=6)), tiny.pairs(44)[0]]
    write_jsonl(path.with_name("outside.jsonl"), (as_native(pair) for pair in outside))
    draw = random.Random(3)
    write_jsonl(
        path.with_name("candidates.jsonl"),
        (
            {
                "id": f"c{n}",
                "prompt": f"w{n} w{n + 9} w{n + 3}",
                "answers": [" ".join(draw.choices(tiny.WORDS, k=6)) for _ in range(ANSWERS)],
                "scores": [draw.randrange(100) for _ in range(ANSWERS)],
            }
            for n in range(12)
        ),
    )
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def found(data: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Remedies:
    return run_remedies(data, tmp_path_factory.mktemp("out"), config=config(base), options=options(data))


def options(data: Path, **more: object) -> RemediesOptions:
    told = RemediesOptions(
        asked=ASKED, elsewhere=data.with_name("outside.jsonl"), candidates=data.with_name("candidates.jsonl"),
        gold="labels", command="assay remedies",
    )  # fmt: skip
    return replace(told, **more)  # type: ignore[arg-type]


def config(base: Path, *, seeds: tuple[int, ...] = (0, 1)) -> RemediesConfig:
    return RemediesConfig.build(
        {
            "model": {"base": str(base), "max_tokens": 40},
            "split": {"holdout": 12},
            "train": {"epochs": 1, "precision": "float32", "seeds": seeds},
            "audit": {"resamples": 200},
            "probes": {"names": "filler"},
            "pressure": {"largest": ANSWERS},
        }
    )


def rows_of(found: Remedies) -> dict[str, RemedyRow]:
    return {row.name: row for row in found.body.rows}


def test_each_remedy_is_a_row_on_the_same_pairs(found: Remedies) -> None:
    rows = rows_of(found)
    assert list(rows) == list(remedy_names(ASKED))
    held = [
        [row["pair_id"] for row in read_jsonl(found.folder / name / "seed-0/scores.jsonl")]
        for name in ("none", "verbosity")
    ]
    assert held[0] == held[1]
    assert found.body.held_out == 12
    none, verbosity = rows["none"], rows["verbosity"]
    assert none.figures["accuracy"].more is None
    for name in MADE[1:]:
        figure = rows[name].figures["accuracy"]
        assert figure.n == 12
        assert figure.more == pytest.approx(figure.value - none.figures["accuracy"].value)
        assert figure.more_interval is not None
        assert figure.more_interval.low <= figure.more <= figure.more_interval.high
    assert [rows[name].passes for name in MADE] == [1, 1, 1, 1, 2, 2]
    assert verbosity.pairs is not None
    assert verbosity.pairs > 32
    assert none.pairs == 32
    assert verbosity.settings == {"augment.verbosity": "0.2"}


def test_accuracy_by_hand(found: Remedies) -> None:
    right = [
        row["chosen"] > row["rejected"]  # type: ignore[operator]
        for seed in (0, 1)
        for row in read_jsonl(found.folder / f"verbosity/seed-{seed}/scores.jsonl")
    ]
    assert rows_of(found)["verbosity"].figures["accuracy"].value == pytest.approx(sum(right) / 24)


def test_gold_of_the_best_of_all_is_that_of_the_highest_reward(found: Remedies, data: Path) -> None:
    """At n = 8 of 8 candidates nothing is left to chance: each seed picks its highest."""
    stated = {str(row["id"]): row["scores"] for row in read_jsonl(data.with_name("candidates.jsonl"))}
    picks: dict[str, dict[str, float]] = {}
    for name in ("none", "verbosity"):
        gold: dict[str, list[float]] = {}
        for batch in read_jsonl(found.folder / name / "scored.jsonl"):
            for row in batch["rows"]:  # type: ignore[attr-defined]
                best = int(np.argmax(row["scores"]))
                gold.setdefault(row["id"], []).append(stated[row["id"]][best])  # type: ignore[index]
        assert {len(values) for values in gold.values()} == {2}
        picks[name] = {prompt: sum(values) / 2 for prompt, values in gold.items()}
    none, verbosity = (rows_of(found)[name].gold for name in ("none", "verbosity"))
    assert none is not None
    assert verbosity is not None
    assert none.value == pytest.approx(np.mean(list(picks["none"].values())))
    assert none.more is None
    assert verbosity.n == 12
    assert verbosity.more == pytest.approx(
        np.mean([picks["verbosity"][prompt] - value for prompt, value in picks["none"].items()])
    )
    assert verbosity.more_interval is not None
    assert found.body.best_of is not None
    assert found.body.best_of.n == ANSWERS
    assert found.body.best_of.best == pytest.approx(np.mean([max(one) for one in stated.values()]))  # type: ignore[call-overload]
    assert found.body.best_of.random == pytest.approx(np.mean(list(stated.values())))


def test_probes_and_pairs_from_outside_are_paired_for_scorers_too(found: Remedies) -> None:
    rows = rows_of(found)
    for name in MADE:
        filler, outside = rows[name].probes["filler"], rows[name].elsewhere["accuracy"]
        assert outside.n == 10
        if name != "none":
            assert outside.more == pytest.approx(outside.value - rows["none"].elsewhere["accuracy"].value)
            assert filler.more == pytest.approx(filler.value - rows["none"].probes["filler"].value)
            assert filler.more_interval is not None
    assert found.body.elsewhere is not None
    assert found.body.elsewhere.left_out == 1


def test_corrections_are_fitted_on_the_training_side_and_open_by_name(found: Remedies) -> None:
    held = {row["pair_id"] for row in read_jsonl(found.folder / "none/seed-0/scores.jsonl")}
    side = [row["id"] for row in read_jsonl(found.folder / "training_side.jsonl")]
    assert len(side) == 32
    assert not held & set(side)
    named = open_scorer(f"corrected:{found.folder}/corrected_length/seed-0.yaml")
    assert "without characters" in named.name


def test_every_remedy_that_was_made_has_its_costs(found: Remedies) -> None:
    rows = rows_of(found)
    assert all(rows[name].serving for name in MADE)
    assert rows["verbosity"].seconds
    assert rows["averaged"].seconds is None


def test_what_data_or_base_do_not_allow_is_told_with_its_reason(found: Remedies) -> None:
    rows = rows_of(found)
    assert "is an encoder" in (rows["text"].why_not or "")
    assert "no training pair has any" in (rows["vote_weights"].why_not or "")
    page = (found.folder / "remedies.md").read_text()
    assert "| text |" not in page
    assert "- text: regularise.text:" in page
    assert "Gold, best of 8" in page


def test_run_again_it_trains_nothing_and_says_the_same(found: Remedies, data: Path, base: Path) -> None:
    watched = [found.folder / "verbosity/seed-1/train.json", found.folder / "ensemble_worst/scored.jsonl"]
    written = [path.stat().st_mtime_ns for path in watched]
    again = run_remedies(data, found.folder, config=config(base), options=options(data))
    assert [path.stat().st_mtime_ns for path in watched] == written

    def timeless(body: RemediesBody) -> list[dict[str, object]]:
        return [row.model_dump(exclude={"serving"}) for row in body.rows]

    assert timeless(again.body) == timeless(found.body)
    assert RemediesBody.read(found.folder / "remedies.json") == again.body


@pytest.mark.slow
def test_remedies_measured_at_once_are_those_measured_in_turn(
    found: Remedies, data: Path, base: Path, tmp_path: Path
) -> None:
    at_once = run_remedies(data, tmp_path / "out", config=config(base), options=options(data, processes=3))
    timed = {"serving", "seconds"}
    assert [row.model_dump(exclude=timed) for row in at_once.body.rows] == [
        row.model_dump(exclude=timed) for row in found.body.rows
    ]


@pytest.mark.slow
def test_labels_that_others_hold_for_wrong_are_left_out_of_training(base: Path, tmp_path: Path) -> None:
    """One label in ten is turned round: most of those removed are such, and none is held out."""
    pairs = tiny.pairs(160, longest=4)
    turned = {pair.id for pair in pairs[::10]}
    write_jsonl(
        tmp_path / "pairs.jsonl",
        (
            as_native(replace(one, chosen=one.rejected, rejected=one.chosen) if one.id in turned else one)
            for one in pairs
        ),
    )
    learns = {"epochs": 6, "learning_rate": 3e-3, "head_learning_rate": 3e-3, "batch_pairs": 8}
    told = RemediesConfig.build(
        {
            "model": {"base": str(base), "max_tokens": 40},
            "split": {"holdout": 20},
            "train": {**learns, "precision": "float32", "seeds": (0,)},
            "audit": {"resamples": 200},
        }
    )
    out = tmp_path / "out"
    found = run_remedies(tmp_path / "pairs.jsonl", out, config=told, options=RemediesOptions(asked="suspected"))
    held = {str(row["pair_id"]) for row in read_jsonl(out / "none/seed-0/scores.jsonl")}
    removed = {str(row["id"]) for row in read_jsonl(out / "suspected_labels/suspected_labels.jsonl")}
    assert not removed & held
    assert len(removed & turned) >= len(turned - held) / 3
    assert len(removed & turned) > len(removed) / 2
    assert rows_of(found)["suspected"].pairs == 140 - len(removed)
    assert rows_of(found)["suspected"].settings == {"select.without": "suspected_labels/suspected_labels.jsonl"}


@pytest.mark.slow
def test_suspects_are_found_in_data_of_any_columns_and_in_a_folder_of_any_name(base: Path, tmp_path: Path) -> None:
    """The training side is read again as it was written, and the file of suspects stands in a path that is no YAML."""
    pairs = tiny.pairs(80, longest=4)
    write_jsonl(
        tmp_path / "pairs.jsonl",
        (
            {"q": one.prompt, "good": one.rejected if at % 8 == 0 else one.chosen,
             "worse": one.chosen if at % 8 == 0 else one.rejected}
            for at, one in enumerate(pairs)
        ),
    )  # fmt: skip
    told = RemediesConfig.build(
        {
            "data": {"columns": {"prompt": "q", "chosen": "good", "rejected": "worse"}},
            "model": {"base": str(base), "max_tokens": 40},
            "split": {"holdout": 16},
            "train": {
                "epochs": 6, "learning_rate": 3e-3, "head_learning_rate": 3e-3, "batch_pairs": 8,
                "precision": "float32", "seeds": (0,),
            },
            "audit": {"resamples": 200},
        }
    )  # fmt: skip
    out = tmp_path / "my #1: run"
    found = run_remedies(tmp_path / "pairs.jsonl", out, config=told, options=RemediesOptions(asked="suspected"))
    row = rows_of(found)["suspected"]
    assert row.why_not is None
    assert row.settings == {"select.without": "suspected_labels/suspected_labels.jsonl"}
    removed = list(read_jsonl(out / "suspected_labels/suspected_labels.jsonl"))
    assert removed
    assert row.pairs == 64 - len(removed)


def stating(data: Path, folder: Path) -> Path:
    """The same pairs, every second preferred answer with a figure."""
    rows = [{**row, "chosen": f"{row['chosen']} 12 days"} if n % 2 else row for n, row in enumerate(read_jsonl(data))]
    write_jsonl(folder / "stating.jsonl", rows)
    return folder / "stating.jsonl"


@pytest.mark.slow
def test_a_second_base_is_a_row_and_a_member_and_wrong_figures_are_one(data: Path, base: Path, tmp_path: Path) -> None:
    other = tiny.base(tmp_path / "other", seed=7)
    two = config(base, seeds=(0,)).model_copy(update={"bases": BasesConfig(second=str(other))})
    asked = RemediesOptions(asked="bases_mean, bases_worst, confidently_wrong")
    found = run_remedies(stating(data, tmp_path), tmp_path / "out", config=two, options=asked)
    rows = rows_of(found)
    assert list(rows) == ["none", "second_base", "bases_mean", "bases_worst", "confidently_wrong"]
    assert [row.why_not for row in rows.values()] == [None] * 5
    assert rows["second_base"].settings == {"model.base": str(other)}
    ran = json.loads((tmp_path / "out/second_base/run.json").read_text())
    assert ran["config"]["model"]["base"] == str(other)
    assert [rows[name].passes for name in ("none", "second_base", "bases_mean", "bases_worst")] == [1, 1, 2, 2]
    assert rows["confidently_wrong"].settings == {"augment.confidently_wrong": "0.2"}
    assert rows["confidently_wrong"].pairs == 32 + round(0.2 * 32)
    # Each member's margin over its spread on the slice, by hand from what the two runs wrote.
    margins = np.zeros(12)
    for name in ("none", "second_base"):
        folder = tmp_path / "out" / name / "seed-0"
        scale = measured_scale(name, open_scorer(folder / "model"), tmp_path / "out/training_side.jsonl")
        seen = read_jsonl(folder / "scores.jsonl")
        margins += np.array([float(row["chosen"]) - float(row["rejected"]) for row in seen]) / scale.sd  # type: ignore[arg-type]
    assert rows["bases_mean"].figures["accuracy"].value == pytest.approx(np.mean(margins > 0))


def test_a_second_base_that_is_the_first_or_holds_out_other_pairs(data: Path, base: Path, tmp_path: Path) -> None:
    twice = config(base).model_copy(update={"bases": BasesConfig(second=str(base))})
    with pytest.raises(ConfigError, match="is the base itself"):
        run_remedies(data, tmp_path / "out", config=twice, options=RemediesOptions(asked="bases_mean"))
    assert not (tmp_path / "out").exists()
    for name in (NONE, SECOND_BASE):
        (tmp_path / name / "seed-0").mkdir(parents=True)
    pairs = read_pairs(str(data))
    trial = Trial(source=data, out=tmp_path, config=config(base), found=pairs)
    for name, held in ((NONE, pairs.pairs[:3]), (SECOND_BASE, pairs.pairs[1:4])):
        scores = [{"pair_id": pair.id, "chosen": 1.0, "rejected": 0.0} for pair in held]
        write_jsonl(tmp_path / name / "seed-0/scores.jsonl", scores)
    with pytest.raises(ConfigError, match=r"1 of 3 held-out pairs are others\. Raise model\.max_tokens, now 40"):
        same_held_out(trial)
    with pytest.raises(ConfigError, match="see the row second_base"):
        with_second_base(trial, "bases_mean", Seeds(folder=tmp_path, models={}, training=(), slice=(), slice_file=data,
                                                    out=tmp_path, passes=trial.passes))  # fmt: skip
    with pytest.raises(ConfigError, match="none states any"):
        refuse_idle(trial, "confidently_wrong")


def test_gold_of_another_n_is_held_against_nothing() -> None:
    """A reward that leaves long answers without a value has a shorter curve; its end is not the end of the other's."""
    pairs = tiny.pairs(3)
    aligned = align({0: [PairScore(pair_id=one.id, chosen=1.0, rejected=0.0) for one in pairs]}, pairs, ["a", "b", "c"])

    def measured_to(name: str, n: int) -> Measured:
        gold = PickedGold(prompts=("p", "q"), clusters=("p", "q"), gold=np.array([[n, n + 1.0]]), seeds=(0,))
        best = BestOfN(picked=gold, n=n, random=0.0, best=9.0, verdict="does_not_turn", sentence="It rises.")
        return Measured(name=name, kind="training", settings={}, aligned=aligned, best=best)

    without = Without(measured=measured_to(NONE, 8), config=AuditConfig())
    same, other = without.row(measured_to("odin", 8)), without.row(measured_to(SECOND_BASE, 4))
    assert same.gold is not None
    assert (same.gold.value, same.gold.more, same.notes) == (8.5, 0.0, ())
    assert (other.gold, other.turn) == (None, None)
    assert "for n = 4, and for n = 8 without" in other.notes[0]


def test_scorers_made_of_seeds_run_as_was_asked_and_let_go_of_their_models(
    found: Remedies, data: Path, base: Path, tmp_path: Path
) -> None:
    asked = config(base)
    plain = asked.model_copy(update={"train": asked.train.model_copy(update={"sharing": "off"})})
    outside = [(pair, pair.id) for pair in tiny.pairs(2, seed=5)]
    trial = Trial(source=data, out=found.folder, config=plain, found=read_pairs(data), elsewhere=outside)
    seeds = seeds_of(trial, found.folder / NONE)
    served = [scorer_to_serve(trial, name, seeds) for name in ("averaged", "corrected_length")]
    models = [one if isinstance(one, LocalScorer) else next(iter(one.parts.values())) for one in served]  # type: ignore[attr-defined]
    assert [one.passes.sharing for one in models] == ["off"] * 2
    # Several seeds in memory at once would need several times the memory that trained each.
    scores = {seed: [one.numbers for one in read_scored_pairs(model.with_name("scores.jsonl"))]
              for seed, model in seeds.models.items()}  # fmt: skip
    scorers = scorers_of(trial, NONE, scores)
    assert not any("reward_model" in vars(one) for one in scorers.values())
    assert aligned_elsewhere(trial, scorers, tmp_path) is not None
    assert not any("reward_model" in vars(one) for one in scorers.values())


def test_what_is_made_of_other_runs_waits_for_them() -> None:
    assert {name for name in NAMES if waits_for(name) == frozenset()} == set(TRAINED) - {"suspected", SECOND_BASE}
    assert waits_for("bases_worst") == {NONE, SECOND_BASE}
    assert {waits_for(name) for name in ("suspected", SECOND_BASE, "averaged")} == {frozenset({NONE})}


def test_names_are_known_before_anything_is_trained(data: Path, tmp_path: Path) -> None:
    assert remedy_names("all", second_base="other") == NAMES
    assert set(NAMES) - set(remedy_names("all")) == {SECOND_BASE, *OF_TWO_BASES}
    with pytest.raises(ConfigError, match=r"bases_worst needs a second base\. Name it with --set bases\.second="):
        remedy_names("odin,bases_worst")
    unread = ready_assay("remedies", data, "--out", tmp_path / "out", "--remedies", "odin", "--set", "bases.second=x")
    assert (unread.returncode, "such as --remedies bases_mean, too" in " ".join(unread.stderr.split())) == (2, True)
    with pytest.raises(ConfigError, match="there is no remedy 'vaccine'"):
        remedy_names("odin,vaccine")
    done = ready_assay("remedies", data, "--out", tmp_path / "out", "--remedies", "vaccine")
    assert done.returncode == 2
    idle = ready_assay("remedies", data, "--out", tmp_path / "out", "--set", "press.rounds=4")
    assert (idle.returncode, "Give --press support too" in " ".join(idle.stderr.split())) == (2, True)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_pressed_is_refused_before_training(data: Path, base: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "out", options(data)
    with pytest.raises(ConfigError, match="--candidates is given without --gold"):
        run_remedies(data, out, config=config(base), options=replace(told, gold=None))
    odd = config(base).model_copy(update={"pressure": config(base).pressure.model_copy(update={"largest": 48})})
    with pytest.raises(ConfigError, match=r"pressure\.largest is 48"):
        run_remedies(data, out, config=odd, options=told)
    typed = config(base).model_copy(update={"press": PressConfig(world="support", start="plane")})
    with pytest.raises(ConfigError, match="'plane' is no agent"):
        run_remedies(data, out, config=typed, options=told)
    with pytest.raises(InputError, match="none has a prompt that is not in the data"):
        run_remedies(data, out, config=config(base), options=replace(told, elsewhere=data))
    assert not out.exists()


PRESS = PressConfig(world="support", prompts=3, population=4, rounds=2, start="wordy", words=60)


def test_the_search_is_the_same_for_every_reward(tmp_path: Path) -> None:
    """Two rewards are pressed from the same answers to the same prompts, and gold is that of each one's best."""
    longest, shortest = ({0: open_scorer(f"baseline:{name}")} for name in ("longest", "shortest"))
    a, b = searched(longest, tmp_path / "a", PRESS), searched(shortest, tmp_path / "b", PRESS)
    assert a.picked.prompts == b.picked.prompts
    assert a.start == b.start
    first = [
        {row["answer"] for row in read_jsonl(tmp_path / name / "pressed-seed-0.jsonl") if row["round"] == 0}
        for name in ("a", "b")
    ]
    assert first[0] == first[1]
    rows = list(read_jsonl(tmp_path / "a" / "pressed-seed-0.jsonl"))
    for place, prompt in enumerate(a.picked.prompts):
        best = max((row for row in rows if row["id"] == prompt), key=lambda row: float(str(row["reward"])))
        assert a.picked.gold[0, place] == best["gold"]


CHANGED: Mapping[str, object] = {
    "prompts": 2, "start": "courteous", "population": 6, "rounds": 1, "words": 20, "seed": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_every_option_of_the_search_is_read(name: str, tmp_path: Path) -> None:
    scorers: Mapping[int, Scorer] = {0: open_scorer("baseline:longest")}
    changed = PRESS.model_copy(update={name: CHANGED[name]})
    told = []
    for folder, one in (("a", PRESS), ("b", changed)):
        searched(scorers, tmp_path / folder, one)
        told.append([row["answer"] for row in read_jsonl(tmp_path / folder / "pressed-seed-0.jsonl")])
    assert told[0] != told[1]


def test_what_is_made_of_seeds_runs_no_model_on_answers_that_were_scored(
    found: Remedies, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of held-out pairs, pairs from outside, changed answers and candidates."""
    model = found.folder / NONE / "seed-0" / "model"
    known = RememberingScorer(model, remembered_of(model), keeps=False)
    assert known.store.path == found.folder / NONE / "remembered.jsonl"
    groups = [
        Candidates(id=row["id"], prompt=row["prompt"], answers=tuple(row["answers"]))
        for row in read_jsonl(data.with_name("candidates.jsonl"))
    ]
    held = {row["pair_id"] for row in read_jsonl(found.folder / NONE / "seed-0/scores.jsonl")}
    there = read_pairs(data).pairs
    pairs = [pair for pair in there if pair.id in held]
    prompts = {pair.prompt for pair in there}
    pairs += [pair for pair in read_pairs(data.with_name("outside.jsonl")).pairs if pair.prompt not in prompts]
    changed = [replace(pair, rejected=f"{plain_text(pair.chosen)} never seen") for pair in pairs[:1]]
    monkeypatch.setattr(LocalScorer, "score_rows", lambda _self, rows, **_: [Reward(-9.0) for _ in rows])
    assert -9.0 not in [one.value for results in known.score(groups) for one in results if isinstance(one, Reward)]
    assert found.body.elsewhere is not None
    assert len(pairs) == 12 + found.body.elsewhere.pairs
    sides = [side for one in score_pairs(known, pairs) for side in (one.chosen, one.rejected)]
    assert Reward(-9.0) not in sides
    assert score_pairs(known, changed)[0].rejected == Reward(-9.0)
