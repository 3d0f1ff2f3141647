"""PPE, human side: battles of Chatbot Arena. Accuracy where people preferred one, and how alike models are ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from assay.questions.task import Answered
from assay.records import Candidates
from assay.stats.unknown import Unknown
from assay.suites.model_ranks import like_people
from assay.suites.suite import About, Described, Formula, Mark, Suite, strictly
from assay.suites.suite_rows import SuiteRow, named_apart, prompt_cluster

ABOUT = About(
    title="PPE, human preference",
    source="Frick et al. 2024, arXiv 2410.14872; the hub card of PPE-Human-Preference-V1",
    rule="Accuracy on battles that people did not call a tie; ratings of models by Bradley-Terry over all battles.",
    over_long="left to each reward model's own limit",
)
PUBLISHED = 16_038
WINNERS = ("model_a", "model_b")
# Columns that mark a domain of the paper; a battle may be in several, or in none.
DOMAINS: Mapping[str, str] = {
    "hard_prompt": "hard prompts",
    "easy_prompt": "easy prompts",
    "if_prompt": "instruction following",
    "is_code": "code",
    "math_prompt": "math",
}


def recognises(data: Mapping[str, object]) -> bool:
    """Whether a row is a battle of PPE."""
    return {"model_a", "model_b", "winner", "response_1", "response_2"} <= data.keys()


def ppe_human(rows: Sequence[SuiteRow]) -> Suite:
    """The suite of rows {question_id, model_a, model_b, winner, prompt, response_1, response_2}.

    The preferred answer is put first, and its model with it. Raises InputError for rows that are not.
    """
    groups, winners = [], []
    for row in rows:
        winner = row.text("winner")
        if winner not in WINNERS and not winner.startswith("tie"):
            raise row.unfit(f"the winner is {winner!r}; expected model_a, model_b or tie")
        answers = row.text("response_1"), row.text("response_2")
        models = row.text("model_a"), row.text("model_b")
        if winner == "model_b":
            answers, models = answers[::-1], models[::-1]
        winners.append(winner in WINNERS)
        domains = [name for column, name in DOMAINS.items() if row.data.get(column) is True]
        groups.append(
            Candidates(
                id=row.name("question_id"),
                prompt=row.text("prompt"),
                answers=answers,
                category="battle",
                source={"models": models, "domains": domains},
                where=row.where,
            )
        )
    named = named_apart(groups)
    notes = () if len(named) == PUBLISHED else (f"{len(named):,} battles; published with {PUBLISHED:,}",)
    return Suite(
        name="ppe-human",
        about=ABOUT,
        groups=named,
        mark=partial(marks, named, winners),
        formulas=(
            Formula(
                name="accuracy", parts=("all battles",), of=lambda means: means[:, 0], also="ties of people left out"
            ),
        ),
        describe=partial(ranks, named, winners),
        notes=notes,
        counts=dict(Counter("preferred" if won else "tie" for won in winners)),
    )


def marks(groups: Sequence[Candidates], preferred: Sequence[bool], answered: Sequence[Answered]) -> list[Mark]:
    """Of each battle that is no tie: all battles, and each domain it is in."""
    found = []
    for group, won, given in zip(groups, preferred, answered, strict=True):
        if won:
            value, cluster = strictly(given, 0, 1), prompt_cluster(group.prompt)
            domains = group.source["domains"]
            parts = ["all battles", *(domains if isinstance(domains, list) else [])]
            found += [Mark(part, group.id, cluster, value, 0.5) for part in parts]
    return found


def ranks(groups: Sequence[Candidates], preferred: Sequence[bool], answered: Sequence[Answered]) -> list[Described]:
    """How alike people and the reward rank the models, over battles of which both answers have a reward."""
    numbers: dict[str, int] = {}
    first, second, people, reward = [], [], [], []
    for group, won, (one, other) in zip(groups, preferred, answered, strict=True):
        models = group.source["models"]
        if isinstance(one, Unknown) or isinstance(other, Unknown) or not isinstance(models, tuple):
            continue
        first.append(numbers.setdefault(models[0], len(numbers)))
        second.append(numbers.setdefault(models[1], len(numbers)))
        people.append(1.0 if won else 0.5)
        reward.append(1.0 if one > other else 0.0 if one < other else 0.5)
    return like_people(first, second, people, reward)
