"""Options several commands share, the command as it was typed, one way to print. Knows typer, rich; knows no stage."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from assay.artifacts.files import dumps
from assay.study.study_address import without_password
from assay.train.config import OnOff

ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE.yaml", help="Options from a YAML file.", show_default=False)
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One option over the file; may be repeated.", show_default=False),
]
StudyPlace = Annotated[
    str, typer.Argument(metavar="STUDY", help="The study: a SQLite file, or postgresql://user@host/database.")
]
StudyOrExport = Annotated[
    str, typer.Argument(metavar="STUDY|EXPORT", help="A closed study, or a folder that assay study export wrote.")
]
Sharing = Annotated[
    OnOff | None,
    typer.Option(
        "--sharing", help="Run each token of a shared prompt once (on); changes time only.", show_default=False
    ),
]
ScorerArgument = Annotated[
    str,
    typer.Argument(
        help="A reward model by folder or hub id, a run folder, a file of recorded scores, or kind:argument, such as "
        "baseline:longest, ensemble:A,B, judge:FILE.yaml, jury:FILE.yaml, debate:FILE.yaml or "
        "vllm:http://host:8000/MODEL."
    ),
]
TemplateOption = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="FILE|plain",
        help="Chat template of a model that was published without one: a file of jinja, or plain for 'User: ...', "
        "'Assistant: ...' lines.",
        show_default=False,
    ),
]
Probes = Annotated[
    str | None,
    typer.Option(
        "--probes",
        metavar="all|none|NAMES",
        help="Score changed answers (filler, flattery, typos, ...) and answers under other prompts (prompt_swap) "
        "too; names with commas between. None by default: it costs more scoring, which a line says before.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]

# Characters a terminal obeys instead of showing: controls (but line breaks and tabs) and changes of direction.
DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
OBEYED = {
    code: f"⟨U+{code:04X}⟩" for code in (*range(0x20), *range(0x7F, 0xA0), *DIRECTIONS) if chr(code) not in "\n\t"
}


def command_line() -> str:
    """The command as the user typed it, for reports; the password of a database's address is never kept."""
    return shlex.join(["assay", *map(without_password, sys.argv[1:])])


def console() -> Console:
    """Standard output: with colour on a terminal, plain lines elsewhere."""
    return Console(file=sys.stdout, soft_wrap=True, highlight=False)


def notes() -> Console:
    """Standard error, for progress and remarks that are not the result."""
    return Console(file=sys.stderr, soft_wrap=True, highlight=False)


def output(value: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print a result: `text` for people, `value` as one JSON object with --json.

    Names that come from data may hold what a terminal obeys: control and direction characters are shown, not sent.
    """
    if as_json:
        sys.stdout.write(dumps(value, indent=True).decode() + "\n")
    else:
        console().print(text.translate(OBEYED), markup=True)
