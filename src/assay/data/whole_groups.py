"""What rows of many answers hold beside their pairs: the whole group, with what is known of each answer.

A layout that reads a list of answers gives the group itself. One that reads right and wrong answers gives pairs, of
which the group is put together again here: a right answer is worth 1, a wrong one 0. Knows no file.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.records import Candidates, Pair, Reject, Text


def of_right_and_wrong(outcomes: Sequence[Pair | Reject]) -> Candidates | None:
    """The group whose right answers were each held against its wrong ones; None where fewer than two became pairs.

    A single pair is no group: what can be said of it, its accuracy says.
    """
    pairs = [one for one in outcomes if isinstance(one, Pair)]
    right: list[Text] = list(dict.fromkeys(pair.chosen for pair in pairs))
    wrong: list[Text] = list(dict.fromkeys(pair.rejected for pair in pairs))
    if len(right) + len(wrong) < 3:
        return None
    first = pairs[0]
    return Candidates(
        id=first.id.rpartition("/")[0] or first.id,
        prompt=first.prompt,
        answers=(*right, *wrong),
        scores=(*(1.0 for _ in right), *(0.0 for _ in wrong)),
        category=first.category,
        group=first.group,
        source=first.source,
        where=first.where,
    )
