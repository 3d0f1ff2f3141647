"""The options by which every command that reads pairs is told how to. Knows typer and settings; reads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from assay.artifacts.files import dumps

LayoutName = Annotated[str | None, typer.Option("--layout", help="Layout, where it is not to be recognised.")]
ColumnNames = Annotated[
    str | None,
    typer.Option("--columns", metavar="OURS=YOURS,...", help="Your columns: prompt=instruction,chosen=good."),
]
LabelNames = Annotated[
    str | None, typer.Option("--labels", metavar="LABEL=SIDE,...", help="Your labels: 1=left,2=right,0=tie.")
]


def reading(layout: str | None, columns: str | None, labels: str | None) -> dict[str, Any]:
    """The three flags by the keys of the configuration. Raises typer.BadParameter for what is no list of names."""
    return {
        "data.layout": layout,
        "data.columns": None if columns is None else mapping(columns, "--columns", "prompt=instruction,chosen=good"),
        "data.labels": None if labels is None else mapping(labels, "--labels", "1=left,2=right,0=tie"),
    }


def as_settings(flags: Mapping[str, Any], sets: Iterable[str] | None) -> list[str]:
    """Flags that were given, as `key=value` settings whose values are YAML; --set comes after and so wins."""
    given = [f"{key}={dumps(value).decode()}" for key, value in flags.items() if value is not None]
    return given + list(sets or [])


def mapping(text: str, option: str, example: str) -> dict[str, str]:
    """`a=b,c=d` as a mapping. Raises typer.BadParameter on anything else."""
    parts = [part.split("=", 1) for part in text.split(",") if part.strip()]
    if not parts or any(len(part) != 2 or not all(side.strip() for side in part) for part in parts):
        raise typer.BadParameter(f"{text!r}: expected name=name, such as {example}.", param_hint=option)
    return {ours.strip(): yours.strip() for ours, yours in parts}
