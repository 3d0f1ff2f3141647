"""A script: score a file by two workers on Ray, as `assay score --engine ray` does, with a scorer that dies on request.

Usage: python -m tests.support.spread_driver SCORER MARKS DATA OUT [TIMEOUT]. Exit code 2 and the message for an
AssayError.
"""

from __future__ import annotations

import sys

from assay.bulk.spread import Crewing
from assay.bulk.spread_scorer import refuse_aside
from assay.errors import AssayError
from assay.flows.score import ScoreConfig
from assay.flows.spread_score import spread_score
from tests.support.deadly_scorer import DeadlyOpening

BLOCK = 3


def main(scorer: str, marks: str, data: str, out: str, timeout: str | None = None) -> None:
    opening = DeadlyOpening(scorer=scorer, marks=marks)
    crewing = Crewing(workers=2, timeout=None if timeout is None else float(timeout), said=print)
    done = spread_score(opening, data, out, crewing=crewing, config=ScoreConfig(), block=BLOCK)
    refuse_aside(done.aside)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except AssayError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
