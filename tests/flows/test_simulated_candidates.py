"""Candidates as files: read by all that reads answers, the truth beside, no answer depending on its company."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay import generate, open_policy, open_scorer, simulate_candidates
from assay.artifacts.files import read_jsonl, write_jsonl
from assay.cli.main import build
from assay.errors import ArtifactError, ConfigError, InputError
from assay.policies.answer_candidates import answer_candidates, holds_answers
from assay.policies.answer_files import read_answers
from assay.policies.prompt_files import read_prompts
from assay.policies.protocol import Sampling
from assay.scorers.protocol import Reward
from assay.simulate.known_truth import read_utilities, truth_path
from assay.simulate.support import support

SPEC = "wordy=1,plain=1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("candidates")
    simulate_candidates(SPEC, made / "c.jsonl", n=6, fresh=20, seed=2)
    return made


def test_every_answer_has_the_utility_that_the_truth_as_a_scorer_gives_it(folder: Path) -> None:
    worth = read_utilities(folder / "c.jsonl")
    assert holds_answers(folder / "c.jsonl")
    groups = list(answer_candidates(folder / "c.jsonl"))
    assert [group.id for group in groups] == list(worth)
    for group, results in zip(groups, open_scorer("truth:support").score(groups), strict=True):
        assert tuple(one.value for one in results if isinstance(one, Reward)) == worth[group.id]


def test_the_file_is_a_policy_of_recorded_answers(folder: Path) -> None:
    recorded, prompts = open_policy(folder / "c.jsonl"), read_prompts(folder / "c.prompts.jsonl")
    again = recorded.generate(prompts, 6, Sampling())
    assert recorded.name == f"support:{SPEC}"
    assert [one.texts for one in again] == [
        one.texts for one in generate(f"support:{SPEC}", prompts, 6, sampling=Sampling(seed=2))
    ]


def test_an_answer_depends_on_neither_n_nor_order_nor_company(folder: Path, tmp_path: Path) -> None:
    prompts = list(read_jsonl(folder / "c.prompts.jsonl"))
    write_jsonl(tmp_path / "some.jsonl", prompts[7:2:-1])
    simulate_candidates(SPEC, tmp_path / "few.jsonl", n=3, prompts=tmp_path / "some.jsonl", seed=2)
    whole = {(row["id"], row["number"]): row for row in read_jsonl(folder / "c.jsonl")}
    rows = list(read_jsonl(tmp_path / "few.jsonl"))
    assert [row["id"] for row in rows[::3]] == [row["id"] for row in prompts[7:2:-1]]
    assert all(whole[row["id"], row["number"]] == row for row in rows)
    worth = read_utilities(folder / "c.jsonl")
    assert all(worth[name][:3] == found for name, found in read_utilities(tmp_path / "few.jsonl").items())


def test_same_arguments_same_bytes(folder: Path, tmp_path: Path) -> None:
    simulate_candidates(SPEC, tmp_path / "c.jsonl", n=6, fresh=20, seed=2)
    for name in ("c.jsonl", "c.jsonl.truth.json", "c.prompts.jsonl"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    simulate_candidates(SPEC, tmp_path / "c.jsonl", n=6, fresh=20, seed=3)
    assert (tmp_path / "c.jsonl").read_bytes() != (folder / "c.jsonl").read_bytes()


def test_prompts_of_training_pairs_are_taken_with_their_categories(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", support(40, seed=6).rows)
    done = simulate_candidates("plain", tmp_path / "c.jsonl", n=2, prompts=tmp_path / "pairs.jsonl")
    assert done.prompts == 40
    assert done.prompts_file is None
    assert done.unsure == 0
    stated = {row.category for row in read_answers(tmp_path / "c.jsonl").answers}
    assert stated == {"helpfulness", "tone", "refusals", "hallucination", "brevity"}


def test_a_prompt_of_another_world_has_no_answer_and_no_truth(folder: Path, tmp_path: Path) -> None:
    known = next(iter(read_jsonl(folder / "c.prompts.jsonl")))
    write_jsonl(tmp_path / "mixed.jsonl", [{"id": "odd", "prompt": "Say a word."}, known])
    done = simulate_candidates("plain", tmp_path / "c.jsonl", n=2, prompts=tmp_path / "mixed.jsonl")
    assert list(done.unread) == ["odd"]
    assert read_utilities(tmp_path / "c.jsonl")["odd"] == (None, None)
    rows = [row for row in read_jsonl(tmp_path / "c.jsonl") if row["id"] == "odd"]
    assert all(row["answer"] is None and "no prompt of the simulated desk" in row["reason"] for row in rows)
    truth = json.loads(truth_path(tmp_path / "c.jsonl").read_bytes())
    assert "no lines of policy" in truth["prompts_unread"]["odd"]


def test_what_cannot_be_is_refused(folder: Path, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "odd.jsonl", [{"prompt": "Say a word."}])
    with pytest.raises(InputError, match=r"none of the 1 prompts"):
        simulate_candidates("plain", tmp_path / "c.jsonl", prompts=tmp_path / "odd.jsonl")
    with pytest.raises(ConfigError, match=r"0 answers"):
        simulate_candidates("plain", tmp_path / "c.jsonl", n=0)
    with pytest.raises(ConfigError, match=r"Leave one of them out"):
        simulate_candidates("plain", tmp_path / "c.jsonl", prompts=folder / "c.prompts.jsonl", fresh=3)
    with pytest.raises(ArtifactError, match="missing"):
        read_utilities(folder / "c.prompts.jsonl")
    with pytest.raises(InputError, match=r"There are support, .*grants"):
        open_scorer("truth:moon")


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    out = tmp_path / "c.jsonl"
    done = CliRunner().invoke(
        build(), ["simulate", "candidates", "inventive", "--n", "4", "--fresh", "10", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert "40 answers to 10 prompts" in done.output
    assert "true utility: -" in done.output
    scored = CliRunner().invoke(
        build(), ["score", "truth:support", str(out), "--out", str(tmp_path / "s.jsonl"), "--json"]
    )
    assert json.loads(scored.output)["prompts"] == 10
