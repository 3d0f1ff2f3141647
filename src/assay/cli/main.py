"""The `assay` command: the table of command groups, and what errors and interrupts mean as exit codes."""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import Annotated

import typer

from assay.cli import (
    advise,
    audit,
    bench,
    capability,
    compare,
    data,
    demo_dpo,
    demo_optimise,
    dpo,
    fresh,
    gate,
    generate,
    models,
    objectives,
    optimise,
    plan,
    push,
    remedies,
    report,
    rerank,
    reward,
    score,
    serve,
    simulate,
    study,
)
from assay.errors import AssayError, first_line
from assay.models.quiet import drop_kernel_advice
from assay.version import __version__

# In the order of `assay --help`: the flow first, then its stages, then everything around it.
GROUPS = (
    reward,
    dpo,
    remedies,
    advise,
    data,
    objectives,
    plan,
    audit,
    compare,
    optimise,
    fresh,
    bench,
    capability,
    gate,
    report,
    score,
    rerank,
    push,
    serve,
    generate,
    simulate,
    models,
    study,
    demo_dpo,
    demo_optimise,
)
INTERRUPTED = 130
BAD_INPUT = 2
OUR_FAULT = 70  # sysexits.h's EX_SOFTWARE: not 1, which says that a gate failed


def build() -> typer.Typer:
    app = typer.Typer(
        name="assay",
        help="Preference pairs in, a reward model or a tuned policy out, with a verdict that can be defended.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    for group in GROUPS:
        group.register(app)
    return app


def say_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"assay {__version__}\n")
        raise typer.Exit


def root(
    version: Annotated[
        bool, typer.Option("--version", callback=say_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Preference pairs in, a reward model or a tuned policy out, with a verdict that can be defended."""


NO_MEMORY = (
    "out of memory ({}). What was saved is kept. Give a forward pass fewer tokens: --micro-tokens N, in training --set "
    "train.micro_tokens=N (a CPU takes 2,048 by itself, a GPU 16,384), or shorter rows by --max-tokens; and see "
    "whether other programs hold the memory."
)


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 1 gate failed, 2 bad input, 3 undecided, 70 a mistake of assay's own, 130 interrupted.
    """
    drop_kernel_advice()
    say_what_cannot_be_said()
    try:
        build()()
    except AssayError as error:
        sys.stderr.write(f"{speaker()}: {error}\n")
        sys.exit(BAD_INPUT)
    except OSError as error:
        sys.stderr.write(f"assay: {refused(error)}\n")
        sys.exit(BAD_INPUT)
    except Exception as error:  # anything else would exit with 1 and read as a verdict
        if no_memory_left(error):
            sys.stderr.write(f"{speaker()}: {NO_MEMORY.format(first_line(error))}\n")
            sys.exit(BAD_INPUT)
        traceback.print_exc()
        sys.stderr.write("assay: this is a mistake in assay, not in your data. Please report the lines above.\n")
        sys.exit(OUR_FAULT)
    except (KeyboardInterrupt, SystemExit) as end:
        # typer makes an exit of an interruption inside a command, and says nothing.
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:
            raise
        sys.stderr.write("assay: interrupted. Run the same command again to go on where it stopped.\n")
        sys.exit(INTERRUPTED)


def speaker() -> str:
    """Who says what went wrong: of several processes, which."""
    return f"assay, process {os.environ['RANK']}" if os.environ.get("RANK", "0") != "0" else "assay"


def no_memory_left(error: BaseException) -> bool:
    """Whether torch or Python asked for more memory than there is. Told by name: most commands never load torch."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"  # torch's, of a GPU
        or (isinstance(error, RuntimeError) and "DefaultCPUAllocator: not enough memory" in str(error))
        or (isinstance(error, RuntimeError) and "DefaultCPUAllocator: can't allocate memory" in str(error))
    )


def say_what_cannot_be_said() -> None:
    """A character that the terminal's encoding has not is written as its number, and ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not what a caller put in its place
            stream.reconfigure(errors="backslashreplace")


def refused(error: OSError) -> str:
    """What the system would not do, to which file, and the way out."""
    place = str(error.filename2 or error.filename or "a file or connection")
    why = error.strerror or str(error)
    return f"{place}: the system says {why!r}. Is the place right, may you write there, and is there room on the disk?"


if __name__ == "__main__":  # torchrun and accelerate launch start a module: -m assay.cli.main
    main()
