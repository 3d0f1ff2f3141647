"""How a command is told to read pairs: --layout, --columns, --labels, --config and --set, as one argument.

`with_data_options` gives a command these five options in place of its parameter `options: DataOptions`;
`DataOptions.settings` makes the configuration of them. Knows typer and settings; reads nothing.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, TypeVar, get_type_hints

import typer

from assay.artifacts.files import dumps
from assay.cli.options import ConfigFile, Sets
from assay.config import StageConfig, load_config

C = TypeVar("C", bound=StageConfig)

LayoutName = Annotated[str | None, typer.Option("--layout", help="Layout, where it is not to be recognised.")]
ColumnNames = Annotated[
    str | None,
    typer.Option("--columns", metavar="OURS=YOURS,...", help="Your columns: prompt=instruction,chosen=good."),
]
LabelNames = Annotated[
    str | None, typer.Option("--labels", metavar="LABEL=SIDE,...", help="Your labels: 1=left,2=right,0=tie.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOptions:
    """What a command that reads pairs was told; its fields are the options, in the order of --help."""

    layout: LayoutName = None
    columns: ColumnNames = None
    labels: LabelNames = None
    config: ConfigFile = None
    sets: Sets = None

    def settings(
        self, kind: type[C], more: Mapping[str, object] | None = None, *, family: type[StageConfig] | None = None
    ) -> C:
        """The configuration: the file, over it these options and `more` by key, over all what --set says.

        family: the configuration of all commands together, whose other sections may stand in the file.
        Raises ConfigError, and typer.BadParameter for what is no list of names.
        """
        flags = {**_flags(self.layout, self.columns, self.labels), **(more or {})}
        return load_config(kind, file=self.config, sets=_as_settings(flags, self.sets), family=family)


UNSET = DataOptions()


def with_data_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the fields of DataOptions in place of its parameter `options`, which it is then called with."""
    hints = get_type_hints(command, include_extras=True)
    shown: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if hints[parameter.name] is DataOptions:
            ours = get_type_hints(DataOptions, include_extras=True)
            shown += [
                inspect.Parameter(field.name, parameter.KEYWORD_ONLY, default=None, annotation=ours[field.name])
                for field in fields(DataOptions)
            ]
        else:
            shown.append(parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY))

    @functools.wraps(command)
    def called(**values: object) -> None:
        options = {field.name: values.pop(field.name) for field in fields(DataOptions)}
        command(**values, options=DataOptions(**options))  # type: ignore[arg-type]  # typer has checked them

    # typer reads the signature, and the annotations besides it
    called.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return called


def _flags(layout: str | None, columns: str | None, labels: str | None) -> dict[str, object]:
    """The three flags by the keys of the configuration. Raises typer.BadParameter for what is no list of names."""
    return {
        "data.layout": layout,
        "data.columns": None if columns is None else _mapping(columns, "--columns", "prompt=instruction,chosen=good"),
        "data.labels": None if labels is None else _mapping(labels, "--labels", "1=left,2=right,0=tie"),
    }


def _as_settings(flags: Mapping[str, object], sets: Iterable[str] | None) -> list[str]:
    """Flags that were given, as `key=value` settings whose values are YAML; --set comes after and so wins."""
    given = [f"{key}={dumps(value).decode()}" for key, value in flags.items() if value is not None]
    return given + list(sets or [])


def _mapping(text: str, option: str, example: str) -> dict[str, str]:
    """`a=b,c=d` as a mapping. Raises typer.BadParameter on anything else."""
    parts = [part.split("=", 1) for part in text.split(",") if part.strip()]
    if not parts or any(len(part) != 2 or not all(side.strip() for side in part) for part in parts):
        raise typer.BadParameter(f"{text!r}: expected name=name, such as {example}.", param_hint=option)
    found = {ours.strip(): yours.strip() for ours, yours in parts}
    names = [ours.strip() for ours, _ in parts]
    if twice := next((name for name in names if names.count(name) > 1), None):
        given = " and ".join(yours.strip() for ours, yours in parts if ours.strip() == twice)
        raise typer.BadParameter(f"{twice!r} is given twice ({given}): say which.", param_hint=option)
    return found
