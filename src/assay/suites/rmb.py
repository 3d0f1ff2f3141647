"""RMB: pairs, and best-of-n items that are passed only if the best answer beats every loser.

Both in two goals, helpfulness and harmlessness, by scenario. Within a goal items count alike; overall is the plain mean
of the four sets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from assay.questions.best_of import best_of
from assay.questions.task import Answered
from assay.records import Candidates
from assay.suites.suite import About, Mark, Suite, finite, weighted, without_value
from assay.suites.suite_rows import SuiteRow, messages, named_apart, prompt_cluster

ABOUT = About(
    title="RMB",
    source="Zhou et al. 2024, arXiv 2410.09893; the authors' eval/scripts",
    rule="A pair counts where chosen > rejected; a best-of-n item only where the best beats every loser, strictly.",
    over_long="cut at 2,048 tokens from the left",
)
KINDS = {"Pairwise_set": "pairs", "BoN_set": "best of n"}
SETS = tuple(f"{kind}: {goal}" for kind in KINDS.values() for goal in ("Helpfulness", "Harmlessness"))


def recognises(data: Mapping[str, object]) -> bool:
    """Whether a row is one of RMB, of either kind."""
    return "conversation_input" in data and ("pair_uid" in data or "bon_uid" in data)


def rmb(rows: Sequence[SuiteRow]) -> Suite:
    """The suite of rows {pair_uid, chosen, reject} or {bon_uid, bon_best, loser_list}.

    Both have conversation_input and category_path. Raises InputError for rows that have not.
    """
    groups = named_apart([_group(row) for row in rows])
    found = Counter(set_of(str(group.category)) for group in groups)
    there = [name for name in SETS if name in found]
    away = [name for name in SETS if name not in found]
    whole = "overall" if not away else f"mean of {len(there)} of 4 sets"
    also = f"without {', '.join(away)}" if away else "mean of four sets"
    return Suite(
        name="rmb",
        about=ABOUT,
        groups=groups,
        mark=partial(marks, groups),
        formulas=(weighted(whole, dict.fromkeys(there, 1.0), also=also),) if there else (),
        counts=dict(found),
    )


def set_of(path: str) -> str:
    """Pairwise_set/Helpfulness/Chat/Discussion -> pairs: Helpfulness."""
    kind, goal, *_rest = [*path.split("/"), ""]
    return f"{KINDS.get(kind, kind)}: {goal}"


def scenario_of(path: str) -> str:
    """Pairwise_set/Helpfulness/Chat/Discussion -> pairs: Helpfulness, Chat."""
    parts = path.split("/")
    return f"{set_of(path)}, {parts[2]}" if len(parts) > 2 else set_of(path)


def marks(groups: Sequence[Candidates], answered: Sequence[Answered]) -> list[Mark]:
    """Of each item: its set and its scenario."""
    task = best_of("RMB", groups, ties="wrong")
    found = []
    for group, question, given in zip(groups, task.items(), answered, strict=True):
        value = without_value(given) or (0.0 if finite(given) is None else task.grade(question, given))
        for part in dict.fromkeys((set_of(str(group.category)), scenario_of(str(group.category)))):
            found.append(Mark(part, group.id, prompt_cluster(group.prompt), value, 1 / len(group.answers)))
    return found


def _group(row: SuiteRow) -> Candidates:
    path = row.text("category_path")
    kind = path.split("/")[0]
    if kind not in KINDS or len(path.split("/")) < 3:
        raise row.unfit(f"category_path is {path!r}; it starts Pairwise_set/ or BoN_set/, then goal and scenario")
    if "bon_uid" in row.data:
        losers = row.data.get("loser_list")
        if not isinstance(losers, list) or not losers:
            raise row.unfit("no answers under 'loser_list'")
        answers = [_answer(row, row.data.get("bon_best"), "bon_best")]
        answers += [_answer(row, loser, "loser_list") for loser in losers]
        name = f"bon:{row.name('bon_uid')}"
    else:
        answers = [_answer(row, row.data.get(side), side) for side in ("chosen", "reject")]
        name = f"pair:{row.name('pair_uid')}"
    return Candidates(
        id=name, prompt=messages(row, "conversation_input"), answers=tuple(answers), category=path, where=row.where
    )


def _answer(row: SuiteRow, value: object, name: str) -> str:
    text = value.get("answer") if isinstance(value, Mapping) else None
    if not isinstance(text, str):
        raise row.unfit(f"no text under 'answer' of {name!r}")
    return text
