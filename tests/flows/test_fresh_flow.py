"""A reward on fresh pairs, from a policy's answers to the verdict: resumed, blind, and refused where it must be."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from assay.artifacts.files import read_json, read_jsonl, sha256_file, write_jsonl
from assay.artifacts.fresh_body import FreshBody, FreshPairsBody
from assay.errors import ArtifactError, ConfigError, EmptyBatchError, InputError, StudyError
from assay.flows.audit import ScorerAuditConfig, audit_scorer
from assay.flows.fresh import FreshAsking, FreshRunConfig, fresh_pairs
from assay.flows.fresh_conclusion import FreshConclusion, conclude_fresh, decide_fresh
from assay.flows.fresh_tables import KpiSource
from assay.gate import decide_run
from assay.gate.criteria import read_criteria
from assay.policies.local_policy import LocalPolicy
from assay.policies.protocol import Generations, Prompt, Sampling
from assay.policies.recorded_answers import RecordedPolicy
from assay.study.plan.link_table import read_links
from assay.study.store.closing import close_study
from assay.study.store.database import open_database
from assay.study.store.open_study import items_of, slots_of
from tests.study.harness import Browser, in_thread
from tests.support import fresh_world as world
from tests.support import tiny_policy
from tests.support.made_run import make_run

REWARD = "baseline:longest"
SMALL = {"fresh": {"votes": 70, "unsure": 10}}


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reward's audit on held-out pairs, of which nine in ten prefer the longer answer."""
    folder = tmp_path_factory.mktemp("static")
    audit_scorer(REWARD, str(world.pairs(folder, n=200)), folder / "audit", config=ScorerAuditConfig())
    return folder


@pytest.fixture(scope="module")
def made(static: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fresh pairs of a recorded policy, without a study."""
    folder = tmp_path_factory.mktemp("made")
    form(folder, static)
    return folder


def form(
    folder: Path, static: Path | None, *, prompts: int = 110, editors: int = 0, changes: dict[str, object] | None = None
) -> FreshPairsBody:
    path = world.recorded(folder, prompts=prompts)
    asking = FreshAsking(
        editors=editors,
        data=None if static is None else str(static / "held_out.jsonl"),
        static=None if static is None else static / "audit",
    )
    config = FreshRunConfig.build(changes or SMALL)
    return fresh_pairs(
        REWARD, RecordedPolicy(path), world.prompts_of(path), folder / "out", asking=asking, config=config
    )


def joined(folder: Path, **told: object) -> FreshBody:
    return conclude_fresh(folder / "out", FreshConclusion(**told))  # type: ignore[arg-type]


def figure(body: FreshBody, name: str, where: str = "overall") -> float | None:
    return next(one.value for one in body.findings if (one.name, one.slice) == (name, where))


def test_pairs_are_formed_chosen_and_told_what_their_votes_buy(made: Path, static: Path) -> None:
    again = form(made, static)
    rows = list(read_jsonl(made / "out" / "fresh_pairs.jsonl"))
    assert again.formed == len(rows) == 110
    uses = [row["purpose"] for row in rows]
    assert (uses.count("estimate"), uses.count("unsure")) == (again.votes, again.unsure) == (70, 10)
    for row in rows:
        assert row["margins"] == {"0": len(row["answer_a"]) - len(row["answer_b"])}
    shown = list(read_jsonl(made / "out" / "for_people.jsonl"))
    assert {row["id"] for row in shown} == {row["id"] for row in rows if row["purpose"] != "unasked"}
    assert [row["id"] for row in shown] != [row["id"] for row in rows if row["purpose"] != "unasked"]
    assert all(set(row) == {"id", "prompt", "answer_a", "answer_b"} for row in shown)
    assert again.static.value == pytest.approx(0.9, abs=0.06)
    width = {row.votes: row for row in again.widths}
    assert width[70].accuracy > width[400].accuracy
    assert width[70].drop is not None
    assert width[70].drop > width[70].accuracy  # the held-out figure is not known exactly either
    assert again.study is None


def test_labels_and_a_judge_end_in_accuracy_beside_the_held_out_one_and_the_drop(made: Path, tmp_path: Path) -> None:
    labels = world.judged(made / "out", tmp_path / "judged.jsonl", ties=("q3", "q5"))
    judge = world.judge(made / "out", tmp_path / "judge.jsonl", some=0.9)
    (tmp_path / "kpis.csv").write_text("version,reward,csat\nv1,1,4\nv2,2,3\n")
    (tmp_path / "kl.csv").write_text("step,kl\n0,0\n9,2.5\n")
    body = joined(
        made, reward=REWARD, labels=str(labels), judge=str(judge), drift=tmp_path / "kl.csv",
        kpis=KpiSource(kpis=tmp_path / "kpis.csv"),
    )  # fmt: skip
    rows = [row for row in read_jsonl(made / "out" / "fresh_pairs.jsonl") if row["purpose"] == "estimate"]
    right = [(row["margins"]["0"] > 0) == (world.liked(row) == "a") for row in rows if row["id"] not in ("q3", "q5")]
    assert figure(body, "fresh_accuracy_alone") == pytest.approx(sum(right) / len(right))
    assert body.votes.asked == body.votes.labelled == 70
    assert body.votes.decided == len(right)
    assert figure(body, "fresh_drop") == pytest.approx(body.static.value - figure(body, "fresh_accuracy"))  # type: ignore[operator]
    assert body.judge is not None
    assert body.judge.left_out == ""
    assert body.judge.labelled + sum(body.judge.missing.values()) == 110
    assert sum(body.judge.missing.values()) > 0
    assert (figure(body, "votes_saved") or 0) > 3  # most pairs are labelled by people: little is left to save
    assert body.kpis is not None
    assert [one.kpi for one in body.kpis.falls] == ["csat"]
    assert figure(body, "kpi_falls") == 1
    page = (made / "out" / "fresh.html").read_text()
    assert "certifies nothing" in page
    assert "csat went from 4 to 3 between v1 and v2" in page
    assert FreshBody.read(made / "out" / "fresh.json") == body


def test_the_gate_decides_on_fresh_figures(made: Path, tmp_path: Path) -> None:
    joined(made, labels=str(world.judged(made / "out", tmp_path / "judged.jsonl")))
    verdict = decide_fresh(made / "out", read_criteria(["fresh accuracy > 0.5", "fresh accuracy > 0.95"]))
    assert [one.verdict for one in verdict.criteria] == ["pass", "fail"]
    assert verdict.criteria[0].counted == "fresh pair"
    assert "fresh pairs" in verdict.criteria[0].reason
    assert read_json(made / "out" / "gate.json", "gate/2")["verdict"] == "fail"
    near = decide_fresh(made / "out", read_criteria(["fresh accuracy > 0.72", "fresh drop < 0.1"]))
    assert near.criteria[0].verdict == "undecided"
    assert near.criteria[0].more_pairs is not None


def test_the_reward_itself_is_no_judge_of_itself(made: Path, tmp_path: Path) -> None:
    labels = world.judged(made / "out", tmp_path / "judged.jsonl")
    judged = made / "out" / "judged.jsonl"
    before = judged.read_bytes() if judged.exists() else b""
    body = joined(made, labels=str(labels), judge=REWARD)
    assert body.judge is not None
    assert "share weights" in body.judge.left_out
    assert figure(body, "fresh_accuracy") == figure(body, "fresh_accuracy_alone")
    assert (judged.read_bytes() if judged.exists() else b"") == before  # and it was not asked at all
    other = joined(made, labels=str(labels), judge=f"ensemble:{REWARD},baseline:shortest")
    assert other.judge is not None
    assert other.judge.shared == [REWARD]


def test_killed_anywhere_the_same_call_ends_with_the_same_pairs(made: Path, static: Path, tmp_path: Path) -> None:
    """Without the last file, and with torn ones: what was had is not asked for again."""
    shutil.copytree(made / "out", tmp_path / "out")
    names = ("fresh_pairs.jsonl", "for_people.jsonl", "answers.jsonl")
    before = {name: sha256_file(made / "out" / name) for name in names}
    for name in ("fresh_pairs.json", "fresh_pairs.jsonl"):
        (tmp_path / "out" / name).unlink()
    scored = tmp_path / "out" / "scored.jsonl"
    scored.write_bytes(scored.read_bytes()[:-20])
    form(tmp_path, static)
    assert {name: sha256_file(tmp_path / "out" / name) for name in names} == before
    assert len(scored.read_bytes().splitlines()) == 110


def test_other_pairs_in_the_folder_are_refused(made: Path, static: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"changed: draw\)"):
        form(made, static, changes={"fresh": {"votes": 71, "unsure": 10}})
    shutil.copytree(made, tmp_path / "made")
    path = tmp_path / "made" / "out" / "fresh_pairs.jsonl"
    path.write_bytes(path.read_bytes().replace(b"alpha", b"omega", 1))
    with pytest.raises(ArtifactError, match="Restore it"):
        joined(tmp_path / "made", labels="none.jsonl")
    with pytest.raises(ArtifactError, match="of the reward baseline:longest, and baseline:shortest was given"):
        joined(made, reward="baseline:shortest", labels="none.jsonl")
    with pytest.raises(ArtifactError, match="holds no fresh pairs"):
        conclude_fresh(tmp_path / "none", FreshConclusion(labels="x"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    with pytest.raises(InputError, match=r"holds run\.json of something else"):
        fresh_pairs(REWARD, RecordedPolicy(made / "answers.jsonl"), [Prompt(id="q", text="x")], tmp_path / "run")


def test_labels_of_other_pairs_and_of_nothing(made: Path, tmp_path: Path) -> None:
    rows = list(read_jsonl(world.judged(made / "out", tmp_path / "judged.jsonl")))
    strange = {"prompt": "who?", "answer_a": "x", "answer_b": "y", "winner": "A"}
    write_jsonl(tmp_path / "more.jsonl", [*rows, strange])
    with pytest.raises(InputError, match=r"1 of 81 pairs are none of the 110 fresh pairs, the first on .who\?"):
        joined(made, labels=str(tmp_path / "more.jsonl"))
    with pytest.raises(ConfigError, match="one of the two"):
        joined(made)
    write_jsonl(tmp_path / "some.jsonl", rows[:30])
    body = joined(made, labels=str(tmp_path / "some.jsonl"))
    assert body.votes.labelled + body.votes.unsure_labelled == 30
    assert any("have no vote" in note for note in body.notes)


def test_prompts_of_the_rewards_own_data_are_set_aside_by_name(static: Path, tmp_path: Path) -> None:
    path = world.recorded(tmp_path, prompts=12)
    rows = [{"prompt": world.prompt_text(k), "chosen": "x y", "rejected": "z"} for k in range(3)]
    rows.append({"prompt": world.prompt_text(3).upper(), "chosen": "x y", "rejected": "z"})
    write_jsonl(tmp_path / "data.jsonl", rows)
    asking = FreshAsking(editors=0, data=str(tmp_path / "data.jsonl"))
    policy = RecordedPolicy(path)
    body = fresh_pairs(REWARD, policy, world.prompts_of(path), tmp_path / "out", asking=asking)
    assert body.leaks.same + body.leaks.near == body.aside["leaked"] == 4
    aside = {row["prompt_id"]: row["detail"] for row in read_jsonl(tmp_path / "out" / "set_aside.jsonl")}
    assert set(aside) == {"q0", "q1", "q2", "q3"}
    assert {row["id"] for row in read_jsonl(tmp_path / "out" / "answers.jsonl")}.isdisjoint(aside)
    with pytest.raises(InputError, match=r"All 3 prompts stood in the reward's own data"):
        fresh_pairs(REWARD, policy, world.prompts_of(path)[:3], tmp_path / "all", asking=asking)
    unknown = fresh_pairs(REWARD, policy, world.prompts_of(path), tmp_path / "none", asking=FreshAsking(editors=0))
    assert unknown.leaks.looked is None
    assert "--data FILE" in unknown.leaks.reason
    assert unknown.static.value is None


def test_empty_and_equal_answers_make_no_pair_and_are_counted(tmp_path: Path) -> None:
    def answer(prompt: int, number: int) -> str:
        return {0: "", 1: "the same", 2: "" if number else "alone"}.get(prompt % 4, f"answer {number} of {prompt}")

    path = world.recorded(tmp_path, prompts=40, answer=answer)
    policy = RecordedPolicy(path)
    body = fresh_pairs(REWARD, policy, world.prompts_of(path), tmp_path / "out", asking=FreshAsking(editors=0))
    assert (body.formed, body.aside) == (10, {"one_answer": 20, "equal_answers": 10})
    assert (body.policy.answers, body.policy.unanswered) == (90, 70)
    aside = {row["prompt_id"]: row["detail"] for row in read_jsonl(tmp_path / "out" / "set_aside.jsonl")}
    assert aside["q0"] == "0 of 4 answers have a text (4: the answer is empty)"
    assert aside["q1"] == "4 of 4 answers have a text, and all say the same"
    only = [prompt for prompt in world.prompts_of(path) if int(prompt.id[1:]) % 4 == 0]
    with pytest.raises(EmptyBatchError, match="10 one answer"):
        fresh_pairs(REWARD, policy, only, tmp_path / "empty", asking=FreshAsking(editors=0))
    with pytest.raises(ConfigError, match="at least 2 each"):
        fresh_pairs(REWARD, policy, only, tmp_path / "one", asking=FreshAsking(n=1))


class Mute:
    """A policy that says nothing."""

    name = fingerprint = "mute"

    def generate(self, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
        from assay.policies.protocol import Made, generated

        made = Made(policy="mute", fingerprint="mute", template="none", sampling=sampling)
        answers = tuple(generated(" ") for _ in range(n))
        return [Generations(prompt_id=p.id, prompt=p.text, answers=answers, made=made) for p in prompts]


def test_a_policy_that_says_nothing_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(EmptyBatchError, match=r"the answer is empty.*another policy"):
        fresh_pairs(REWARD, Mute(), [Prompt(id="q", text="why?")], tmp_path / "out", asking=FreshAsking(editors=0))


def test_an_audit_of_another_scorer_is_refused(static: Path, tmp_path: Path) -> None:
    path = world.recorded(tmp_path, prompts=3)
    asking = FreshAsking(editors=0, static=static / "audit")
    with pytest.raises(InputError, match="is of another scorer"):
        fresh_pairs("baseline:shortest", RecordedPolicy(path), world.prompts_of(path), tmp_path / "out", asking=asking)


def test_a_study_is_judged_over_a_real_server_and_concluded(static: Path, tmp_path: Path) -> None:
    """Two people of one mind judge each pair; a study of other pairs, and an open one, are refused."""
    body = form(tmp_path, static, prompts=16, editors=2, changes={"fresh": {"votes": 9, "unsure": 3}})
    assert body.study is not None
    place = str(tmp_path / "out" / body.study.study)
    with pytest.raises(StudyError, match=r"open|close"):
        joined(tmp_path, study=place)
    vote_by_length(place)
    close_study(place)
    found = joined(tmp_path, study=place)
    assert (found.votes.counted, found.votes.judges) == ("human", 2)
    assert (found.votes.labelled, found.votes.unsure_labelled, found.votes.votes) == (9, 3, 24)
    assert figure(found, "fresh_accuracy") == 1.0  # people took the longer answer, as the reward does
    assert figure(found, "unsure_accuracy") == 1.0
    assert form(tmp_path, static, prompts=16, editors=2, changes={"fresh": {"votes": 9, "unsure": 3}}) == body
    other = tmp_path / "other"
    other.mkdir()
    form(other, static, prompts=14, changes={"fresh": {"votes": 3, "unsure": 0, "seed": 9}})
    with pytest.raises(StudyError, match="are none of these fresh pairs"):
        joined(other, study=place)


def test_who_fails_the_attention_items_is_left_out_and_counted(static: Path, tmp_path: Path) -> None:
    """Two people prefer long answers and are awake; a third takes the other answer of everything, known ones too."""
    body = form(tmp_path, static, prompts=16, editors=3, changes={"fresh": {"votes": 9, "unsure": 3}})
    assert body.study is not None
    place = str(tmp_path / "out" / body.study.study)
    vote_by_length(place, contrary="editor-3")
    close_study(place)
    found = joined(tmp_path, study=place)
    assert (found.votes.judges, found.votes.votes, found.votes.failed, found.votes.failed_votes) == (2, 24, 1, 12)
    assert any(note.startswith("1 person with 12 votes on these pairs judged under 60%") for note in found.notes)
    assert "1 person with 12 votes on these pairs" in (tmp_path / "out" / "fresh.html").read_text()
    said = FreshConclusion(study=place)
    kept = conclude_fresh(tmp_path / "out", said, config=FreshRunConfig.build({"fresh": {"failed_attention": "keep"}}))
    assert (kept.votes.judges, kept.votes.votes, kept.votes.failed) == (3, 36, 1)


def vote_by_length(place: str, contrary: str = "") -> None:
    """Everybody prefers the longer answer, on whichever side it stands, and knows the known ones; but for one."""
    with closing(open_database(place)) as database, database.begin() as connection:
        longer = {
            item.id: item.known or ("a" if len(item.answer_a) > len(item.answer_b) else "b")
            for item in items_of(connection)
        }
        liked = {slot.showing: "left" if slot.left == longer[slot.item] else "right" for slot in slots_of(connection)}
    with in_thread(place) as site:
        for who, link in read_links(Path(place)).items():
            if who != "owner":
                person = Browser(site.port)
                person.enter(link.rpartition("/")[2])
                while 'action="/vote"' in (page := person.get("/judge")).body:
                    side = liked[page.field("showing")]
                    if who == contrary:
                        side = {"left": "right", "right": "left"}[side]
                    assert person.vote(page, side).status == 303


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_local_policy_a_trained_reward_and_simulated_voters(tmp_path: Path) -> None:
    """A tiny random policy, a run of two seeds, votes of simulated judges over a server: named as such everywhere."""
    from assay.data import read_pairs
    from assay.flows.reward import run_reward
    from assay.study.program_client import JudgeClient
    from assay.train.reward_config import RewardConfig
    from tests.support import tiny_bases as tiny

    rows = [
        {"prompt": f"w{k % 40} w{k // 40} w{k % 7}", "chosen": pair.chosen, "rejected": pair.rejected}
        for k, pair in enumerate(tiny.pairs(120))
    ]
    write_jsonl(tmp_path / "pairs.jsonl", rows)
    config = RewardConfig.build(
        {
            "model": {"base": str(tiny.base(tmp_path / "base")), "max_tokens": 64},
            "split": {"holdout": 30},
            "train": {"seeds": [0, 1], "epochs": 1, "precision": "float32", "compile": "off"},
        }
    )
    run_reward(str(tmp_path / "pairs.jsonl"), tmp_path / "run", config=config)
    policy = LocalPolicy(str(tiny_policy.policy(tmp_path / "policy")))
    known = [pair.prompt for pair in read_pairs(str(tmp_path / "pairs.jsonl")).pairs]
    prompts = [Prompt(id=f"f{k}", text=f"w{k} w{k + 1} w39 w38") for k in range(30)]
    prompts += [Prompt(id="known", text=known[0])]
    asking = FreshAsking(n=3, sampling=Sampling(max_tokens=6), editors=0, simulated=("robot",))
    small = FreshRunConfig.build({"fresh": {"votes": 20, "unsure": 5}})
    body = fresh_pairs(str(tmp_path / "run"), policy, prompts, tmp_path / "out", asking=asking, config=small)
    assert body.aside["leaked"] >= 1
    assert body.static.source.endswith("audit.json")
    assert set(next(iter(read_jsonl(tmp_path / "out" / "fresh_pairs.jsonl")))["margins"]) == {"0", "1"}
    assert body.study is not None
    place = str(tmp_path / "out" / body.study.study)
    with in_thread(place) as site:
        link = read_links(Path(place))["robot"].rpartition("/")[2]
        client = JudgeClient(f"{site.base}/s/{link}", announced="simulated")
        for item in client:
            client.vote(item, "left" if len(item.left) > len(item.right) else "right")
        client.close()
    close_study(place)
    seed = tmp_path / "run" / "seed-0" / "model"
    found = conclude_fresh(tmp_path / "out", FreshConclusion(study=place, judge=str(seed)))
    assert found.votes.counted == "simulated"
    assert figure(found, "fresh_accuracy") is None
    assert figure(found, "fresh_accuracy", "judges=simulated") is not None
    assert "No person voted" in found.notes[0]
    assert found.judge is not None
    assert "share weights" in found.judge.left_out  # a seed of the reward is the reward
    words = [one.verdict for one in decide_fresh(tmp_path / "out", read_criteria([
        "fresh accuracy > 0.01", "judges simulated fresh accuracy > 0.01",
    ])).criteria]  # fmt: skip
    assert words == ["fail", "pass"]


def test_a_run_is_decided_with_fresh_pairs_beside_it(made: Path, tmp_path: Path) -> None:
    """The same evidence is one look; other votes on fresh pairs are another."""
    run = make_run(tmp_path / "run", simulated=False)
    joined(made, labels=str(world.judged(made / "out", tmp_path / "judged.jsonl")))
    verdict = decide_run(run, "ppo-ready", beside=[made / "out"])
    found = {one.text: one for one in verdict.criteria}
    assert found["no prompt overlap"].verdict == "pass"
    assert found["fresh accuracy > 0.8"].value == figure(FreshBody.read(made / "out" / "fresh.json"), "fresh_accuracy")
    assert found["turning point >= 16 by point"].verdict == found["fit"].verdict == "fail"
    assert verdict.inputs["fresh.json"] == sha256_file(made / "out" / "fresh.json")
    assert verdict.looks is not None
    decide_run(run, "ppo-ready", beside=[made / "out"])
    joined(made, labels=str(world.judged(made / "out", tmp_path / "other.jsonl", ties=("q1", "q2", "q3"))))
    again = decide_run(run, "ppo-ready", beside=[made / "out"])
    assert again.looks is not None
    assert again.looks.number == verdict.looks.number + 1
