"""A tuned policy: it learns, goes on after a kill with the same bits, is saved, and its reference is run once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from assay.artifacts.files import read_jsonl, sha256_file
from assay.artifacts.train_body import TrainBody
from assay.errors import ArtifactError, ConfigError, InputError, ModelError, TemplateError
from assay.records import Candidates, Pair
from assay.scorers.implicit import ImplicitScorer
from assay.scorers.protocol import Reward
from assay.train import TrainResult
from assay.train.dpo import reference
from assay.train.dpo.config import DpoConfig
from assay.train.dpo.train_dpo import train_dpo
from tests.support import tiny_bases as tiny
from tests.support import tiny_policy
from tests.train.test_resume import StopHere, silent, stop_at

pytestmark = pytest.mark.usefixtures("one_thread")
WEIGHTS = Path("model") / "model.safetensors"
PAIRS, HELD_OUT = tiny.pairs(40), tiny.pairs(10, seed=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy.policy(tmp_path_factory.mktemp("policy"))


def run(
    base: Path, out: Path, *, progress: Callable[[Any], None] = silent, pairs: Any = PAIRS, **groups: Any
) -> TrainResult:
    config = tiny_policy.quick(base, **groups)
    return train_dpo(
        pairs,
        HELD_OUT,
        out=out / "seed-0",
        progress=progress,
        model=config.model,
        dpo=config.dpo,
        watch=config.watch,
        config=config.train,
    )


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_it_learns_is_watched_and_saved(base: Path, tmp_path: Path, tuning: str) -> None:
    result = run(base, tmp_path, model={"tuning": tuning}, dpo={"beta": 0.5})
    assert result.held_out_accuracy is not None
    assert result.held_out_accuracy > 0.8  # "good" is in every chosen answer, "bad" in every rejected one
    rows = list(read_jsonl(result.metrics_path))
    assert [row["step"] for row in rows] == list(range(1, 11))
    first, last = rows[0], rows[-1]
    assert first["loss"] == pytest.approx(np.log(2), abs=1e-5)  # policy and reference are one
    assert first["chosen_change"] == pytest.approx(0, abs=1e-4)
    assert last["chosen_change"] > last["rejected_change"]
    assert last["held_out_kl"] > 0
    assert last["held_out_answer_tokens"] <= 8
    assert last["chosen_logprob"] / last["chosen_logprob_per_token"] == pytest.approx(7, abs=5)  # tokens an answer
    body = TrainBody.read(tmp_path / "seed-0" / "train.json")
    assert (body.pairs, body.held_out["n"]) == (40, 10)
    assert body.self_checks["reload_equal"].passed
    assert (tmp_path / "seed-0" / "model" / "adapter").is_dir() == (tuning == "lora")
    before, after = load_file(base / "model.safetensors"), load_file(tmp_path / "seed-0" / WEIGHTS)
    assert any((before[name] != after[name]).any() for name in before)
    AutoModelForCausalLM.from_pretrained(tmp_path / "seed-0" / "model")  # plain transformers opens it


def test_its_scores_are_those_of_the_implicit_scorer(base: Path, tmp_path: Path) -> None:
    """What training wrote down and what `assay score implicit:POLICY@BASE@BETA` finds are the same rewards."""
    result = run(base, tmp_path, dpo={"beta": 0.5}, model={"tuning": "lora"})
    scorer = ImplicitScorer(str(result.model_folder), str(base), beta=0.5, folder=tmp_path / "store")
    found = scorer.score([Candidates(id=p.id, prompt=p.prompt, answers=(p.chosen, p.rejected)) for p in HELD_OUT])
    values = [[one.value for one in pair if isinstance(one, Reward)] for pair in found]
    written = [[row["chosen"], row["rejected"]] for row in read_jsonl(result.scores_path)]
    np.testing.assert_allclose(values, written, atol=1e-4)


@pytest.mark.parametrize("tuning", ["full", pytest.param("lora", marks=pytest.mark.slow)])
def test_it_goes_on_where_it_stopped_with_the_same_bits(base: Path, tmp_path: Path, tuning: str) -> None:
    model = {"tuning": tuning, "lora_dropout": 0.1 if tuning == "lora" else 0.0}  # random states matter
    whole = run(base, tmp_path / "whole", model=model, train={"eval_every": 2})
    with pytest.raises(StopHere):
        run(base, tmp_path / "killed", model=model, train={"eval_every": 2}, progress=stop_at(5))
    with pytest.raises(ArtifactError, match=r"dpo\.beta"):
        run(base, tmp_path / "killed", model=model, train={"eval_every": 2}, dpo={"beta": 0.2})
    again = run(base, tmp_path / "killed", model=model, train={"eval_every": 2})
    assert sha256_file(tmp_path / "whole/seed-0" / WEIGHTS) == sha256_file(tmp_path / "killed/seed-0" / WEIGHTS)
    assert whole.scores_path.read_bytes() == again.scores_path.read_bytes()
    timed = {"seconds", "pairs_per_second"}
    rows = [
        [{k: v for k, v in row.items() if k not in timed} for row in read_jsonl(one.metrics_path)]
        for one in (whole, again)
    ]
    assert rows[0] == rows[1]


def test_sharing_changes_no_figure(base: Path, tmp_path: Path) -> None:
    on = run(base, tmp_path / "on", train={"sharing": "on"})
    off = run(base, tmp_path / "off", train={"sharing": "off"})
    a, b = (list(read_jsonl(one.metrics_path)) for one in (on, off))
    np.testing.assert_allclose([row["loss"] for row in a], [row["loss"] for row in b], rtol=1e-4)


def test_reference_is_run_once_by_content(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(base, tmp_path / "one", dpo={"reference_store": str(tmp_path / "store")})
    (stored,) = (tmp_path / "store").glob("reference-*.json")
    before = stored.read_bytes()
    ran: list[int] = []
    import assay.engine.reference_logprobs as engine

    real = engine.completion_logprobs
    monkeypatch.setattr(
        engine, "completion_logprobs", lambda model, rows, prompts: ran.append(len(rows)) or real(model, rows, prompts)
    )
    run(base, tmp_path / "two", dpo={"reference_store": str(tmp_path / "store"), "beta": 0.3})
    assert ran == []
    assert stored.read_bytes() == before
    run(
        base,
        tmp_path / "three",
        dpo={"reference_store": str(tmp_path / "store")},
        pairs=[*PAIRS, *tiny.pairs(3, seed=9)],
    )
    assert sum(ran) == 6  # the rows of three new pairs


def test_a_store_of_another_model_is_refused(base: Path, tmp_path: Path) -> None:
    other = tiny_policy.policy(tmp_path / "other", seed=1)
    run(base, tmp_path / "one", dpo={"reference_store": str(tmp_path / "store")})
    with pytest.raises(ArtifactError, match=r"log-probabilities of another model.*dpo\.reference_store"):
        run(other, tmp_path / "two", dpo={"reference_store": str(tmp_path / "store")})
    reference.refuse_other_model(tmp_path / "nothing", "sha256:any")  # an empty store is anybody's


def test_ld_alpha_1_is_no_option_and_0_leaves_out_the_tail(base: Path, tmp_path: Path) -> None:
    plain, one, none = (
        run(base, tmp_path / name, dpo=dpo)
        for name, dpo in (("p", {}), ("1", {"ld_alpha": 1.0}), ("0", {"ld_alpha": 0.0}))
    )
    losses = [[row["loss"] for row in read_jsonl(result.metrics_path)] for result in (plain, one, none)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert abs(losses[0][-1] - losses[2][-1]) > 1e-3


def test_what_cannot_be_tuned_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"beta must be above 0"):
        DpoConfig.build({"beta": 0})
    with pytest.raises(ConfigError, match=r"2 loss_weights for 1 losses"):
        DpoConfig.build({"loss_weights": [1, 2]})
    with pytest.raises(ConfigError, match=r"bco_pair is only defined with f_divergence_type=reverse_kl"):
        DpoConfig.build({"loss_type": ["bco_pair"], "f_divergence_type": "forward_kl"})
    bare = tiny_policy.policy(tmp_path / "bare", template=None)
    with pytest.raises(TemplateError, match=r"no chat template.*--template"):
        run(bare, tmp_path / "a")
    run(bare, tmp_path / "named", model={"template": "plain"})
    opens = "{% if add_generation_prompt %} assistant w1{% endif %}"
    odd = tiny_policy.policy(
        tmp_path / "odd", template=tiny_policy.TEMPLATE.replace("{% if add", opens + "{% if x and add")
    )
    with pytest.raises(TemplateError, match=r"not the beginning of prompt and answer"):
        run(odd, tmp_path / "b")
    with pytest.raises(ModelError, match=r"is an encoder"):
        run(tiny.base(tmp_path / "encoder"), tmp_path / "c")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match=r"qlora needs a CUDA GPU"):
            run(base, tmp_path / "d", model={"tuning": "qlora"})
    same = [Pair(id="same", prompt="w1", chosen="w2  w3", rejected="w2 w3")]
    with pytest.raises(InputError, match=r"same \d+ tokens"):
        run(base, tmp_path / "e", pairs=same)
    tie = [Pair(id="tie", prompt="w1", chosen="w2", rejected="w3", label="tie")]
    with pytest.raises(InputError, match=r"is a tie"):
        run(base, tmp_path / "f", pairs=tie)
    long = [Pair(id="long", prompt="w1 " * 80, chosen="w2", rejected="w3")]
    with pytest.raises(InputError, match=r"over model\.max_tokens"):
        run(base, tmp_path / "g", pairs=long)


def test_adapters_of_another_base_are_no_base(base: Path, tmp_path: Path) -> None:
    result = run(base, tmp_path, model={"tuning": "lora"})
    with pytest.raises(ModelError, match=r"holds adapters to .*not a whole model"):
        run(result.model_folder / "adapter", tmp_path / "next")
