"""`factual:...`: an answer's statements looked up in its prompt and in a folder, by rule or by judge, as one reward.

1. An answer becomes statements. 2. For each the folder's best passages are found. 3. Each gets a verdict. 4. The
verdicts make the reward (factual_reward). Counts stand in `heads`, statements with their reasons in `detail`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assay.artifacts.files import sha256_json
from assay.data.latin_script import latin
from assay.records import Candidates, Text, plain_text
from assay.scorers.factuality.factual_config import FactualConfig
from assay.scorers.factuality.factual_reward import counts, reward_of
from assay.scorers.factuality.judged_statements import Question, StatementJudge
from assay.scorers.factuality.known_facts import evidence, question_of
from assay.scorers.factuality.looked_up import Looked, look_up
from assay.scorers.factuality.passages import Passage, PassageFolder
from assay.scorers.factuality.statements import Statement, asks, statements
from assay.scorers.factuality.word_stems import reads_english, word_stems
from assay.scorers.judge.questions_put import NoReply
from assay.scorers.judge.spent_calls import Spent, calls_finding
from assay.scorers.protocol import Scored, Unscored, scored

if TYPE_CHECKING:
    from assay.findings.finding import Finding

RULES = "factual/3"  # of statements, lookup and reward: changes whenever the same answer may get another reward
Key = tuple[Text, str]  # prompt, answer


class FactualScorer:
    """A reward in [-1, 1] by what is told; unscored where nothing is told, or a verdict is missing."""

    def __init__(self, config: FactualConfig) -> None:
        self.config = config
        self.folder = None if config.folder is None else PassageFolder(config.folder, cache=_cache(config))
        self.judge = StatementJudge(config) if config.check == "judge" else None

    @property
    def keeps_replies(self) -> bool:
        return self.judge is not None and self.judge.keeps_replies

    @property
    def spent(self) -> Spent:
        """So far; nothing by rule."""
        return Spent() if self.judge is None else self.judge.spent

    def noticed(self) -> list[Finding]:
        """What the judge took; a call is a statement with a verdict or without."""
        return calls_finding(self.spent, 0)

    @property
    def name(self) -> str:
        where = "the prompt" if self.config.folder is None else f"the prompt and {self.config.folder.name}"
        by = "rule" if self.judge is None else f"judge {self.judge.config.model}"
        return f"factual: {where}, by {by}"

    @cached_property
    def fingerprint(self) -> str:
        """Of the rules, the folder's texts and the judge."""
        return sha256_json(
            {
                "rules": RULES,
                "folder": None if self.folder is None else [self.folder.fingerprint, self.config.passages],
                "judge": None if self.judge is None else self.judge.fingerprint,
                "worth": [self.config.wrong, self.config.not_found],
            }
        )

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Rewards with heads supported, contradicted, not_found, abstains and no_claim: counts of statements."""
        keys = [[(group.prompt, plain_text(answer)) for answer in group.answers] for group in groups]
        distinct = list(dict.fromkeys(key for several in keys for key in several))
        found = self._by_rule(distinct) if self.judge is None else self._by_judge(distinct, self.judge)
        return [tuple(found[key] for key in several) for several in keys]

    def _by_rule(self, keys: Sequence[Key]) -> Mapping[Key, Scored]:
        return {key: self._ruled(*key) for key in keys}

    def _ruled(self, prompt: Text, answer: str) -> Scored:
        # What is found for the question alone decides whether anything is told, so that it is the same for all answers.
        told = evidence(prompt, _texts(self._passages(question_of(prompt))))
        if not told.states_something:
            more = "" if self.folder is not None else ", and no folder to look in is named"
            return Unscored(f"its prompt states no figure, date or name that answers could be held against{more}")
        if not latin(answer) or not reads_english(answer):
            return Unscored("the answer does not read as English, which the rule is for; a judge can be asked instead")
        return self._reward(
            [
                look_up(one, evidence(prompt, _texts(self._passages(one.text, question_of(prompt)))))
                for one in statements(answer)
            ]
        )

    def _by_judge(self, keys: Sequence[Key], judge: StatementJudge) -> Mapping[Key, Scored]:
        told = {key: statements(key[1]) for key in keys}
        questions = {
            (key, place): Question(key[0], one, tuple(self._passages(one.text, question_of(key[0]))))
            for key, several in told.items()
            for place, one in enumerate(several)
            if _put(one)
        }
        replies = dict(zip(questions, judge.verdicts(list(questions.values())), strict=True))
        found: dict[Key, Scored] = {}
        for key, several in told.items():
            looked: list[Looked | NoReply] = [
                replies[key, place] if (key, place) in replies else look_up(one, evidence(""))
                for place, one in enumerate(several)
            ]
            silent = [one.why for one in looked if isinstance(one, NoReply)]
            # A verdict that is missing is neither: the rest of the answer says nothing about this statement.
            found[key] = (
                Unscored(
                    f"the judge gave no verdict on {len(silent)} of {len(looked)} statements; the first: {silent[0]}"
                )
                if silent
                else self._reward([one for one in looked if isinstance(one, Looked)])
            )
        return found

    def _passages(self, *query: str) -> Sequence[Passage]:
        return () if self.folder is None else self.folder.best(" ".join(query), self.config.passages)

    def _reward(self, looked: Sequence[Looked]) -> Scored:
        reward = reward_of(looked, wrong=self.config.wrong, not_found=self.config.not_found)
        told = counts(looked)
        heads: dict[str, float] = {name: float(count) for name, count in told.items()}
        claims = told["supported"] + told["contradicted"] + told["not_found"]
        lines = [
            {"text": one.statement.text, "verdict": one.verdict, "why": one.why, "fact": one.fact} for one in looked
        ]
        return scored(
            reward, heads=heads, detail={"abstains": bool(told["abstains"]) and not claims, "statements": lines}
        )


def _put(statement: Statement) -> bool:
    """Whether a judge is asked. "Paris." may be all that an answer says, and a rule cannot tell it from a greeting."""
    short = statement.form == "no_claim" and not asks(statement.text) and bool(word_stems(statement.text))
    return short or statement.form in ("claim", "denial")


def _texts(passages: Sequence[Passage]) -> Sequence[tuple[str, str]]:
    return [(one.name, one.text) for one in passages]


def _cache(config: FactualConfig) -> Path:
    """Where indexes of folders are kept."""
    from assay.models.catalogue import cache_folder

    return config.cache if config.cache is not None else cache_folder() / "passages"


def factual(argument: str) -> FactualScorer:
    """The scorer that `factual:argument` names. Raises ConfigError, InputError for what there is not."""
    return FactualScorer(FactualConfig.of(argument))
