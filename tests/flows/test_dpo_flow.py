"""From pairs to a tuned policy with its held-out figures: the whole flow, its trials, and what it refuses."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from assay.artifacts.files import read_json, read_jsonl, write_jsonl
from assay.artifacts.trials_body import TrialBody, TrialsBody
from assay.cli.dpo_options import remedies, swept
from assay.data.native_rows import as_native
from assay.errors import ArtifactError, ConfigError, InputError
from assay.flows import dpo_trials
from assay.flows.dpo import run_dpo
from assay.flows.dpo_evidence import scored_by_ches
from assay.flows.fresh_prompts_file import read_prompts
from assay.flows.processes import run_folder
from assay.gate import decide_run
from assay.records import Pair
from assay.train.dpo.config import DpoRunConfig
from tests.support import tiny_bases as tiny
from tests.support import tiny_policy

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy.policy(tmp_path_factory.mktemp("policy"))


def test_a_run_ends_with_figures_a_gate_and_a_page(base: Path, tmp_path: Path) -> None:
    long = Pair(id="long", prompt="w1 " * 70, chosen="good", rejected="bad")
    (tmp_path / "fresh.txt").write_text("w1 w2\n\nw3\n")
    config = tiny_policy.quick(base, watch={"prompts": str(tmp_path / "fresh.txt")})
    lines: list[str] = []
    run = run_dpo([*tiny.pairs(60), long], tmp_path / "run", config=config, notify=lines.append)
    assert run.seeds[0].held_out == 12
    assert any("1 pairs" in line and "over 60 tokens" in line for line in lines)
    assert [row["reason"] for row in read_jsonl(tmp_path / "run" / "rejects.jsonl")] == ["too_long"]
    split = read_json(tmp_path / "run" / "split.json", "split/1")
    assert (split["pairs_train"], split["pairs_held_out"]) == (48, 12)
    kl = run.audit.find("kl_to_base")
    assert kl is not None
    assert kl.n == 3
    assert {c.text for c in run.verdict.criteria} >= {"overall accuracy > 0.68", "self-checks pass"}
    assert decide_run(run.folder).criteria == run.verdict.criteria  # `assay gate RUN` asks the same
    page = run.report.read_text()
    assert "Tuned policy report" in page
    assert 'id="policy"' in page
    assert "KL from the base" in page
    # The same call again trains nothing; another loss is another experiment.
    assert run_dpo([*tiny.pairs(60), long], tmp_path / "run", config=config).seeds == run.seeds
    with pytest.raises(ArtifactError, match=r"dpo\.beta"):
        run_dpo(
            [*tiny.pairs(60), long],
            tmp_path / "run",
            config=config.model_copy(update={"dpo": config.dpo.model_copy(update={"beta": 0.7})}),
        )


def test_a_fall_is_named_with_the_pairs_behind_it(base: Path, tmp_path: Path) -> None:
    """Labels by coin: what is learned by heart of some pairs makes both answers of the others less likely."""
    draw = random.Random(0)

    def words() -> str:
        return " ".join(draw.choices(tiny.WORDS[:40], k=8))

    pairs = [Pair(id=f"p{n}", prompt=words(), chosen=words(), rejected=words()) for n in range(60)]
    config = tiny_policy.quick(base, train={"learning_rate": 0.03, "epochs": 4})
    run = run_dpo(pairs, tmp_path / "run", config=config)
    fall = run.audit.find("likelihood_displacement")
    assert fall is not None
    assert fall.verdict in {"warning", "problem"}
    assert len(fall.detail["pairs_behind"]) == 10
    scores = list(read_jsonl(tmp_path / "run" / "ches.jsonl"))
    assert len(scores) == 48
    highest = sorted(scores, key=lambda row: -row["normalised"])[:10]
    assert [row["pair_id"] for row in highest] == fall.detail["pairs_behind"]
    assert "Likelihood displacement." in run.report.read_text()


def test_scores_of_pairs_go_on_where_they_were_stopped(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.train.dpo.train_dpo.CHES_AT_ONCE", 8)
    pairs, told = tiny.pairs(20), list[str]()
    model = tiny_policy.quick(base).model
    with run_folder(tmp_path / "run") as run:
        whole = scored_by_ches(run, pairs, rendered=None, model=model, notify=told.append)
        assert [one.pair_id for one in whole] == [pair.id for pair in pairs]
        lines = run.path("ches.jsonl").read_bytes().splitlines(keepends=True)
        run.path("ches.jsonl").write_bytes(b"".join(lines[:8]))  # stopped after the first eight
        again = scored_by_ches(run, pairs, rendered=None, model=model, notify=told.append)
        assert again == whole
        assert run.path("ches.jsonl").read_bytes() == b"".join(lines)
    assert [line.split(",")[0] for line in told] == [
        "ches       8 of 20 pairs", "ches       16 of 20 pairs", "ches       20 of 20 pairs",
        "ches       8 of 12 pairs", "ches       12 of 12 pairs",
    ]  # fmt: skip


@pytest.mark.slow
def test_trials_use_training_groups_alone_and_are_not_made_twice(base: Path, tmp_path: Path) -> None:
    trials = {"sweep": {"beta": [0.1, 0.5]}, "remedy": ["drop_ches", "sft"], "validation": 10, "epochs": 1}
    config = tiny_policy.quick(base, trials=trials)
    run = run_dpo(tiny.pairs(60), tmp_path / "run", config=config)
    body = TrialsBody.read(tmp_path / "run" / "trials.json")
    assert [trial.settings for trial in body.trials][:2] == [{"beta": 0.1}, {"beta": 0.5}]
    assert len(body.trials) == 4
    assert body.trained + body.validation == 48  # of 60, 12 are held out and play no part
    chosen = next(trial for trial in body.trials if trial.name == body.choice)
    recorded = read_json(tmp_path / "run" / "run.json", "run/1")["chosen"]
    assert recorded == {f"dpo.{name}": value for name, value in chosen.settings.items()}
    assert run.seeds[0].held_out == 12
    assert "Settings tried" in run.report.read_text()
    before = (tmp_path / "run" / "trials.json").read_bytes()
    run_dpo(tiny.pairs(60), tmp_path / "run", config=config)
    assert (tmp_path / "run" / "trials.json").read_bytes() == before


def trial(name: str, accuracy: float, change: float) -> TrialBody:
    return TrialBody(
        name=name, settings={}, accuracy=accuracy, interval=None, margin=0.1, chosen_change=change,
        rejected_change=-1.0, kl=None, pairs=10, seconds=1.0,
    )  # fmt: skip


def test_the_choice_among_trials() -> None:
    falls, holds, level = trial("falls", 0.9, -2), trial("holds", 0.8, 0.5), trial("level", 0.8, 1.5)
    assert dpo_trials.best_of([falls, holds, level]) is falls
    assert dpo_trials.best_of([holds, level]) is level  # of equals, the one that falls least
    assert dpo_trials.best_cure([falls, holds, level])[0] is level  # a cure goes before a higher accuracy
    best, why = dpo_trials.best_cure([falls, trial("more", 0.95, -3)])
    assert best is falls
    assert "fell under every setting" in why


def test_each_remedy_is_one_option() -> None:
    config = DpoRunConfig()
    assert dpo_trials.treatment("drop_ches", config) == {"drop_ches": 0.1}
    assert dpo_trials.treatment("sft", config) == {"rpo_alpha": 1.0}
    assert dpo_trials.treatment("lower_rate", config) == {"learning_rate": pytest.approx(0.3 * 5e-6)}
    changed = dpo_trials.with_settings(config, {"rpo_alpha": 0.5, "learning_rate": 1e-6})
    assert changed.dpo.terms == (("sigmoid", 1.0), ("sft", 0.5))
    assert changed.train.learning_rate == 1e-6
    grid = dpo_trials.combinations({"beta": (0.1, 0.3), "learning_rate": (1e-6, 5e-6)})
    assert len(grid) == 4
    assert dpo_trials.name_of(grid[1]) == "beta 0.1, learning_rate 5e-06"


def test_options_that_say_nothing_are_refused(tmp_path: Path) -> None:
    assert swept(["beta=0.1,0.3", "learning_rate=1e-6"]) == {"beta": [0.1, 0.3], "learning_rate": [1e-6]}
    assert remedies("all") == ["drop_ches", "sft", "lower_rate"]
    with pytest.raises(ConfigError, match=r"--sweep 'beta'"):
        swept(["beta"])
    with pytest.raises(ConfigError, match=r"epochs cannot be swept"):
        DpoRunConfig.build({"trials": {"sweep": {"epochs": [1, 2]}}})
    with pytest.raises(InputError, match=r"no such file"):
        read_prompts(tmp_path / "none.txt")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InputError, match=r"holds no prompt"):
        read_prompts(tmp_path / "empty.txt")
    (tmp_path / "rows.jsonl").write_text('{"prompt": "Hi"}\n{"prompt": [{"role": "user", "content": "Ho"}]}\n')
    assert len(read_prompts(tmp_path / "rows.jsonl")) == 2


@pytest.mark.slow
def test_the_installed_command(base: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", [as_native(pair) for pair in tiny.pairs(40)])
    assay, pairs = Path(sys.executable).with_name("assay"), tmp_path / "pairs.jsonl"
    command = [
        str(assay), "dpo", str(pairs), "--base", str(base), "--holdout", "10", "--max-tokens", "60",
        "--learning-rate", "0.01", "--precision", "float32", "--compile", "off", "--out", str(tmp_path / "run"),
        "--json", "--set", "watch.fresh=2", "--set", "watch.max_new_tokens=4",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode in {0, 1, 3}, done.stderr
    body = json.loads(done.stdout)
    assert body["figures"]["0"]["n"] == 10
    assert Path(body["policies"][0]).is_dir()
    bad = subprocess.run([*command, "--beta", "0"], capture_output=True, text=True, check=False, timeout=300)
    assert bad.returncode == 2
    assert "beta must be above 0" in bad.stderr
    assert "Value error" not in bad.stderr  # pydantic's word for it, and nobody else's
