"""Fit to the policy from files to fit.json: a tiny model with its run, foreign samples, no hidden states, the gate."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from assay.artifacts.files import sha256_file, write_jsonl
from assay.artifacts.fit_body import FitBody
from assay.artifacts.run_body import RunBody
from assay.audits.fit.fit_cloud import FitCloud
from assay.errors import InputError
from assay.findings.finding import Finding
from assay.flows.optimise import OptimiseConfig, optimise
from assay.gate import decide_run
from assay.models.config import ModelConfig
from assay.records import Pair
from assay.rewards.reward_model import RewardModel
from assay.scorers.local import LocalScorer
from tests.support import bases
from tests.support.made_run import make_run

KNOWN = ["refund", "order", "policy", "goods", "returned", "thirty", "days", "press", "page", "shop", "bought"]
FOREIGN = ["26", "Jul", "2024", "assistant:", "Human:", "think", "rules", "system"]
CONFIG = {"fit": {"rate": 0.1, "answers": 8, "resamples": 200}, "pressure": {"resamples": 200}}


def said(rng: random.Random, words: list[str]) -> str:
    return " ".join(rng.choice(words) for _ in range(rng.randint(4, 9))) + "."


def candidates(path: Path, words: list[str], *, prompts: int = 25) -> Path:
    rng = random.Random(words[0])
    write_jsonl(
        path,
        [
            {"id": f"c{n}", "prompt": f"{said(rng, KNOWN)} {n}", "category": "tone",
             "answers": [said(rng, words) for _ in range(8)]}
            for n in range(prompts)
        ],
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a tiny random encoder as the model of its one seed; its pairs are of the known words."""
    rng = random.Random(0)
    pairs = [
        Pair(id=f"p{n}", prompt=f"{said(rng, KNOWN)} {n}", chosen=said(rng, KNOWN), rejected=said(rng, KNOWN),
             category="tone", group=f"g{n}")
        for n in range(240)
    ]  # fmt: skip
    root = tmp_path_factory.mktemp("fit")
    made = make_run(root / "run", pairs=pairs, seeds=1)
    base = bases.save(root / "base", "bert", tokenizer=bases.wordpiece(words=[*KNOWN, *FOREIGN]))
    RewardModel.from_base(ModelConfig(base=str(base), max_tokens=128), seed=0).save(made.root / "seed-0" / "model")
    # The run as its own flow would have written it: its data lie where it says, with the hash it says.
    body, data = RunBody.read(made.path("run.json")), made.path("pairs.jsonl")
    assert body.data is not None
    told = body.data.model_copy(update={"path": str(data), "sha256": sha256_file(data)})
    body.model_copy(update={"data": told}).write(made.path("run.json"))
    return made.root


def figures(body: FitBody) -> dict[str, Finding]:
    return {one.name: one for one in map(Finding.from_body, body.findings) if one.slice.name is None}


def test_foreign_samples_lie_outside_and_the_policys_own_do_not(run: Path, tmp_path: Path) -> None:
    config = OptimiseConfig.build(CONFIG)
    near = optimise(run, candidates(tmp_path / "near.jsonl", KNOWN), tmp_path / "near", gold="baseline:longest",
                    config=config)  # fmt: skip
    told = figures(near.fit)
    assert told["outside_share"].detail["held_out_groups"] == 120
    assert (told["outside_share"].known or 0) < 0.25, told["outside_share"]
    cloud = run / "seed-0" / "fit.npz"
    assert [one.path for one in near.fit.clouds] == [str(cloud)]
    written = cloud.stat().st_mtime_ns
    far = optimise(run, candidates(tmp_path / "far.jsonl", FOREIGN), tmp_path / "far", gold="baseline:longest",
                   config=config)  # fmt: skip
    assert cloud.stat().st_mtime_ns == written  # made once
    assert (figures(far.fit)["outside_share"].known or 0) > 0.6
    assert figures(far.fit)["outside_excess"].verdict == "problem"
    assert figures(far.fit)["reward_shift"].known is not None
    page = (tmp_path / "far" / "pressure.html").read_text()
    assert "Samples outside what it was trained on" in page
    assert "Outside, by category" in page
    for folder, expected in (("near", "pass"), ("far", "fail")):
        criteria = tmp_path / f"{folder}.yaml"
        criteria.write_text("criteria: [outside share < 0.4, every category outside share < 0.5]")
        assert decide_run(tmp_path / folder, criteria).verdict == expected
    criteria.write_text("criteria: [fit]")
    assert decide_run(tmp_path / "far", criteria).verdict == "fail"


def test_the_file_beside_the_model_is_enough_to_judge_an_answer(run: Path, tmp_path: Path) -> None:
    if not (run / "seed-0" / "fit.npz").exists():
        optimise(run, candidates(tmp_path / "c.jsonl", KNOWN), tmp_path / "o", gold="baseline:longest",
                 config=OptimiseConfig.build(CONFIG))  # fmt: skip
    cloud = FitCloud.read(run / "seed-0" / "fit.npz")
    scorer, rng = LocalScorer(run / "seed-0" / "model"), random.Random(5)
    assert cloud.facts.model == scorer.fingerprint
    rows = [(f"{said(rng, KNOWN)} {n}", said(rng, words)) for words in (KNOWN, FOREIGN) for n in range(40)]
    outside = cloud.outside(scorer.read_states(rows).states)
    assert outside[:40].mean() < 0.3 < 0.6 < outside[40:].mean()


def test_named_pairs_stand_in_for_a_run_and_what_is_missing_is_said(run: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(run / "seed-0" / "model", model)
    file = candidates(tmp_path / "c.jsonl", KNOWN, prompts=12)
    alone = optimise(str(model), file, tmp_path / "alone", gold="baseline:longest")
    told = figures(alone.fit)
    assert "fit.trained_on" in (told["outside_share"].reason or "")
    assert told["reward_spread"].known is not None
    pairs = str(run / "pairs.jsonl")
    config = OptimiseConfig.build({"fit": {**CONFIG["fit"], "trained_on": pairs}})
    named = optimise(str(model), file, tmp_path / "named", gold="baseline:longest", config=config)
    assert figures(named.fit)["outside_share"].known is not None
    assert "the reward was trained on" in named.fit.notes[0]
    assert (tmp_path / "named" / "fit-0.npz").exists()
    server = optimise("baseline:longest", file, tmp_path / "other", gold="baseline:random", config=config)
    told = figures(server.fit)
    assert "not available" in (told["outside_share"].reason or "")
    assert told["length_shift"].known is not None
    assert told["reward_shift"].known == pytest.approx(told["length_shift"].known, abs=0.3)  # length is the reward
    write_jsonl(tmp_path / "none.jsonl", [{"prompt": "x"}])
    with pytest.raises(InputError):
        optimise(str(model), file, tmp_path / "bad", gold="baseline:longest",
                 config=OptimiseConfig.build({"fit": {"held_out": str(tmp_path / "none.jsonl")}}))  # fmt: skip


def test_members_of_an_ensemble_are_the_noise_it_is_held_against(tmp_path: Path) -> None:
    file = candidates(tmp_path / "c.jsonl", KNOWN, prompts=12)
    done = optimise("ensemble:baseline:longest,baseline:random", file, tmp_path / "out", gold="baseline:shortest")
    told = figures(done.fit)["cannot_tell_apart"]
    assert told.detail["raters"] == 2
    assert told.detail["below_noise"] > 0.2  # what length and chance agree on is less than what they differ by
    stored = json.loads((tmp_path / "out" / "fit.json").read_text())
    assert stored["schema"] == "fit/1"
    assert np.isfinite(stored["findings"][0]["value"])
