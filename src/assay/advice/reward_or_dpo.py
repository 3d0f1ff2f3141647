"""Explicit reward model, DPO, or both: needs -> reasons that lean each way -> a choice, and what would turn it.

A rule is a condition on the needs, a side, a weight, a sentence and where it is from. All that apply are told, those
that lost too. Weights are judgement: 3 decides unless another 3 stands against it, 1 tips a balance. Knows no run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from assay.errors import ConfigError

Use = Literal["tune", "online", "rerank", "inspect"]
Side = Literal["reward", "dpo"]
Choice = Literal["reward", "dpo", "both"]
Compute = Literal["small", "one", "several"]
YesNo = Literal["yes", "no"]
USES: dict[Use, str] = {
    "tune": "a model that writes as people prefer, from pairs that are there",
    "online": "optimise a policy against a score of its own fresh answers (PPO, GRPO)",
    "rerank": "choose the best of several answers, at any time (best-of-n)",
    "inspect": "a score that can be looked at, audited, calibrated, monitored",
}
CLOSE = 1  # a lead no larger than this is no choice
FEW = 1000  # pairs
AGREED = 3  # votes a pair from which labels are taken to be clean
JUDGEMENT = "judgement, no source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the user needs and has. None: not said, and then no rule asks for it.

    uses: what the preference is for. pairs: how many. votes: per pair. own_answers: whether the answers in the pairs
    are of the model to be tuned. objectives: how many are labelled apart. compute: a CPU or small GPU, one large GPU,
    several. judges: whether people can judge fresh answers blind.
    """

    uses: tuple[Use, ...] = ()
    pairs: int | None = None
    votes: float | None = None
    own_answers: YesNo | None = None
    objectives: int | None = None
    compute: Compute | None = None
    judges: YesNo | None = None

    def __post_init__(self) -> None:
        """Raises ConfigError for what cannot be."""
        if strange := [use for use in self.uses if use not in USES]:
            raise ConfigError(f"--use {strange[0]}: not a use. Known: {', '.join(USES)}.")
        for name, least in (("pairs", 1), ("votes", 0), ("objectives", 1)):
            value = getattr(self, name)
            if value is not None and not least <= value < float("inf"):  # nan too is refused
                raise ConfigError(f"--{name} is {value}; give at least {least}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why one side. weight: 1 tips, 2 counts, 3 decides. source: arXiv number and venue, or that it is judgement."""

    leans: Side
    weight: int
    text: str
    source: str = JUDGEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """first: what to try. reasons: all that apply, the heaviest first. turns: what would change it, and to what.

    commands: to run next, with capital letters for what only the user knows.
    """

    first: Choice
    sentence: str
    reasons: tuple[Reason, ...]
    turns: tuple[tuple[str, Choice], ...]
    cautions: tuple[str, ...]
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason, and when it holds."""

    holds: Callable[[Needs], bool]
    reason: Reason


def _reward(weight: int, text: str, source: str = JUDGEMENT) -> Reason:
    return Reason(leans="reward", weight=weight, text=text, source=source)


def _dpo(weight: int, text: str, source: str = JUDGEMENT) -> Reason:
    return Reason(leans="dpo", weight=weight, text=text, source=source)


RULES: tuple[Rule, ...] = (
    Rule(
        lambda needs: "online" in needs.uses,
        _reward(
            3,
            "PPO and GRPO ask for a score of every fresh answer; a policy's implicit reward leans on token cues and "
            "generalises worse to new answers than an explicit head on the same pairs",
            "arXiv 2507.07981, ICLR 2026",
        ),
    ),
    Rule(
        lambda needs: "rerank" in needs.uses,
        _reward(
            3,
            "choosing among answers needs a score of answers nobody has compared, in one pass of one small model; an "
            "implicit reward takes two large ones and generalises worse",
            "arXiv 2507.07981, ICLR 2026",
        ),
    ),
    Rule(
        lambda needs: "inspect" in needs.uses,
        _reward(2, "an explicit score can be audited, calibrated, served and compared apart from any policy"),
    ),
    Rule(
        lambda needs: "tune" in needs.uses,
        _dpo(
            3,
            "one training on pairs that are there, without sampling and without a second model; on the same data DPO "
            "ended at 60.3, about where PPO levelled off with the best of 17 rewards",
            "RewardBench 2, arXiv 2506.01937, table 8",
        ),
    ),
    Rule(
        lambda needs: (needs.objectives or 1) > 1,
        _reward(2, "several objectives stay apart in several rewards and can be weighed anew; DPO bakes one mix in"),
    ),
    Rule(
        lambda needs: needs.own_answers == "yes",
        _dpo(1, "the pairs are the model's own answers, the nearest that offline training comes to online"),
    ),
    Rule(
        lambda needs: needs.own_answers == "no",
        _reward(
            1,
            "the pairs are other models' answers: DPO moves probabilities of texts that this model does not write, and "
            "both may fall; a reward can be asked about its own",
            "likelihood displacement: arXiv 2410.08847, ICLR 2025",
        ),
    ),
    Rule(
        lambda needs: needs.votes is not None and needs.votes >= AGREED,
        _dpo(1, "several votes a pair make clean offline pairs, which is what DPO takes its labels for"),
    ),
    Rule(
        lambda needs: needs.votes is not None and needs.votes < 2,
        _reward(
            1,
            "labels of one vote are as noisy as one person; an explicit reward shows turned labels before anything is "
            "optimised, and 10 points more noise can cost 30 points of win rate",
            "arXiv 2404.09824",
        ),
    ),
    Rule(
        lambda needs: needs.pairs is not None and needs.pairs < FEW,
        _reward(1, f"under {FEW:,} pairs a small head learns what there is, and its audit says whether to go on"),
    ),
    Rule(
        lambda needs: needs.compute == "small" and "online" in needs.uses,
        _dpo(2, "online optimisation holds policy, reference, reward and sampling at once; this machine holds one"),
    ),
    Rule(
        lambda needs: needs.compute == "small" and "online" not in needs.uses and "tune" not in needs.uses,
        _reward(1, "a small encoder as reward trains on two CPU cores; a policy has to be as large as it must be"),
    ),
    Rule(
        lambda needs: needs.judges == "yes",
        _dpo(1, "people can judge blind, which is the only proof of a tuned policy"),
    ),
    Rule(
        lambda needs: needs.judges == "no",
        _reward(1, "nobody can judge fresh answers: held-out pairs prove a reward, and say little of a tuned policy"),
    ),
)  # fmt: skip

# What else could be said of each need, to see what would turn the advice.
OTHERWISE: tuple[tuple[str, Callable[[Needs], Needs]], ...] = (
    ("if answers were to be reranked", lambda needs: _with_use(needs, "rerank")),
    ("if a policy were to be optimised online", lambda needs: _with_use(needs, "online")),
    ("if the score itself were to be inspected", lambda needs: _with_use(needs, "inspect")),
    ("if a tuned model were wanted as well", lambda needs: _with_use(needs, "tune")),
    ("if only a tuned model were wanted", lambda needs: replace(needs, uses=("tune",))),
    ("if several objectives were labelled apart", lambda needs: replace(needs, objectives=2)),
    ("if one objective were enough", lambda needs: replace(needs, objectives=1)),
    ("if the pairs were the model's own answers", lambda needs: replace(needs, own_answers="yes")),
    ("if the pairs were other models' answers", lambda needs: replace(needs, own_answers="no")),
    ("if each pair had three votes", lambda needs: replace(needs, votes=3)),
    ("if each pair had one vote", lambda needs: replace(needs, votes=1)),
    (f"if there were {FEW:,} pairs or more", lambda needs: replace(needs, pairs=max(needs.pairs or FEW, FEW))),
    ("if nobody could judge blind", lambda needs: replace(needs, judges="no")),
    ("if people could judge blind", lambda needs: replace(needs, judges="yes")),
)


def advise(needs: Needs) -> Advice:
    """What to try first. Raises ConfigError where no use is named: without one nothing leans anywhere."""
    if not needs.uses:
        raise ConfigError(f"Say what the preference is for: --use, one or more of {', '.join(USES)}.")
    reasons = reasons_for(needs)
    first = choice_of(reasons)
    turns = [(said, choice_of(reasons_for(other(needs)))) for said, other in OTHERWISE]
    return Advice(
        first=first,
        sentence=sentence_of(first, reasons),
        reasons=reasons,
        turns=tuple((said, other) for said, other in turns if other != first),
        cautions=cautions_of(needs),
        commands=commands_of(first, needs),
    )


def reasons_for(needs: Needs) -> tuple[Reason, ...]:
    """Every reason that holds, the heaviest first, in the order of the rules among equals."""
    return tuple(sorted((rule.reason for rule in RULES if rule.holds(needs)), key=lambda one: -one.weight))


def choice_of(reasons: tuple[Reason, ...]) -> Choice:
    """The side with more weight; both where each has a reason that decides, or the lead is no more than CLOSE."""
    weight = {side: sum(one.weight for one in reasons if one.leans == side) for side in ("reward", "dpo")}
    decisive = {one.leans for one in reasons if one.weight >= 3}
    lead = weight["reward"] - weight["dpo"]
    if len(decisive) == 2 or (abs(lead) <= CLOSE and all(weight.values())):
        return "both"
    return "reward" if lead > 0 else "dpo"


def sentence_of(first: Choice, reasons: tuple[Reason, ...]) -> str:
    """The advice in a sentence."""
    if first == "both":
        return "Both: train an explicit reward and tune by DPO on the same split, then compare them on the same pairs."
    strongest = next(one for one in reasons if one.leans == first)
    what = "an explicit reward model" if first == "reward" else "DPO"
    return f"First {what}: {strongest.text}."


def cautions_of(needs: Needs) -> tuple[str, ...]:
    """What to mind whichever is tried."""
    found = []
    if "online" in needs.uses:
        found.append(
            "An accurate reward that hardly varies over the policy's own answers gives nothing to climb: look at its "
            "variance on fresh answers first (arXiv 2503.15477, NeurIPS 2025)."
        )
    if "rerank" in needs.uses:
        found.append(
            "Accuracy on pairs is not choosing well among many: scores that correlated 0.47 overall recovered 21% of "
            "what best-of-n could gain (arXiv 2603.12520). Measure on candidates."
        )
    if needs.pairs is not None and needs.pairs < FEW:
        found.append("Few pairs hold out few: `assay plan` says how many a verdict takes.")
    return tuple(found)


def commands_of(first: Choice, needs: Needs) -> tuple[str, ...]:
    """What to run next; one holdout and one split seed, so that both see the same pairs."""
    holdout = 300 if needs.pairs is None or needs.pairs >= FEW else max(needs.pairs // 5, 1)
    reward = f"assay reward DATA --base MODEL --holdout {holdout} --seeds 3 --out runs/reward"
    dpo = f"assay dpo DATA --base MODEL --holdout {holdout} --out runs/dpo --fresh PROMPTS.jsonl"
    end = "assay dpo runs/dpo --conclude runs/dpo/study/study.db --mmlu QUESTIONS"
    found = ["assay check DATA --out checked"]
    if first in ("reward", "both"):
        found.append(reward)
    if first in ("dpo", "both"):
        found += [dpo, end]
    if first == "both":
        found.append("assay advise --reward runs/reward --dpo runs/dpo --out compared")
    return tuple(found)


def _with_use(needs: Needs, use: Use) -> Needs:
    return needs if use in needs.uses else replace(needs, uses=(*needs.uses, use))
