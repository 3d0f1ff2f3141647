"""A generative judge as a Scorer: answers compared in both orders, graded by number, or by the odds of a token.

`judge` makes one from what a user writes. Questions are put once each, all of a call together; replies are read by the
prompt's rule, and what cannot be read is Unscored with the judge's own words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Literal

from assay.artifacts.files import sha256_json
from assay.records import Candidates, Text
from assay.scorers.judge.both_orders import Compared, Place, Tally, shares, vote_of
from assay.scorers.judge.endpoint_judge import EndpointJudge
from assay.scorers.judge.judge_config import JudgeConfig
from assay.scorers.judge.judge_prompt import JudgePrompt, as_read, open_prompt
from assay.scorers.judge.local_judge import LocalJudge
from assay.scorers.judge.questions_put import Asked, Judge, NoReply, excerpt
from assay.scorers.protocol import Scored, Unscored, scored
from assay.scorers.stated_reference import no_reference, stated_reference

Key = tuple[Text, str | None]  # a prompt, and the reference answer where the judge's prompt shows one


class JudgeScorer:
    """What all judges have in common: configuration, prompt, and whoever replies."""

    def __init__(self, config: JudgeConfig) -> None:
        self.config = config
        packaged = "pairwise_token" if config.mode == "pairwise" and config.by_token else config.mode
        self.prompt: JudgePrompt = open_prompt(
            config.prompt, packaged=packaged, mode=config.mode, parse=config.parse, by_token=config.by_token
        )
        self.judge = whoever_replies(config)
        self.shows_reference = "{reference}" in self.prompt.file.system + self.prompt.file.user

    @property
    def reads_source(self) -> bool:
        return self.shows_reference

    @property
    def keeps_replies(self) -> bool:
        """An endpoint's; a model on this machine is asked again."""
        return isinstance(self.judge, EndpointJudge)

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
        values |= {"prompt": as_read(key[0]), "low": low, "high": high, "reference": key[1] or ""}
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

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__(config)
        self.tally = Tally()

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Rewards with heads won, lost, tied, flipped_first and flipped_second: shares of the votes that were read."""
        duels: dict[tuple[Key, Text, Text], Compared | None] = {}
        for group in groups:
            key = self._key(group)
            for one, other in combinations(dict.fromkeys(group.answers), 2):
                if key is not None and (key, other, one) not in duels:
                    duels[key, one, other] = None
        found = self._compared(list(duels))
        for compared in found.values():
            self.tally.add(compared)
        found |= {(key, other, one): compared.swapped for (key, one, other), compared in found.items()}
        return [self._results(group, found) for group in groups]

    def _compared(self, duels: Sequence[tuple[Key, Text, Text]]) -> dict[tuple[Key, Text, Text], Compared]:
        votes = range(self.config.votes)
        asked = [
            self._asked(key, vote, answer_a=a, answer_b=b)
            for key, one, other in duels
            for vote in votes
            for a, b in ((one, other), (other, one))
        ]
        replies = self._put(asked)
        size = 2 * len(votes)
        return {duel: self._judged(replies[n * size : (n + 1) * size]) for n, duel in enumerate(duels)}

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
        if isinstance(reply, NoReply):
            return reply
        if isinstance(reply, float):
            if not math.isfinite(reply):
                return NoReply(f"its log-odds are {reply}")
            return "tie" if reply == 0 else ("first" if reply > 0 else "second")
        file, verdict = self.prompt.file, self.prompt.verdict(reply)
        if verdict == file.first:
            return "first"
        if verdict == file.second:
            return "second"
        if verdict is not None and verdict == file.tie:
            return "tie"
        return NoReply(_unreadable(reply))

    def _results(self, group: Candidates, found: Mapping[tuple[Key, Text, Text], Compared]) -> tuple[Scored, ...]:
        key = self._key(group)
        if key is None:
            return tuple(Unscored(no_reference()) for _ in group.answers)
        distinct = list(dict.fromkeys(group.answers))
        if len(distinct) < 2:
            return tuple(Unscored("a pairwise judge needs another answer to compare it with") for _ in group.answers)
        by_answer = {
            answer: self._result([found[key, answer, other] for other in distinct if other != answer])
            for answer in distinct
        }
        return tuple(by_answer[answer] for answer in group.answers)

    def _result(self, compared: Sequence[Compared]) -> Scored:
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
        return scored(math.fsum(one.worth for one in read) / len(read), heads=shares(read), detail=detail)


class AnswerJudge(JudgeScorer):
    """Each answer by itself: the mean of its grades, or the log-odds, in nats, of the prompt's first token."""

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
            return NoReply(_unreadable(reply))
        low, high = self.config.scale
        if not low <= grade <= high:  # NaN is not between them either
            return NoReply(f"its grade {grade:g} is not between {low:g} and {high:g}")
        return grade


def whoever_replies(config: JudgeConfig) -> EndpointJudge | LocalJudge:
    """Whoever a configuration has reply, whatever is asked. Raises ConfigError for a key that is not set."""
    if config.endpoint is None:
        return LocalJudge(config.model, most_tokens=config.most_tokens, device=config.device)
    return EndpointJudge(config, _cache(config))


def judge(argument: str) -> PairwiseJudge | AnswerJudge:
    """The judge that `judge:argument` names: a YAML file, or a model on this machine. Raises ConfigError."""
    config = JudgeConfig.of(argument)
    return PairwiseJudge(config) if config.mode == "pairwise" else AnswerJudge(config)


def _unreadable(reply: str) -> str:
    """The end of a reply is where a verdict would stand."""
    return f"its reply holds no verdict: {excerpt(reply if len(reply) <= 100 else '...' + reply[-96:])}"


def _cache(config: JudgeConfig) -> Path:
    """The folder of an endpoint's replies."""
    from assay.models.catalogue import cache_folder

    return config.cache if config.cache is not None else cache_folder() / "judge"
