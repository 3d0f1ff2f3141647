"""The `assay` command: the table of command groups, and what errors and interrupts mean as exit codes."""

from __future__ import annotations

import sys

import typer

from assay.cli import audit, data, gate, models, report, reward, score, simulate, study
from assay.errors import AssayError

# In the order of `assay --help`: the flow first, then its stages, then everything around it.
GROUPS = (reward, data, audit, gate, report, score, simulate, models, study)
INTERRUPTED = 130
BAD_INPUT = 2


def build() -> typer.Typer:
    app = typer.Typer(
        name="assay",
        help="Preference pairs in, a reward model or a tuned policy out, with a verdict that can be defended.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for group in GROUPS:
        group.register(app)
    return app


def main() -> None:
    """Run the command line; exit codes: 0 done, 1 gate failed, 2 bad input, 3 undecided, 130 interrupted."""
    try:
        build()()
    except AssayError as error:
        sys.stderr.write(f"assay: {error}\n")
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        sys.stderr.write("assay: interrupted. Run the same command again to go on where it stopped.\n")
        sys.exit(INTERRUPTED)
