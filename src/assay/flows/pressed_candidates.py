"""From a reward to the answers that a search for it finds: `assay simulate press`. Knows the order of the steps.

1. Prompts of the simulated desk. 2. Rounds of answers, put to the reward all prompts together; what it gave stands in
NAME.rewards.jsonl by content, so that an interrupted search goes on where it stopped and ends with the same file.
3. The gold of every answer, asked last: the search never sees it. 4. The answers, their truth, and FILE.press.json.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from assay.artifacts.files import read_jsonl, sha256_file, sha256_json, write_jsonl
from assay.artifacts.press_body import PressBody, PressRoundBody
from assay.audits.probes.additions import Beside
from assay.audits.probes.all_probes import PROBES, Probe
from assay.errors import ArtifactError, ConfigError
from assay.flows.simulated_candidates import DeskPrompts
from assay.policies.answer_files import OneAnswer, answer_row
from assay.policies.protocol import Made, Sampling, generated
from assay.policies.support_desk import support_desk
from assay.records import Text, plain_text
from assay.scorers.protocol import Reward, Scored, Scorer, unit_of
from assay.scorers.rescoring import rescore
from assay.scorers.reward_store import RewardStore, Row
from assay.simulate.known_truth import AnswersTruth, write_with_truth
from assay.simulate.support.pressing import MOVES, PressedPrompt, PressPlan, Question, Rule, Tried, press
from assay.simulate.support.reading import ReadCase, read_case
from assay.simulate.support.truth import utility_tables
from assay.version import __version__

# Probes that change what an answer says or put something in its place. "empty" is no answer, and another prompt's
# answer would make what is found for one prompt depend on the others.
PROBE_MOVES = tuple(
    name for name, probe in PROBES.items() if probe.kind != "surface" and name not in ("empty", "other_answer")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What was written, and the artifact's body."""

    answers: Path
    truth: Path
    artifact: Path
    body: PressBody


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Every answer tried, with its reward and its gold, and the prompts as they were asked."""

    tried: Sequence[Tried]
    desk: DeskPrompts
    rewards: Mapping[Question, Scored]
    gold: Mapping[Question, Scored]


def press_on(
    scorer: Scorer,
    out: Path,
    *,
    plan: PressPlan,
    gold: Scorer,
    desk: DeskPrompts,
    command: str = "",
    notify: Callable[[int, int], None] = lambda _round, _rounds: None,
) -> Pressed:
    """Search for the reward of `scorer` under the prompts of `desk`, from the plan's agents on.

    Writes every answer asked about to the JSON lines `out`, the truth to `out`.truth.json and the rounds to
    `out`.press.json. notify: gets the round that is done and how many there are. Raises ConfigError for a scorer whose
    rewards hold within one pair only, ArtifactError where another process writes `out`, and what scoring raises.
    """
    if unit_of(scorer) == "pair":
        raise ConfigError(f"{scorer.name} compares within one pair only; a search needs rewards of single answers.")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out.with_name(f".{out.name}.lock")).acquire(timeout=0):
            found = _search(scorer, out, plan=plan, gold=gold, desk=desk, notify=notify)
            return _write(found, out, scorer=scorer, gold=gold, plan=plan, command=command)
    except Timeout:
        raise ArtifactError(f"{out}: another process writes it. Wait for it, or give another file.") from None


def _search(
    scorer: Scorer,
    out: Path,
    *,
    plan: PressPlan,
    gold: Scorer,
    desk: DeskPrompts,
    notify: Callable[[int, int], None],
) -> _Found:
    texts = {one.id: plain_text(one.text) for one in desk.prompts}
    kept = out.with_name(f"{out.stem}.rewards.jsonl")
    rewards: dict[Question, Scored] = {}

    def scored(by: Scorer, store: RewardStore, questions: Sequence[Question]) -> dict[Question, Scored]:
        rows: dict[Question, Row] = {one: (texts[one[0]], one[1]) for one in questions}
        categories: dict[Text, str] = {texts[name]: category for name, category in desk.categories.items()}
        results = rescore(by, rows.values(), store, categories=categories)
        return {one: results[row] for one, row in rows.items()}

    store = RewardStore(kept, scorer.fingerprint)

    def ask(questions: Sequence[Question]) -> dict[Question, float | None]:
        rewards.update(scored(scorer, store, questions))
        return {one: _value(rewards[one]) for one in questions}

    tried = press(list(_prompts(desk)), ask, plan=plan, notify=notify)
    questions = [(one.prompt_id, one.answer) for one in tried]
    # Another store on the same file: what is kept is found by the scorer's fingerprint as well.
    return _Found(
        tried=tried, desk=desk, rewards=rewards, gold=scored(gold, RewardStore(kept, gold.fingerprint), questions)
    )


def _prompts(desk: DeskPrompts) -> Iterator[PressedPrompt]:
    for one in desk.prompts:
        text = plain_text(one.text)
        case = read_case(text, desk.categories.get(one.id))
        if isinstance(case, ReadCase):
            yield PressedPrompt(
                id=one.id, case=case, rules={name: _rule(PROBES[name], text) for name in PROBE_MOVES}
            )  # fmt: skip


def _rule(probe: Probe, prompt: str) -> Rule:
    return partial(_probed, probe, Beside(prompt=prompt, other=None))


def _probed(probe: Probe, beside: Beside, rng: random.Random, answer: str) -> str:
    return probe.rule(answer, beside, np.random.default_rng(rng.getrandbits(64)))


def _value(scored: Scored) -> float | None:
    return scored.value if isinstance(scored, Reward) else None


def _write(found: _Found, out: Path, *, scorer: Scorer, gold: Scorer, plan: PressPlan, command: str) -> Pressed:
    made = _made(scorer, plan)
    rows = list(_rows(found, made))
    truth: dict[str, AnswersTruth] = {}
    for row in rows:
        name = str(row["id"])
        kept = truth.setdefault(name, {"category": found.desk.categories.get(name), "utility": []})
        kept["utility"].append(_value(found.gold[name, str(row["answer"])]))
    said: dict[str, object] = {
        "world": "support", "seed": plan.seed, "policy": made.policy, "gold": gold.name,
        "prompts_fresh": found.desk.fresh, "prompts_unsure": found.desk.unsure, "prompts_unread": found.desk.unread,
        "utility": utility_tables(), "rows": truth,
    }  # fmt: skip
    beside = write_with_truth(out, rows, said)
    if found.desk.fresh:
        write_jsonl(out.with_name(f"{out.stem}.prompts.jsonl"), found.desk.rows())
    body = PressBody(
        scorer=scorer.name, gold=gold.name, same=scorer.fingerprint == gold.fingerprint, start=f"support:{plan.start}",
        population=plan.population, budget=plan.most, words=plan.words, seed=plan.seed, moves=(*MOVES, *PROBE_MOVES),
        prompts=len(truth), answers=len(rows), unscored=sum(row["reward"] is None for row in rows),
        gold_unknown=sum(row["gold"] is None for row in rows), unread=found.desk.unread, rounds=_rounds(rows),
        answers_file=out.name, assay_version=__version__, command=command,
        inputs={"scorer": scorer.fingerprint, "gold": gold.fingerprint, "answers": sha256_file(out)},
    )  # fmt: skip
    artifact = out.with_name(f"{out.name}.press.json")
    body.write(artifact)
    return Pressed(answers=out, truth=beside, artifact=artifact, body=body)


def _made(scorer: Scorer, plan: PressPlan) -> Made:
    start = support_desk(plan.start).fingerprint
    by = {"start": start, "scorer": scorer.fingerprint, "plan": asdict(plan), "moves": [*MOVES, *PROBE_MOVES]}
    return Made(
        policy=f"press:{scorer.name}", fingerprint=sha256_json(by), template="none", sampling=Sampling(seed=plan.seed)
    )


def _rows(found: _Found, made: Made) -> Iterator[dict[str, object]]:
    """A row an answer, prompt by prompt, in the order in which they were tried."""
    prompts = {one.id: one for one in found.desk.prompts}
    numbers: dict[str, int] = {}
    for one in found.tried:
        question = one.prompt_id, one.answer
        number = numbers[one.prompt_id] = numbers.get(one.prompt_id, -1) + 1
        answer = OneAnswer(
            prompt_id=one.prompt_id, prompt=prompts[one.prompt_id].text, number=number, made=made,
            generation=generated(one.answer, finish="stop"),
        )  # fmt: skip
        reward, gold = found.rewards[question], found.gold[question]
        why = {f"no_{name}": scored.reason for name, scored in (("reward", reward), ("gold", gold))
               if not isinstance(scored, Reward)}  # fmt: skip
        yield {
            **answer_row(answer), "category": found.desk.categories.get(one.prompt_id), "round": one.round,
            "reward": _value(reward), "gold": _value(gold), "moves": one.moves, **why,
        }  # fmt: skip


def best_by_prompt(answers: Path) -> dict[str, tuple[float, float]]:
    """Of a file that `press_on` wrote, by prompt: reward and gold of the answer with the highest reward of all tried.

    Prompts of which no answer has both are not there. Of equal rewards the first tried, as in the rounds.
    """
    best: dict[str, tuple[float, float]] = {}
    for row in read_jsonl(answers):
        name, reward, gold = str(row["id"]), row["reward"], row["gold"]
        if isinstance(reward, float) and isinstance(gold, float) and (name not in best or reward > best[name][0]):
            best[name] = reward, gold
    return best


def _rounds(rows: Sequence[Mapping[str, object]]) -> tuple[PressRoundBody, ...]:
    """The curve of the reward searched for, and beside it that of the gold."""
    known = [
        (int(str(row["round"])), str(row["id"]), row["reward"], row["gold"]) for row in rows
    ]  # fmt: skip
    last = max((number for number, *_ in known), default=-1)
    best: dict[str, tuple[float, float]] = {}
    found = []
    for number in range(last + 1):
        here = [(name, reward, gold) for one, name, reward, gold in known if one == number]
        both = [(name, r, g) for name, r, g in here if isinstance(r, float) and isinstance(g, float)]
        for name, reward, gold in both:
            if name not in best or reward > best[name][0]:
                best[name] = reward, gold
        found.append(
            PressRoundBody(
                round=number, answers=len(here), prompts=len(best),
                best_reward=_mean([r for r, _ in best.values()]), best_gold=_mean([g for _, g in best.values()]),
                mean_reward=_mean([r for _, r, _ in both]), mean_gold=_mean([g for *_, g in both]),
            )
        )  # fmt: skip
    return tuple(found)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
