"""JudgeBench: two answers of which one is objectively right; judges play each pair in both orders.

Both games: each says the right answer (+1) or the wrong one (-1); right where the sum is above 0, so a tie is wrong.
One game (the authors' --single_game, for reward models): the first order alone, where equal rewards say B.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from assay.questions.task import Answered
from assay.records import Candidates
from assay.stats.unknown import Unknown
from assay.suites.suite import About, Formula, Mark, Suite, without_value
from assay.suites.suite_rows import SuiteRow, named_apart, prompt_cluster

ABOUT = About(
    title="JudgeBench",
    source="Tan et al. 2024, arXiv 2410.12784; the authors' utils/metrics.py",
    rule="Right where the games played for a pair add up to the right answer; overall pools all pairs.",
    over_long="cut by the tokenizer at the model's limit",
)
FAMILIES: Mapping[str, str] = {
    "mmlu-pro": "knowledge",
    "livebench-reasoning": "reasoning",
    "livebench-math": "math",
    "livecodebench": "coding",
}
PUBLISHED = {350: "GPT-4o pairs", 270: "Claude 3.5 Sonnet pairs", 620: "both sets"}
SINGLE = "overall, one game"
SUMS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # what two games of one pair can add up to


def recognises(data: Mapping[str, object]) -> bool:
    """Whether a row is one of JudgeBench."""
    return {"response_A", "response_B", "label", "question"} <= data.keys()


def judgebench(rows: Sequence[SuiteRow]) -> Suite:
    """The suite of rows {pair_id, source, question, response_A, response_B, label}. Raises InputError for others."""
    groups, first_shown = [], []
    for row in rows:
        label = row.text("label")
        if label not in ("A>B", "B>A"):
            raise row.unfit(f"the label is {label!r}, neither 'A>B' nor 'B>A'")
        right, wrong = ("A", "B") if label == "A>B" else ("B", "A")
        answers = (row.text(f"response_{right}"), row.text(f"response_{wrong}"))
        first_shown.append(right == "A")
        groups.append(
            Candidates(
                id=row.name("pair_id"),
                prompt=row.text("question"),
                answers=answers,
                category=family(row.text("source")),
                where=row.where,
            )
        )
    named = named_apart(groups)
    total = len(named)
    notes = (
        () if total in PUBLISHED else (f"{total:,} pairs; published are 350 by GPT-4o and 270 by Claude 3.5 Sonnet",)
    )
    return Suite(
        name="judgebench",
        about=ABOUT,
        groups=named,
        mark=partial(marks, named, first_shown),
        formulas=(
            Formula(name="overall", parts=("overall",), of=lambda means: means[:, 0], also="both games, all pairs"),
            Formula(name=SINGLE, parts=(SINGLE,), of=lambda means: means[:, 0], also="the answers as they stand: A, B"),
        ),
        hidden=frozenset({"overall", SINGLE}),
        notes=notes,
        counts=dict(Counter(str(group.category) for group in named)),
    )


def family(source: str) -> str:
    """knowledge, reasoning, math or coding; a source of none of them stands for itself."""
    return next((name for start, name in FAMILIES.items() if source.startswith(start)), source)


def marks(groups: Sequence[Candidates], first_shown: Sequence[bool], answered: Sequence[Answered]) -> list[Mark]:
    """Of each pair: its family and overall by both games, and overall by one."""
    found = []
    played = of_two_games(answered)
    for group, right_first, given in zip(groups, first_shown, answered, strict=True):
        cluster = prompt_cluster(group.prompt)
        both: float | Unknown
        single: float | Unknown
        if why := without_value(given):
            both = single = why
        else:
            right, wrong = (float(value) for value in given if not isinstance(value, Unknown))
            both = float(right > wrong)
            # "A>B" is said where A's reward is higher, "B>A" otherwise: equal rewards, and NaN, say B.
            single = float(right > wrong if right_first else not wrong > right)
            if played:
                single = Unknown("the results add up two games")
        found += [
            Mark(part, group.id, cluster, value, 0.5)
            for part, value in ((str(group.category), both), ("overall", both), (SINGLE, single))
        ]
    return found


def of_two_games(answered: Sequence[Answered]) -> bool:
    """Whether the values are what two games add up to, as published results of judges give them: -2 to 2, mirrored."""
    values = [
        (float(one), float(other))
        for one, other in answered
        if not isinstance(one, Unknown) and not isinstance(other, Unknown)
    ]
    mirrored = all(one in SUMS and other == -one for one, other in values)
    return mirrored and any(abs(one) == 2 for one, _other in values)
