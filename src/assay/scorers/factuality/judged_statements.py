"""Statements put to a judge, one question each: its verdict in the words of `looked_up`, or why there is none.

The judge sees the prompt, the passages and one statement; what it knows besides is to be left out, and who asks has no
means to see to that. Knows questions and replies; knows no reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, get_args

from assay.artifacts.files import sha256_json
from assay.endpoints.budget import Budget
from assay.records import Text
from assay.scorers.factuality.factual_config import FactualConfig
from assay.scorers.factuality.looked_up import Looked, Verdict
from assay.scorers.factuality.passages import Passage
from assay.scorers.factuality.statements import Statement
from assay.scorers.judge.judge_prompt import as_read, open_prompt
from assay.scorers.judge.judge_scorer import replier
from assay.scorers.judge.questions_put import Asked, NoReply, excerpt
from assay.scorers.judge.spent_calls import Spent

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class Question(NamedTuple):
    """One statement of an answer to a prompt, and the passages found for it."""

    prompt: Text
    statement: Statement
    passages: tuple[Passage, ...]


class StatementJudge:
    """Whoever judges, with the prompt it is given. Raises ConfigError for one that cannot be used."""

    def __init__(self, config: FactualConfig) -> None:
        self.config = config.judge_config()
        self.prompt = open_prompt(config.prompt, packaged="statement", mode="statement", parse=None, by_token=False)
        self.budget = Budget(requests=config.max_requests)
        self.judge = replier(self.config, self.budget)

    keeps_replies = True  # in words, whoever judges

    @property
    def spent(self) -> Spent:
        """So far."""
        return self.judge.spent

    @cached_property
    def fingerprint(self) -> str:
        asked = {"seed": self.config.seed, "temperature": self.config.heat, "most_tokens": self.config.most_tokens}
        return sha256_json({"judge": self.judge.fingerprint, "prompt": self.prompt.fingerprint, **asked})

    def verdicts(self, questions: Sequence[Question]) -> list[Looked | NoReply]:
        """A verdict on each, or why there is none."""
        # What stands in an answer and reads like a verdict is none when the judge repeats it.
        shown = [{name: self.prompt.defused(text) for name, text in _values(one).items()} for one in questions]
        asked = [Asked(self.prompt.chat(values), self.config.seed) for values in shown]
        return [
            reply if isinstance(reply, NoReply) else self._read(one.statement, reply)
            for one, reply in zip(questions, self.judge.replies(asked), strict=True)
        ]

    def _read(self, statement: Statement, reply: str) -> Looked | NoReply:
        said = (self.prompt.verdict(reply) or "").lower().replace(" ", "_")
        if said not in VERDICTS:
            return NoReply(
                f"its reply holds no verdict: {excerpt(reply if len(reply) <= 100 else '...' + reply[-96:])}"
            )
        return Looked(statement, said, f"the judge: {' '.join(reply.split())}")


def _values(one: Question) -> dict[str, str]:
    passages = "\n\n".join(f"[{passage.name}] {passage.text}" for passage in one.passages)
    return {"prompt": as_read(one.prompt), "passages": passages or "(none)", "statement": one.statement.text}
