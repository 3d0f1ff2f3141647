"""Takes out of a closed study what tells who its editors are: names, the seed, clock times and comments.

The seed goes because with it and a name the plan's order tells who is who.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

from assay.study.study_records import ClosedStudy, Editor, Study


def anonymised(closed: ClosedStudy, *, times: bool = False, comments: bool = False) -> ClosedStudy:
    """The study as an export tells it: editors by pseudonym and in an order that says nothing about them."""
    names = pseudonyms(closed.study)
    votes = [
        replace(
            vote,
            editor=names[vote.editor],
            at=vote.at if times else "",
            comment=vote.comment if comments else "",
        )
        for vote in closed.votes
    ]
    order = {name: number for number, name in enumerate(names.values())}
    study = closed.study
    cut = None if times else len("2026-01-31")
    return ClosedStudy(
        study=replace(
            study,
            seed=None,
            created_at=study.created_at[:cut],
            closed_at=study.closed_at[:cut] if study.closed_at else None,
            config={key: value for key, value in study.config.items() if key != "seed"},
            editors=tuple(
                sorted(
                    (Editor(name=names[editor.name], judge=editor.judge) for editor in study.editors),
                    key=lambda editor: order[editor.name],
                )
            ),
        ),
        items=dict(sorted(closed.items.items())),
        votes=tuple(sorted(votes, key=lambda vote: (order[vote.editor], vote.position))),
        planned=dict(sorted(((names[n], count) for n, count in closed.planned.items()), key=lambda e: order[e[0]])),
    )


def pseudonyms(study: Study) -> dict[str, str]:
    """editor name -> pseudonym, in the pseudonyms' order; the same at each export of a study.

    Drawn by a keyed hash of the name. The key is made of the seed, which no export holds; a study read from an export
    has none, and its names are pseudonyms already.
    """
    names = [editor.name for editor in study.editors]
    if study.seed is None:
        return {name: name for name in names}
    # Without a key anyone could hash the names of likely editors and compare.
    key = f"{study.seed}:{study.seal}:pseudonyms".encode()
    drawn = sorted(names, key=lambda name: hmac.new(key, name.encode(), hashlib.sha256).digest())
    return {name: f"editor-{number}" for number, name in enumerate(drawn, start=1)}
