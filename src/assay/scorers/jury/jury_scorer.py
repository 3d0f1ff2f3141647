"""`jury:FILE.yaml`: several judges asked about the same answers, pooled by a rule; who dissents is kept.

1) Every judge compares each two answers as it does by itself: in both orders, by its own prompt and votes. 2) Verdicts
are pooled; whoever gave none is set apart and named. Graders of one scale under the rule `mean` grade each answer
by itself. Weights are found once, on pairs named for it, whose prompts then get no reward: nothing is judged by weights
that were found on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assay.artifacts.files import sha256_file, sha256_json
from assay.endpoints.budget import Budget
from assay.records import Candidates, Pair, Text
from assay.scorers.judge.both_orders import Compared, shares
from assay.scorers.judge.duels import Duel, Key, by_duels
from assay.scorers.judge.judge_prompt import as_read
from assay.scorers.judge.judge_scorer import AnswerJudge, made_judge, said_of
from assay.scorers.judge.spent_calls import Spent, calls_finding, together
from assay.scorers.jury.judge_weights import Reliability, reliabilities
from assay.scorers.jury.jury_config import Jury, jury_of
from assay.scorers.jury.pooling import Pooled, pooled
from assay.scorers.jury.seat_counts import SeatCounts, jury_finding
from assay.scorers.protocol import Reward, Scored, Unscored, scored
from assay.scorers.stated_reference import stated_reference

if TYPE_CHECKING:
    from assay.findings.finding import Finding

WEIGHED = "its prompt is among the pairs that the judges' weights were found on (weights_on)"


class JuryScorer:
    """heads: won, lost, tied and flipped shares over all judges' votes; dissent; and each judge's own, by name.

    A judge's own is from -1 (surely the other answer) to 1, mean over the opponents; of graders its grade.
    """

    def __init__(self, jury: Jury) -> None:
        self.jury = jury
        self.budget = Budget(requests=jury.config.max_requests)
        self.judges = {name: made_judge(config, self.budget) for name, config in jury.judges.items()}
        self.counts = {name: SeatCounts() for name in self.judges}
        self.spent_on_weights = Spent()

    @property
    def name(self) -> str:
        rule = self.jury.config.rule
        return (
            f"jury: {rule} of {self.jury.told or ', '.join(self.judges)} ({self.calls_a_comparison} calls a comparison)"
        )

    @property
    def calls_a_comparison(self) -> int:
        """Of two answers: both orders, or both answers, times the votes of all judges."""
        return 2 * sum(config.votes for config in self.jury.judges.values())

    @property
    def graded(self) -> bool:
        """Whether grades are pooled answer by answer, so that rewards order any group."""
        scales = {(one.mode, one.scale) for one in self.jury.judges.values()}
        graders = all(isinstance(one, AnswerJudge) for one in self.judges.values())
        return graders and len(scales) == 1 and self.jury.config.rule == "mean"

    @property
    def quorum(self) -> int:
        """Of graders all, unless the file says otherwise: a mean that lacks the strict one is higher for nothing."""
        return len(self.judges) if self.graded and self.jury.config.quorum is None else self.jury.quorum

    @property
    def unit(self) -> Literal["prompt", "pair"]:
        return "prompt" if self.graded else "pair"

    @property
    def reads_source(self) -> bool:
        return any(one.reads_source for one in self.judges.values())

    @property
    def keeps_replies(self) -> bool:
        return all(one.keeps_replies for one in self.judges.values())

    @property
    def spent(self) -> Spent:
        """On what was scored; what the weights took stands apart."""
        return together(one.spent for one in self.judges.values()) - self.spent_on_weights

    @cached_property
    def fingerprint(self) -> str:
        config = self.jury.config
        return sha256_json(
            {
                "jury": config.rule,
                "quorum": self.quorum,
                "weights_on": None if config.weights_on is None else sha256_file(config.weights_on),
                "judges": {name: one.fingerprint for name, one in self.judges.items()},
            }
        )

    @cached_property
    def labelled(self) -> Sequence[Pair]:
        """The pairs that weights are found on; none but under the rule reliability."""
        from assay.data import read_pairs

        path = self.jury.config.weights_on
        return () if path is None else [pair for pair in read_pairs(path).pairs if pair.label != "tie"]

    @cached_property
    def reliabilities(self) -> Mapping[str, Reliability]:
        """Of each judge, found at first use. Raises InputError where the pairs do not settle them."""
        if not self.labelled:
            return {}
        before = together(one.spent for one in self.judges.values())
        duels = [((pair.prompt, stated_reference(pair.source)), pair.chosen, pair.rejected) for pair in self.labelled]
        said = {name: one.compared(list(dict.fromkeys(duels))) for name, one in self.judges.items()}
        self.spent_on_weights = together(one.spent for one in self.judges.values()) - before
        return reliabilities({name: [found[duel] for duel in duels] for name, found in said.items()})

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Raises InputError where a server refuses a judge's key or model, or weights cannot be found."""
        # As a judge reads it: a prompt and a conversation of that one turn are the same question.
        weighed = {as_read(pair.prompt).strip() for pair in self.labelled}
        if not groups:
            return []
        fresh = [group for group in groups if as_read(group.prompt).strip() not in weighed]
        found = iter(self._grades(fresh) if self.graded else self._verdicts(fresh))
        return [
            tuple(Unscored(WEIGHED) for _ in group.answers) if as_read(group.prompt).strip() in weighed else next(found)
            for group in groups
        ]

    def noticed(self) -> list[Finding]:
        """Each judge's verdicts, flips and silences, and what all of it took; nothing before anything was scored."""
        comparisons = max(one.comparisons for one in self.counts.values())
        weights = {name: asdict(one) | {"weight": one.weight} for name, one in self.reliabilities.items()}
        more: dict[str, object] = {"weights": weights, "for_weights": asdict(self.spent_on_weights)} if weights else {}
        return [*jury_finding(self.counts), *calls_finding(self.spent, comparisons, **more)]

    def _verdicts(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        return by_duels(groups, key=self._key, compare=self._compared, result=_result)

    def _key(self, group: Candidates) -> Key | None:
        if not self.reads_source:
            return group.prompt, None
        reference = stated_reference(group.source)
        return None if reference is None else (group.prompt, reference)

    def _compared(self, duels: Sequence[Duel]) -> dict[Duel, Pooled]:
        weights = {name: one.weight for name, one in self.reliabilities.items()}
        said = {name: one.compared(duels) for name, one in self.judges.items()}
        found = {}
        for duel in duels:
            by_judge: dict[str, Compared] = {name: mine[duel] for name, mine in said.items()}
            found[duel] = pooled(by_judge, rule=self.jury.config.rule, quorum=self.quorum, weights=weights)
            for name, one in by_judge.items():
                self.counts[name].add(one, dissents=name in found[duel].dissenting)
        return found

    def _grades(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Each answer's grades by all judges, each distinct answer of a prompt once."""
        given = {name: one.score(groups) for name, one in self.judges.items()}
        results: list[tuple[Scored, ...]] = []
        seen: dict[tuple[Text, Text], None] = {}
        for n, group in enumerate(groups):
            row = []
            for k, answer in enumerate(group.answers):
                by_judge = {name: given[name][n][k] for name in self.judges}
                row.append(_graded(by_judge, self.quorum))
                if (group.prompt, answer) not in seen:
                    seen[group.prompt, answer] = None
                    for name, one in by_judge.items():
                        self.counts[name].add_grade(one)
            results.append(tuple(row))
        return results


def _graded(by_judge: Mapping[str, Scored], quorum: int) -> Scored:
    read = {name: one for name, one in by_judge.items() if isinstance(one, Reward)}
    unread = {name: one.reason for name, one in by_judge.items() if isinstance(one, Unscored)}
    if len(read) < quorum:
        first = next((f"{name}: {why}" for name, why in unread.items()), "")
        return Unscored(f"{len(read)} of {len(by_judge)} judges gave a grade, and {quorum} are needed; {first}")
    heads = {name: one.value for name, one in read.items()}
    detail: dict[str, object] = {"unread": unread, "rationale": {name: said_of(one) for name, one in read.items()}}
    return scored(math.fsum(heads.values()) / len(heads), heads=heads, detail=detail)


def _result(compared: Sequence[Pooled]) -> Scored:
    """What an answer gets: its worth, mean over its opponents, with who said what."""
    read = [one for one in compared if one.margin is not None]
    if not read:
        return Unscored(compared[0].why or "no judge gave a verdict")
    every = [said for one in read for said in one.by_judge.values() if said.read]
    heads = shares(every) | {"dissent": math.fsum(one.dissent for one in read) / len(read)}
    names = list(compared[0].by_judge)
    for name in names:
        mine = [strength for one in read if (strength := one.by_judge[name].strength) is not None]
        if mine:
            heads[name] = math.fsum(mine) / len(mine)
    detail: dict[str, object] = {
        "judges": len(names),
        "dissenting": [one.dissenting for one in read],
        "unread": {name: one.by_judge[name].why for one in compared for name in names if one.by_judge[name].why},
        "rationale": {name: [text for one in compared for text in one.by_judge[name].said] for name in names},
    }
    return scored(math.fsum(one.worth for one in read) / len(read), heads=heads, detail=detail)


def jury(argument: str) -> JuryScorer:
    """The jury of a YAML file, or the judges of a debate's as one. Raises ConfigError."""
    return JuryScorer(jury_of(Path(argument).expanduser()))
