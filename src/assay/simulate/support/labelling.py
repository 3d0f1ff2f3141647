"""Cases -> labelled pairs of the support desk, category by category.

Knows nothing of defects; those are planted in what this gives.
"""

from __future__ import annotations

from functools import partial

from assay.simulate.paired_votes import Labelled, couples, put_to_vote
from assay.simulate.random_values import simulation_stream, weighted
from assay.simulate.support.annotators import Annotator, vote
from assay.simulate.support.categories import CATEGORIES

# Pairs of candidates nearer in utility than this are not sent to the annotators: nobody could tell them apart.
LEAST_APART = 0.6


def label_category(category: str, wanted: int, *, seed: int, annotators: tuple[Annotator, ...]) -> list[Labelled]:
    """Cases of one category until there are enough pairs; several candidates a case, two to four pairs of them."""
    cases, votes = simulation_stream(seed, f"cases/{category}"), simulation_stream(seed, f"votes/{category}")
    voters = [(one.name, partial(vote, annotator=one)) for one in annotators]
    out: list[Labelled] = []
    number = 0
    while len(out) < wanted:
        case = CATEGORIES[category](cases, cases.choice((3, 4, 4, 5)))
        most = weighted(cases, {2: 0.3, 3: 0.4, 4: 0.3})
        found = couples(cases, case.answers, least_apart=LEAST_APART, most=most)
        if len(found) < 2:
            continue
        group = f"{category}/{number}"
        for couple in found[: wanted - len(out)]:
            out.append(
                put_to_vote(
                    votes, case.answers, couple, voters, prompt=case.prompt, category=case.category, group=group
                )
            )
        number += 1
    return out
