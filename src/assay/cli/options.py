"""Options every command shares, and one way to print. Knows typer and rich; knows no stage."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from assay.artifacts import dumps

ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE.yaml", help="Options from a YAML file.", show_default=False)
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One option over the file; may be repeated.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]


def console() -> Console:
    """Standard output: with colour on a terminal, plain lines elsewhere."""
    return Console(file=sys.stdout, soft_wrap=True, highlight=False)


def notes() -> Console:
    """Standard error, for progress and remarks that are not the result."""
    return Console(file=sys.stderr, soft_wrap=True, highlight=False)


def output(value: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print a result: `text` for people, `value` as one JSON object with --json."""
    if as_json:
        sys.stdout.write(dumps(value, indent=True).decode() + "\n")
    else:
        console().print(text, markup=True)
