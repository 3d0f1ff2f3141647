"""A generative judge as a Scorer: answers compared in both orders, graded by number, or by the odds of a token.

`judge` makes one from what a user writes. Questions are put once each, all of a call together; replies are read by the
prompt's rule, and what cannot be read is Unscored with the judge's own words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assay.artifacts.files import sha256_json
from assay.endpoints.budget import Budget
from assay.records import Candidates, Text
from assay.scorers.judge.both_orders import Compared, Place, Tally, Vote, shares, vote_of
from assay.scorers.judge.duels import Duel, Key, by_duels
from assay.scorers.judge.endpoint_judge import EndpointJudge
from assay.scorers.judge.judge_config import JudgeConfig
from assay.scorers.judge.judge_prompt import JudgePrompt, as_read, open_prompt, unreadable
from assay.scorers.judge.local_judge import LocalJudge
from assay.scorers.judge.questions_put import Asked, Judge, NoReply
from assay.scorers.judge.spent_calls import Spent, calls_finding
from assay.scorers.protocol import Reward, Scored, Unscored, scored
from assay.scorers.stated_reference import FIELDS, no_reference, stated_reference

if TYPE_CHECKING:
    from assay.findings.finding import Finding


class JudgeScorer:
    """What all judges have in common: configuration, prompt, and whoever replies."""

    def __init__(self, config: JudgeConfig, budget: Budget | None = None) -> None:
        self.config = config
        packaged = "pairwise_token" if config.mode == "pairwise" and config.by_token else config.mode
        self.prompt: JudgePrompt = open_prompt(
            config.prompt, packaged=packaged, mode=config.mode, parse=config.parse, by_token=config.by_token
        )
        self.judge = replier(config, budget)
        self.shows_reference = "{reference}" in self.prompt.file.system + self.prompt.file.user

    @property
    def reads_source(self) -> bool:
        return self.shows_reference

    @property
    def keeps_replies(self) -> bool:
        """An endpoint's, and what a model here wrote; odds of a model here are read again."""
        return isinstance(self.judge, EndpointJudge) or not self.config.by_token

    @property
    def spent(self) -> Spent:
        """So far."""
        return self.judge.spent

    def noticed(self) -> list[Finding]:
        """What it took."""
        return calls_finding(self.spent, 0)

    @property
    def name(self) -> str:
        """Without the endpoint's address, which is nobody's business in a report."""
        return f"judge:{self.config.model} ({self.config.mode})"

    @cached_property
    def fingerprint(self) -> str:
        """Of the judge, its prompt, and how often and how hot it is asked. Raises ModelError for a missing model."""
        names = {"mode", "votes", "seed", "scale", "most_tokens"}
        asked = self.config.model_dump(mode="json", include=names) | {"temperature": self.config.heat}
        return sha256_json({"judge": self.judge.fingerprint, "prompt": self.prompt.fingerprint, **asked})

    def _key(self, group: Candidates) -> Key | None:
        """None where the prompt shows a reference and the group states none."""
        if not self.shows_reference:
            return group.prompt, None
        reference = stated_reference(group.source)
        return None if reference is None else (group.prompt, reference)

    def _asked(self, key: Key, vote: int, **texts: Text) -> Asked:
        low, high = (f"{bound:g}" for bound in self.config.scale)
        values = {name: as_read(text) for name, text in texts.items()}
        values |= {"prompt": as_read(key[0]), "reference": key[1] or ""}
        if self.config.mode == "pairwise":
            values = {name: self.prompt.defused(text) for name, text in values.items()}
        values |= {"low": low, "high": high}
        return Asked(self.prompt.chat(values), self.config.seed + vote)

    def _put(self, asked: Sequence[Asked]) -> list[str | NoReply] | list[float | NoReply]:
        """Replies in words, or log-odds of the prompt's tokens."""
        if self.config.by_token:
            assert self.prompt.file.tokens is not None
            return self.judge.odds(asked, self.prompt.file.tokens, self.prompt.file.begun)
        judge: Judge = self.judge
        return judge.replies(asked)


class PairwiseJudge(JudgeScorer):
    """Each two answers of a group in both orders; an answer's reward is what it won, mean over its opponents.

    By words between 0 and 1; by token in nats, the margin of two answers being their log-odds, 0 where the orders
    disagree. A reward holds within its group, so pairs are put one by one.
    """

    unit: Literal["pair"] = "pair"

    def __init__(self, config: JudgeConfig, budget: Budget | None = None) -> None:
        super().__init__(config, budget)
        self.tally = Tally()

    def noticed(self) -> list[Finding]:
        """What it took, and what became of the votes."""
        return calls_finding(self.spent, self.tally.counts.total(), votes=self.tally.text)

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Rewards with heads won, lost, tied, flipped_first and flipped_second: shares of the votes that were read."""
        return by_duels(groups, key=self._key, compare=self.compared, result=judged_result)

    def compared(self, duels: Sequence[Duel]) -> dict[Duel, Compared]:
        """What each two answers won of each other."""
        votes = range(self.config.votes)
        asked = [
            self._asked(key, vote, answer_a=a, answer_b=b)
            for key, one, other in duels
            for vote in votes
            for a, b in ((one, other), (other, one))
        ]
        replies = self._put(asked)
        size = 2 * len(votes)
        found = {duel: self._judged(replies[n * size : (n + 1) * size]) for n, duel in enumerate(duels)}
        for compared in found.values():
            self.tally.add(compared)
        return found

    def _judged(self, replies: Sequence[str | NoReply] | Sequence[float | NoReply]) -> Compared:
        places = [self._place(reply) for reply in replies]
        faults = [place.why for place in places if isinstance(place, NoReply)]
        read: list[Place | None] = [None if isinstance(place, NoReply) else place for place in places]
        votes = tuple(vote_of(*both) for both in zip(read[::2], read[1::2], strict=True))
        odds = [reply for reply in replies if isinstance(reply, float)]
        return Compared(
            votes=votes,
            said=tuple(reply for reply in replies if isinstance(reply, str)),
            why=faults[0] if faults else None,
            odds=(odds[0] - odds[1]) / 2 if len(odds) == len(replies) == 2 else None,
        )

    def _place(self, reply: str | float | NoReply) -> Place | NoReply:
        """What a reply names."""
        if isinstance(reply, float):
            if not math.isfinite(reply):
                return NoReply(f"its log-odds are {reply}")
            return "tie" if reply == 0 else ("first" if reply > 0 else "second")
        return self.prompt.place(reply)


def judged_result(compared: Sequence[Compared]) -> Scored:
    """What an answer gets from its comparisons: its worth, mean over its opponents, and what became of the votes."""
    read = [one for one in compared if one.read]
    total = sum(len(one.votes) for one in compared)
    if not read:
        return Unscored(f"the judge gave no verdict in {total} of {total} votes; the first: {compared[0].why}")
    unread = total - sum(one.read for one in compared)
    detail: dict[str, object] = {"votes": total, "unread": unread}
    if unread:
        detail["why_unread"] = next(one.why for one in compared if one.why)
    if said := [text for one in compared for text in one.said]:
        detail["rationale"] = said
    if heard := [text for one in compared for text in one.heard]:
        detail["transcripts"] = heard
    return scored(math.fsum(one.worth for one in read) / len(read), heads=shares(read), detail=detail)


class AnswerJudge(JudgeScorer):
    """Each answer by itself: the mean of its grades, or the log-odds, in nats, of the prompt's first token."""

    def compared(self, duels: Sequence[Duel]) -> dict[Duel, Compared]:
        """Two answers by their rewards: the higher has won, in one vote."""
        groups = [
            Candidates(id=str(n), prompt=prompt, answers=(one, other), source={FIELDS[0]: reference or ""})
            for n, ((prompt, reference), one, other) in enumerate(duels)
        ]
        return {duel: by_rewards(*both) for duel, both in zip(duels, self.score(groups), strict=True)}

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        keys = [self._key(group) for group in groups]
        rows = list(
            dict.fromkeys(
                (key, answer)
                for key, group in zip(keys, groups, strict=True)
                if key is not None
                for answer in group.answers
            )
        )
        votes = self.config.votes
        replies = self._put([self._asked(key, vote, answer=answer) for key, answer in rows for vote in range(votes)])
        found = {row: self._result(replies[n * votes : (n + 1) * votes]) for n, row in enumerate(rows)}
        return [
            tuple(Unscored(no_reference()) if key is None else found[key, answer] for answer in group.answers)
            for key, group in zip(keys, groups, strict=True)
        ]

    def _result(self, replies: Sequence[str | NoReply] | Sequence[float | NoReply]) -> Scored:
        grades = [self._grade(reply) for reply in replies]
        read = [grade for grade in grades if isinstance(grade, float)]
        faults = [grade.why for grade in grades if isinstance(grade, NoReply)]
        if not read:
            return Unscored(f"the judge gave no grade in {len(faults)} of {len(faults)} votes; the first: {faults[0]}")
        detail: dict[str, object] = {"votes": len(grades), "unread": len(faults)}
        if faults:
            detail["why_unread"] = faults[0]
        if said := [reply for reply in replies if isinstance(reply, str)]:
            detail |= {"rationale": said, "grades": read}
        return scored(math.fsum(read) / len(read), detail=detail)

    def _grade(self, reply: str | float | NoReply) -> float | NoReply:
        if not isinstance(reply, str):
            return reply
        verdict = self.prompt.verdict(reply)
        try:
            grade = float(verdict or "")
        except ValueError:
            return NoReply(unreadable(reply))
        low, high = self.config.scale
        if not low <= grade <= high:  # NaN is not between them either
            return NoReply(f"its grade {grade:g} is not between {low:g} and {high:g}")
        return grade


def by_rewards(one: Scored, other: Scored) -> Compared:
    """The vote of whoever gave two answers these rewards."""
    if not (isinstance(one, Reward) and isinstance(other, Reward)):
        missing = one if isinstance(one, Unscored) else other
        return Compared(votes=("unread",), why=missing.reason if isinstance(missing, Unscored) else None)
    vote: Vote = "tied" if one.value == other.value else "won" if one.value > other.value else "lost"
    return Compared(votes=(vote,), said=tuple(said_of(one) + said_of(other)))


def said_of(reward: Reward) -> list[str]:
    """What a judge wrote of an answer."""
    said = reward.detail.get("rationale")
    return [str(text) for text in said] if isinstance(said, list) else []


def judge(argument: str) -> PairwiseJudge | AnswerJudge:
    """The judge that `judge:argument` names: a YAML file, or a model on this machine. Raises ConfigError."""
    return made_judge(JudgeConfig.of(argument))


def made_judge(config: JudgeConfig, budget: Budget | None = None) -> PairwiseJudge | AnswerJudge:
    """The same of a configuration. budget: shared with other judges; None: the configuration's own."""
    return PairwiseJudge(config, budget) if config.mode == "pairwise" else AnswerJudge(config, budget)


def replier(config: JudgeConfig, budget: Budget | None = None) -> EndpointJudge | LocalJudge:
    """Whoever replies, by what the configuration says."""
    if budget is None or config.max_requests is not None:  # a judge's own bound holds in a jury and a debate too
        budget = Budget(requests=config.max_requests, shared=budget)
    if config.endpoint is not None:
        return EndpointJudge(config, _cache(config), budget)
    return LocalJudge(
        config.model, most_tokens=config.most_tokens, device=config.device, folder=_cache(config), budget=budget
    )


def _cache(config: JudgeConfig) -> Path:
    """The folder of replies."""
    from assay.models.catalogue import cache_folder

    return config.cache if config.cache is not None else cache_folder() / "judge"
