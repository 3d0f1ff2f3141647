"""A tuned policy's study: written ready to serve, judged over a real server, concluded upon; what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import assay
from assay.artifacts.files import read_json, read_jsonl, sha256_file, write_jsonl
from assay.errors import ArtifactError, ConfigError, InputError, StudyError
from assay.flows.capability import capability
from assay.flows.dpo import PolicyRun, run_dpo
from assay.flows.dpo_conclusion import CapabilityTest, ConcludeConfig, Conclusion, conclude
from assay.flows.dpo_demo import DemoSize, run_dpo_demo
from assay.flows.fresh_study import Asking
from assay.study import create_study
from assay.study.config import StudyConfig
from assay.study.plan import Sources
from assay.study.plan.link_table import read_links
from assay.study.store.closing import close_study
from assay.study.store.database import open_database
from assay.study.store.open_study import items_of, slots_of
from assay.study.study_records import Editor
from assay.train.dpo.config import FreshStudyConfig
from tests.study.harness import Browser, in_thread
from tests.support import tiny_bases as tiny
from tests.support import tiny_policy
from tests.support.ready_commands import ready_assay

pytestmark = pytest.mark.usefixtures("one_thread")
PROMPTS = 14


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_policy.policy(tmp_path_factory.mktemp("policy"))


@pytest.fixture(scope="module")
def tuned(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Callable[[], PolicyRun], PolicyRun]:
    """A run with a study of fresh prompts, and the call that made it."""
    folder = tmp_path_factory.mktemp("tuned")
    write_jsonl(
        folder / "fresh.jsonl",
        [
            {"id": f"f{n}", "prompt": f"w{n} w{n + 1} w9 w8", "category": ("need", "budget")[n % 2]}
            for n in range(PROMPTS)
        ],
    )
    study = {"prompts": str(folder / "fresh.jsonl"), "editors": 2, "max_new_tokens": 8, "plan": {"attention": 1}}
    config = tiny_policy.quick(base, study=study)

    def again() -> PolicyRun:
        return run_dpo(tiny.pairs(60), folder / "run", config=config)

    return again, again()


@pytest.fixture(scope="module")
def closed(tuned: tuple[Callable[[], PolicyRun], PolicyRun]) -> PolicyRun:
    """Its study, judged over a real server by two editors who prefer the tuned policy's answers, and closed."""
    run = tuned[1]
    assert run.study is not None
    place = str(run.folder / run.study.study)
    with closing(open_database(place)) as database, database.begin() as connection:
        tuned_is_a = {item.id: item.system_a == "tuned" for item in items_of(connection)}
        liked = {
            slot.showing: "left" if (slot.left == "a") == tuned_is_a[slot.item] else "right"
            for slot in slots_of(connection)
        }
    with in_thread(place) as site:
        for who, link in read_links(Path(place)).items():
            if who != "owner":
                person = Browser(site.port)
                person.enter(link.rpartition("/")[2])
                while 'action="/vote"' in (page := person.get("/judge")).body:
                    assert person.vote(page, liked[page.field("showing")]).status == 303
    close_study(place)
    return run


def test_a_run_ends_in_a_study_of_both_policies_answers(tuned: tuple[Callable[[], PolicyRun], PolicyRun]) -> None:
    again, run = tuned
    written = run.study
    assert written is not None
    assert written.editors == {"editor-1": "human", "editor-2": "human"}
    rows = {side: list(read_jsonl(run.folder / f"answers/{side}.jsonl")) for side in ("base", "tuned")}
    assert (
        [row["id"] for row in rows["base"]] == [row["id"] for row in rows["tuned"]] == [f"f{n}" for n in range(PROMPTS)]
    )
    assert {row["made"]["fingerprint"] for row in rows["tuned"]} == {written.tuned.fingerprint}
    assert written.tuned.fingerprint != written.base.fingerprint
    assert [side[0]["made"]["sampling"]["seed"] for side in rows.values()] == [0, 1]  # alike, and independent
    assert {row["made"]["sampling"]["max_tokens"] for side in rows.values() for row in side} == {8}
    assert written.base.template == written.tuned.template  # both are asked alike
    assert written.shown + sum(written.aside.values()) == PROMPTS
    links = run.folder / written.links
    assert links.stat().st_mode & 0o777 == 0o600
    before = {path: sha256_file(run.folder / path) for path in (written.links, "answers/tuned.jsonl")}
    assert again().study == written
    assert {path: sha256_file(run.folder / path) for path in before} == before


def test_a_kill_before_the_links_were_told_makes_the_study_anew(
    tuned: tuple[Callable[[], PolicyRun], PolicyRun], base: Path, tmp_path: Path
) -> None:
    shutil.copytree(tuned[1].folder, tmp_path / "run")
    (tmp_path / "run" / "fresh_study.json").unlink()
    old = (tmp_path / "run" / "study" / "study.db.links.csv").read_text()
    config = tuned[1].study
    assert config is not None
    again = run_dpo(
        tiny.pairs(60), tmp_path / "run", config=tiny_policy.quick(base, study={**config.config})
    )  # fmt: skip
    assert again.study is not None
    assert again.study.tuned == config.tuned
    assert (tmp_path / "run" / "study" / "study.db.links.csv").read_text() != old
    other = {**config.config, "temperature": 0.5}
    with pytest.raises(ArtifactError, match=r"temperature was 1\.0, is 0\.5"):
        run_dpo(tiny.pairs(60), tmp_path / "run", config=tiny_policy.quick(base, study=other))


def test_prompts_that_are_not_fresh_and_nobody_to_judge(tmp_path: Path) -> None:
    pairs = tiny.pairs(3)
    write_jsonl(tmp_path / "fresh.jsonl", [{"prompt": "w1"}, {"prompt": f" {pairs[1].prompt}"}])
    asking = Asking.of(FreshStudyConfig(prompts=str(tmp_path / "fresh.jsonl")))
    assert asking is not None
    with pytest.raises(InputError, match="1 of 2 prompts are prompts of training pairs"):
        asking.refuse_trained_on(pairs)
    asking.refuse_trained_on(pairs[2:])
    with pytest.raises(InputError, match="somebody who judges"):
        Asking.of(FreshStudyConfig(prompts=str(tmp_path / "fresh.jsonl"), editors=0))
    with pytest.raises(InputError, match="no such file"):
        Asking.of(FreshStudyConfig(prompts=str(tmp_path / "none.jsonl")))
    assert Asking.of(FreshStudyConfig()) is None


def by_text(found: Conclusion) -> dict[str, tuple[str, str]]:
    return {one.text: (one.verdict, one.reason) for one in found.verdict.criteria}


def test_the_closed_study_ends_in_one_verdict(closed: PolicyRun) -> None:
    assert closed.study is not None
    place = str(closed.folder / closed.study.study)
    found = conclude(closed.folder, place)
    words = by_text(found)
    assert found.analysis.ours == "tuned"
    by_kind = [found.analysis.find("win_rate", f"category={name}") for name in ("need", "budget")]
    assert [one.known for one in by_kind if one is not None] == [1.0, 1.0]
    rate = found.analysis.find("win_rate")
    assert rate is not None
    assert rate.known == 1.0
    assert words["win rate > 0.60"][0] == "pass"
    held_out = {one.text: one.verdict for one in closed.verdict.criteria}
    assert words["overall accuracy > 0.68"][0] == held_out["overall accuracy > 0.68"]
    assert words["capability drop < 0.02"] == (
        "fail",
        "capability drop is unknown: no capability test was given; give --mmlu PATH, or --capability FILE of "
        "`assay capability POLICY --against BASE`",
    )
    assert found.verdict.verdict == "fail"
    gate = read_json(closed.folder / "conclusion" / "gate.json", "gate/2")
    assert gate["verdict"] == "fail"
    assert "study/analysis.json" in gate["inputs"]
    assert found.study_page.is_file()
    # The held-out verdict of before stands where it stood.
    assert read_json(closed.folder / "gate.json", "gate/2")["verdict"] == closed.outcome


def test_a_base_at_chance_passes_nothing_and_tests_of_other_models_are_refused(
    closed: PolicyRun, base: Path, tmp_path: Path
) -> None:
    assert closed.study is not None
    place = str(closed.folder / closed.study.study)
    rows = [
        {"question": f"w{n}", "choices": ["w1", "w2", "w3", "w4"], "answer": n % 4, "subject": f"s{n % 3}"}
        for n in range(30)
    ]
    write_jsonl(tmp_path / "questions.jsonl", rows)
    settled = ConcludeConfig.build({"capability": {"shots": 0, "by": ["text"]}})
    test = CapabilityTest(questions=tmp_path / "questions.jsonl")
    found = conclude(closed.folder, place, test=test, config=settled)
    assert found.capability is not None
    assert found.capability.outcome == "at_chance"
    word, why = by_text(found)["capability drop < 0.02"]
    assert word == "fail"
    assert "at chance" in why
    kept = closed.folder / "conclusion" / "capability.json"
    again = conclude(closed.folder, place, test=CapabilityTest(made=kept))
    assert by_text(again)["capability drop < 0.02"] == (word, why)
    capability(
        str(base), tmp_path / "questions.jsonl", tmp_path / "other", against=str(base), config=settled.capability
    )
    with pytest.raises(InputError, match="which is not the policy of this run"):
        conclude(closed.folder, place, test=CapabilityTest(made=tmp_path / "other"))
    assert not (closed.folder / "conclusion" / "gate.json").exists()


def test_open_studies_and_studies_of_other_answers_are_refused(closed: PolicyRun, tmp_path: Path) -> None:
    answers = [closed.folder / "answers" / f"{side}.jsonl" for side in ("base", "tuned")]
    rows = list(read_jsonl(answers[1]))
    rows[0]["answer"] = "another answer"
    write_jsonl(tmp_path / "tuned.jsonl", rows)

    def made(name: str, *files: Path, names: tuple[str, ...]) -> str:
        place = str(tmp_path / name)
        options = StudyConfig(attention=0, empty="set_aside", giveaways="set_aside")
        create_study(place, Sources(generations=files, names=names), [Editor(name="Anna")], config=options)
        return place

    other = made("other.db", answers[0], tmp_path / "tuned.jsonl", names=("base", "tuned"))
    with pytest.raises(StudyError, match=r"open|close"):
        conclude(closed.folder, other)
    close_study(other)
    with pytest.raises(StudyError, match="holds other answers than those"):
        conclude(closed.folder, other)
    # Of the same answers under other names and in another order, the tuned policy is still known.
    turned = made("turned.db", answers[1], answers[0], names=("new", "old"))
    close_study(turned)
    assert conclude(closed.folder, turned).analysis.ours == "new"
    shutil.copytree(closed.folder, tmp_path / "run")
    write_jsonl(tmp_path / "run" / "answers" / "tuned.jsonl", rows)
    with pytest.raises(ArtifactError, match="Restore it"):
        conclude(tmp_path / "run", turned)
    with pytest.raises(ArtifactError, match="is not the folder of a run"):
        conclude(tmp_path, turned)


def test_the_command_concludes_and_refuses_what_it_does_not_read(closed: PolicyRun) -> None:
    assert closed.study is not None
    place = closed.folder / closed.study.study
    done = ready_assay("dpo", closed.folder, "--conclude", place, "--json")
    assert done.returncode == 1, done.stderr  # nothing was shown of its capability
    said = json.loads(done.stdout)
    assert said["verdict"] == "fail"
    assert said["capability"] is None
    found = assay.conclude(str(closed.folder), str(place))  # a notebook decides by the same
    told = {**found.verdict.to_dict(), "folder": str(found.folder), "study_page": str(found.study_page)}
    hashes = told.pop("inputs")
    # The analysis names the command that made it, and a call from Python is none.
    assert {**told, "capability": None, "inputs": {**hashes, "study/analysis.json": None}} == {
        **said,
        "inputs": {**said["inputs"], "study/analysis.json": None},
    }
    with pytest.raises(ConfigError, match="Give one of them"):
        assay.conclude(closed.folder, place, questions="a", capability="b")
    tuning = ready_assay("dpo", closed.folder, "--conclude", place, "--beta", "0.2", "--base", "x")
    assert tuning.returncode == 2
    assert "--base, --beta: the policy is tuned already" in tuning.stderr
    both = ready_assay("dpo", closed.folder, "--conclude", place, "--capability", "a", "--mmlu", "b")
    assert "Give one of them" in both.stderr
    early = ready_assay("dpo", "pairs.jsonl", "--out", "run", "--mmlu", "b")
    assert "--capability and --mmlu are read with --conclude" in early.stderr
    assert "Give the folder of the run" in ready_assay("dpo", "pairs.jsonl").stderr


@pytest.mark.slow
def test_the_demo_from_simulated_grants_to_the_verdict(tmp_path: Path) -> None:
    """The whole flow with a server in a process of its own; called again, it trains, asks and votes nothing."""
    base = tiny_policy.policy(tmp_path / "base", positions=1024)
    changes: dict[str, dict[str, object]] = {
        "model": {"base": str(base), "max_tokens": 900},
        "train": {"precision": "float32", "compile": "off"},
        "watch": {"fresh": 1, "max_new_tokens": 4},
        "study": {"max_new_tokens": 12, "plan": {"attention": 2, "repeats": 1}},
        "audit": {"resamples": 200},
    }
    lines: list[str] = []

    def demo() -> Conclusion:
        size = DemoSize(pairs=40, fresh=6, questions=20)
        return run_dpo_demo(tmp_path / "demo", size=size, changes=changes, notify=lines.append)

    found = demo()
    votes = [line for line in lines if line.startswith("votes")]
    assert len(votes) == 3
    assert all("simulated votes at http://127.0.0.1:" in line for line in votes)
    words = by_text(found)
    rate = found.analysis.find("win_rate", "judges=simulated")
    assert rate is not None
    assert rate.n > 0
    assert "win rate" not in words  # of people: nobody asks for it here
    assert words["capability drop < 0.02"][0] == "fail"
    assert found.capability is not None
    assert found.capability.outcome == "at_chance"
    people = found.analysis.find("win_rate")
    assert people is not None
    assert "only programs judged (simulated)" in str(people.reason)
    lines.clear()
    again = demo()
    assert by_text(again) == words
    assert not [line for line in lines if line.startswith("votes")]
