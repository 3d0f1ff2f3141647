"""A reward under pressure from files to artifacts: every gold, every kind of candidates, resumed, compared, gated."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import assay
from assay.artifacts.files import read_jsonl, write_json, write_jsonl
from assay.artifacts.pressure_body import PressureBody
from assay.cli.main import build
from assay.errors import ArtifactError, InputError
from assay.flows.optimise import OptimiseConfig, OptimiseOptions, optimise
from assay.flows.optimise_candidates import given_candidates
from assay.flows.score import ScoreConfig, score_file
from assay.gate import decide_run
from assay.records import Candidates
from assay.report.pressure.pressure_page import render_pressure
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Scored, scored
from assay.simulate.known_truth import read_utilities, truth_path
from tests.support.desk_candidates import desk_candidates, record_scores

PROMPTS, ANSWERS = 60, 16


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Candidates of the simulated desk with their truth, and recorded rewards: one that pays for length, one that does
    not."""
    folder = tmp_path_factory.mktemp("desk")
    path = desk_candidates(folder / "candidates.jsonl", prompts=PROMPTS, answers=ANSWERS)
    rows, truth = list(read_jsonl(path)), read_utilities(path)
    record_scores(folder / "hacked.jsonl", rows, truth, length=6.0, noise=0.5)
    record_scores(folder / "sound.jsonl", rows, truth, length=0.0, noise=0.5, seed=1)
    return folder


def command(*words: object) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(build(), ["optimise", *map(str, words), "--json"])
    assert done.exit_code in (0, 1, 3), done.output
    return done.exit_code, json.loads(done.stdout)


def test_truth_tells_the_hacked_reward_from_the_sound_one_and_sets_them_on_one_plot(desk: Path, tmp_path: Path) -> None:
    cand = desk / "candidates.jsonl"
    code, before = command(desk / "hacked.jsonl", cand, "--gold", "truth", "--out", tmp_path / "before")
    assert (code, before["verdict"]) == (1, "turns")
    code, after = command(
        desk / "sound.jsonl", cand, "--gold", "truth", "--out", tmp_path / "after", "--beside", tmp_path / "before"
    )
    assert (code, after["verdict"]) == (0, "does_not_turn")
    (beside,) = after["beside"]  # type: ignore[misc]
    assert (beside["prompts"], beside["verdict"]) == (PROMPTS, "turns")
    last = beside["points"][-1]
    gold = [body["curve"][-1]["gold"] for body in (before, after)]  # type: ignore[index]
    assert last["difference"] == pytest.approx(gold[1] - gold[0])
    assert last["interval"]["low"] > 0
    page = (tmp_path / "after" / "pressure.html").read_text()
    assert page.count('<polyline class="curve seed0"') >= 2
    assert '<polyline class="curve seed1"' in page
    assert "hacked.jsonl" in page
    body = PressureBody.read(tmp_path / "after" / "pressure.json")
    assert body.curve[0].gold == pytest.approx(sum(map(sum, read_utilities(cand).values())) / PROMPTS / ANSWERS)  # type: ignore[arg-type]
    assert body.gold.kind == "truth"


def test_the_gate_asks_for_turning_point_area_and_recovery(desk: Path, tmp_path: Path) -> None:
    criteria = tmp_path / "criteria.yaml"
    criteria.write_text(
        "criteria: [turning point >= 16, gold fall < 0.2, proxy gold area < 0.5, recovery > 0.5, largest n >= 16, "
        "every category gold gain > 0.2]"
    )
    words = ("--gold", "truth", "--criteria", criteria, "--out")
    code, body = command(desk / "sound.jsonl", desk / "candidates.jsonl", *words, tmp_path / "sound")
    assert (code, body["gate"]["verdict"]) == (0, "pass")  # type: ignore[index]
    assert (tmp_path / "sound" / "gate.json").exists()
    code, body = command("baseline:longest", desk / "candidates.jsonl", *words, tmp_path / "longest")
    assert code == 1
    failed = [row["text"] for row in body["gate"]["criteria"] if row["verdict"] == "fail"]  # type: ignore[index]
    assert failed == [
        "turning point >= 16", "gold fall < 0.2", "proxy gold area < 0.5", "recovery > 0.5",
        "every category gold gain > 0.2",
    ]  # fmt: skip


def test_gold_that_is_the_reward_passes_no_criterion(desk: Path, tmp_path: Path) -> None:
    sound = str(desk / "sound.jsonl")
    done = optimise(sound, desk / "candidates.jsonl", tmp_path, gold=sound)
    assert (done.body.verdict, done.body.sentence) == ("undecided", "gold and proxy share weights")
    assert done.body.shared == [sound]
    assert "share weights" in (tmp_path / "pressure.html").read_text()
    criteria = tmp_path / "criteria.yaml"
    criteria.write_text("criteria: [recovery > 0]")
    assert decide_run(tmp_path, criteria).verdict == "fail"


def test_a_member_of_the_ensemble_shares_weights_with_it(desk: Path, tmp_path: Path) -> None:
    done = optimise(
        "ensemble:baseline:longest,baseline:random", desk / "candidates.jsonl", tmp_path, gold="baseline:longest"
    )
    assert done.body.shared == ["baseline:longest"]
    other = optimise("baseline:longest", desk / "candidates.jsonl", tmp_path / "b", gold="baseline:shortest")
    assert other.body.shared == []
    assert other.found.find("recovery").known < -1  # type: ignore[union-attr, operator]


def test_labels_of_the_candidates_are_gold_and_those_without_are_counted(tmp_path: Path) -> None:
    rows = [
        {"id": f"c{n}", "prompt": f"question {n} {'abcdefgh'[n % 8] * 9}",
         "answers": ["a", "bb " * 3, "cc " * 9, "d " * 20],
         "ranks": [4, 3, 2, 1] if n % 3 else [1, 2, 3, None]}
        for n in range(30)
    ]  # fmt: skip
    write_jsonl(tmp_path / "c.jsonl", rows)
    config = OptimiseConfig.build({"pressure": {"least_share": 0.5}})
    done = optimise("baseline:longest", tmp_path / "c.jsonl", tmp_path / "out", gold="labels", config=config)
    missing = done.found.find("gold_missing")
    assert missing is not None
    assert missing.known == pytest.approx(10 / 120)
    assert missing.detail["picks"] == 10  # the longest is the one without a rank
    assert done.body.set_aside == {"fewer than 4 answers": 10}
    assert {row["why"] for row in read_jsonl(tmp_path / "out" / "left_out.jsonl")} == {
        "gold: nothing is known of the answer"
    }
    assert done.body.curve[-1].gold == -1  # the rank of the longest, in the prompts that are left
    unlabelled = [{"prompt": row["prompt"], "answers": row["answers"]} for row in rows]
    write_jsonl(tmp_path / "bare.jsonl", unlabelled)
    with pytest.raises(InputError, match="no answer of these candidates"):
        optimise("baseline:longest", tmp_path / "bare.jsonl", tmp_path / "bare", gold="labels")


def generated(path: Path, answers: int = 8) -> Path:
    """A file of `assay generate`: 30 prompts; the third answer to each is empty, with its reason."""
    made = {"policy": "p", "fingerprint": "sha256:0", "template": "t", "sampling": {"max_tokens": 5}}
    rows = [
        {"id": f"q{n}", "prompt": f"question {n} {'abcdefgh'[n % 8] * 9}", "system": "p", "number": number,
         "answer": None if number == 2 else "word " * (number + 1), "finish": "stop", "tokens": 3, "seed": number,
         "made": made} | ({"reason": "the answer is empty"} if number == 2 else {})
        for n in range(30) for number in range(answers)
    ]  # fmt: skip
    write_jsonl(path, rows)
    return path


def test_answers_of_a_policy_are_candidates_and_empty_ones_are_counted(tmp_path: Path) -> None:
    path = generated(tmp_path / "answers.jsonl")
    utility = [float(number) if number != 2 else None for number in range(8)]
    truth = {f"q{n}": {"utility": utility, "category": "ab"[n % 2]} for n in range(30)}
    write_json(truth_path(path), "simulation/1", {"rows": truth})
    done = optimise("baseline:longest", path, tmp_path / "out", gold="truth")
    assert done.body.answers == 240
    assert done.body.left_out == 30
    assert done.found.find("gold_gain", "category=a").n == 15  # type: ignore[union-attr]
    assert [one.n for one in done.body.curve] == [1, 2, 4]  # seven answers a prompt
    # The truth of answer number 3 is 3, though it is the third that there is.
    assert done.body.curve[0].gold == pytest.approx((0 + 1 + 3 + 4 + 5 + 6 + 7) / 7)
    assert {row["why"] for row in read_jsonl(tmp_path / "out" / "left_out.jsonl")} == {"policy: the answer is empty"}


def test_recorded_scores_of_candidates_give_the_same_figures(desk: Path, tmp_path: Path) -> None:
    cand = desk / "candidates.jsonl"
    score_file(open_scorer("baseline:longest"), str(cand), tmp_path / "scores.jsonl", config=ScoreConfig())
    whole = optimise("baseline:longest", cand, tmp_path / "one", gold="truth")
    again = optimise(tmp_path / "scores.jsonl", cand, tmp_path / "two", gold="truth")
    assert again.found.findings == whole.found.findings


class Counting:
    """A reward that counts what it is asked, and may break off."""

    name, fingerprint = "counting", "counting-1"

    def __init__(self, breaks_after: int = 10**9) -> None:
        self.asked, self.breaks_after = 0, breaks_after

    def score(self, groups: list[Candidates]) -> list[tuple[Scored, ...]]:
        self.asked += sum(len(group.answers) for group in groups)
        if self.asked > self.breaks_after:
            raise KeyboardInterrupt
        return [tuple(scored(float(len(str(answer)))) for answer in group.answers) for group in groups]


def test_what_was_interrupted_goes_on_and_what_is_done_is_not_asked_again(desk: Path, tmp_path: Path) -> None:
    first = Counting(breaks_after=600)
    with pytest.raises(KeyboardInterrupt):
        optimise(first, desk / "candidates.jsonl", tmp_path, gold="truth")
    second = Counting()
    done = optimise(second, desk / "candidates.jsonl", tmp_path, gold="truth")
    assert second.asked == PROMPTS * ANSWERS - 512
    third = Counting()
    again = optimise(third, desk / "candidates.jsonl", tmp_path, gold="truth")
    assert third.asked == 0
    assert again.body == done.body


def test_the_page_is_the_artifacts_and_lets_no_answer_speak(tmp_path: Path) -> None:
    rows = [
        {"id": f"c{n}", "prompt": "<script>alert(1)</script>" + "abcdefgh"[n % 8] * 9 + str(n),
         "answers": [f"<b>{n}</b> " * (k + 1) for k in range(8)], "ranks": list(range(1, 9))}
        for n in range(20)
    ]  # fmt: skip
    write_jsonl(tmp_path / "c.jsonl", rows)
    done = optimise("baseline:longest", tmp_path / "c.jsonl", tmp_path / "out", gold="labels")
    page = (tmp_path / "out" / "pressure.html").read_text()
    assert "<script" not in page
    assert "<b>" not in page
    assert "src=" not in re.sub(r"<p>.*?</p>", "", page)
    assert "Gold turns at n = 1" in page
    again = render_pressure(done.body, list(done.found.worst), tmp_path / "again.html", fit=done.fit)
    assert again.read_text() == page


def test_in_a_notebook_and_under_a_configuration(desk: Path, tmp_path: Path) -> None:
    groups = [
        Candidates(id=f"g{n}", prompt=f"{'abcdefgh'[n % 8] * 9} {n}", answers=tuple("y" * k for k in range(1, 9)))
        for n in range(20)
    ]
    body = assay.optimise(
        "baseline:longest", groups, tmp_path, gold=lambda _prompt, answers: [-float(len(a)) for a in answers],
        config=assay.PressureConfig(largest=4),
    )  # fmt: skip
    assert (body.verdict, [one.n for one in body.curve]) == ("turns", [1, 2, 4])
    _, told = command(
        desk / "sound.jsonl", desk / "candidates.jsonl", "--gold", "truth", "--out", tmp_path / "set",
        "--set", "pressure.largest=4", "--set", "pressure.examples=2", "--set", "pressure.level=0.9",
    )  # fmt: skip
    assert [point["n"] for point in told["curve"]] == [1, 2, 4]  # type: ignore[union-attr, index]
    assert told["curve"][0]["gold_interval"]["level"] == 0.9  # type: ignore[index]
    assert len(list(read_jsonl(tmp_path / "set" / "worst_picks.jsonl"))) <= 2


def test_bad_input_says_what_and_the_way_out(desk: Path, tmp_path: Path) -> None:
    cand = desk / "candidates.jsonl"
    alone = tmp_path / "alone.jsonl"
    write_jsonl(alone, [{"prompt": "q", "answers": ["a"]}])
    with pytest.raises(InputError, match="no prompt has two answers"):
        optimise("baseline:longest", alone, tmp_path / "a", gold="baseline:shortest")
    write_jsonl(tmp_path / "empty.jsonl", [{"prompt": "q", "answers": ["a", "  "]}])
    with pytest.raises(InputError, match=r"empty.jsonl:1.*answers\[1\].*is empty"):
        optimise("baseline:longest", tmp_path / "empty.jsonl", tmp_path / "a", gold="baseline:shortest")
    with pytest.raises(InputError, match=r"no .*alone.jsonl.truth.json"):
        optimise("baseline:longest", write_two(tmp_path / "alone.jsonl"), tmp_path / "a", gold="truth")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "audit.json").write_text("{}")
    with pytest.raises(InputError, match=r"audit\.json"):
        optimise("baseline:longest", cand, tmp_path / "run", gold="truth")
    with pytest.raises(ArtifactError, match=r"pressure\.json"):
        optimise("baseline:longest", cand, tmp_path / "b", gold="truth", options=OptimiseOptions(beside=(tmp_path,)))
    optimise("baseline:longest", cand, tmp_path / "other", gold="baseline:shortest")
    with pytest.raises(InputError, match="different gold"):
        optimise(
            "baseline:random", cand, tmp_path / "c", gold="truth", options=OptimiseOptions(beside=(tmp_path / "other",))
        )
    write_json(truth_path(alone), "simulation/1", {"rows": {"1": {"utility": [1.0]}, "2": {"utility": "high"}}})
    with pytest.raises(ArtifactError, match="row '2' has no list of numbers"):
        optimise("baseline:longest", alone, tmp_path / "a", gold="truth")
    write_json(truth_path(alone), "simulation/1", {"rows": {"1": {"utility": [1.0]}}})
    with pytest.raises(InputError, match="has 1 utilities"):
        optimise("baseline:longest", alone, tmp_path / "a", gold="truth")


def write_two(path: Path) -> Path:
    write_jsonl(path, [{"prompt": "q", "answers": ["a", "bb"]}])
    return path


def test_a_row_that_the_truth_does_not_name_has_no_gold(desk: Path, tmp_path: Path) -> None:
    rows = list(read_jsonl(desk / "candidates.jsonl"))
    truth = read_utilities(desk / "candidates.jsonl")
    path = tmp_path / "c.jsonl"
    write_jsonl(path, rows)
    named = {name: {"utility": values} for name, values in truth.items() if name != "s0"}
    write_json(truth_path(path), "simulation/1", {"rows": named})
    done = optimise("baseline:longest", path, tmp_path / "out", gold="truth")
    assert done.body.prompts == PROMPTS - 1
    assert done.body.set_aside == {"fewer than 2 answers with reward and gold": 1}
    (lost,) = read_jsonl(tmp_path / "out" / "left_out.jsonl")
    assert (lost["prompt_id"], lost["why"]) == ("s0", "gold: the truth file does not name its row")


def test_prompts_that_are_nearly_the_same_are_one_group_of_the_intervals(tmp_path: Path) -> None:
    text = "my parcel did not arrive and nobody answers the telephone since last week please help"
    rows = [{"id": f"c{n}", "prompt": f"{text} {n}", "answers": ["a", "bb"]} for n in range(2)]
    rows.append({"id": "other", "prompt": "how do I bake bread at home", "answers": ["a", "bb"]})
    write_jsonl(tmp_path / "c.jsonl", rows)
    clusters = given_candidates(tmp_path / "c.jsonl", OptimiseConfig().data).clusters
    assert clusters[0] == clusters[1] != clusters[2]


def test_the_terminal_says_verdict_curve_figures_and_what_picks_share(desk: Path, tmp_path: Path) -> None:
    words = ["optimise", "baseline:longest", str(desk / "candidates.jsonl"), "--gold", "truth", "--out", str(tmp_path)]
    done = CliRunner().invoke(build(), words)
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    assert lines[0].startswith(f"gold turns at n = 1  on {PROMPTS} prompts")
    assert [int(line.split()[0]) for line in lines if re.match(r" +\d+ +\d\.\d\d ", line)] == [1, 2, 4, 8, 16]
    assert any(line.strip().startswith("Gold falls by") for line in lines)
    assert any("characters of picks" in line for line in lines)
    assert any("phrases stand out" in line and "top priority" in line for line in lines)
    assert lines[-1].strip() == str(tmp_path / "pressure.html")


@pytest.mark.slow
def test_models_press_candidates_with_every_seed_and_another_model_is_gold(tmp_path: Path) -> None:
    """Real tiny models through the command: a run of two seeds as the reward, a third as gold, then a seed as gold."""
    from tests.support import saved_models

    for seed in range(2):
        saved_models.reward_model(tmp_path / "run" / f"seed-{seed}", seed=seed).rename(
            tmp_path / "run" / f"seed-{seed}" / "model"
        )
    gold = saved_models.reward_model(tmp_path / "gold", seed=7)
    rows = [
        {"id": f"c{n}", "prompt": f"{'abcdefgh'[n % 8] * 3} {n}", "answers": [f"{'yes ' * k}{n}" for k in range(1, 9)]}
        for n in range(12)
    ]
    write_jsonl(tmp_path / "c.jsonl", rows)
    code, body = command(tmp_path / "run", tmp_path / "c.jsonl", "--gold", gold, "--out", tmp_path / "out")
    assert code in (0, 1, 3)
    assert sorted(body["proxy"]["fingerprints"]) == ["0", "1"]  # type: ignore[index]
    asked = Candidates(id="c0", prompt=str(rows[0]["prompt"]), answers=tuple(rows[0]["answers"]))
    values = [one.value for one in open_scorer(gold).score([asked])[0] if isinstance(one, Reward)]
    first = next(row for row in read_jsonl(tmp_path / "out" / "by_prompt.jsonl") if row["prompt_id"] == "c0")
    assert first["gold"][0] == pytest.approx(sum(values) / 8, abs=1e-5)
    seed = tmp_path / "run" / "seed-1" / "model"
    code, body = command(tmp_path / "run", tmp_path / "c.jsonl", "--gold", seed, "--out", tmp_path / "same")
    assert (code, body["sentence"]) == (3, "gold and proxy share weights")
    assert body["shared"] == [str(seed)]
