"""From a policy and prompts to a file of answers, by several workers: `assay generate --engine ray`.

What is written while it runs, and what a killed command goes on with, is as in `generate.py`: a line an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay.bulk.held_work import PolicyOpening
from assay.bulk.spread import Crewing, spread_policy
from assay.errors import ConfigError
from assay.flows.generate import AnswersFile, generate_file, prompts_in


def spread_generate(
    opening: PolicyOpening,
    prompts: str,
    out: Path,
    *,
    n: int,
    crewing: Crewing,
    notify: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[AnswersFile, tuple[tuple[str, int], ...]]:
    """n answers to each prompt of a file, into the JSON lines `out`.

    Besides what was written, the answers that ended every worker that took them, by their prompt's id and number.
    Raises ConfigError where each worker would choose a precision by itself, InputError for a policy that is not run
    here, and what `generate_file` and opening raise.
    """
    if opening.writing is not None and opening.writing.precision == "auto":
        raise ConfigError(
            "precision auto is measured by each worker for itself, and two may choose differently. Name one: "
            "--precision float32 or bf16."
        )
    asked = prompts_in(prompts)  # what cannot be read costs no worker
    with spread_policy(opening, crewing) as policy:
        done = generate_file(policy, asked, out, n=n, sampling=opening.sampling, notify=notify)
        return done, tuple(policy.aside)
