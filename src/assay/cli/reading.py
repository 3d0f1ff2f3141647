"""How a command is told to read pairs: --layout, --columns, --labels, --objective, --config and --set, as one argument.

`with_data_options` gives a command these six options in place of its parameter `options: DataOptions`;
`DataOptions.settings` makes the configuration of them. Knows typer and settings; reads nothing.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, TypeVar, get_type_hints

import typer

from assay.artifacts.files import dumps
from assay.cli.options import ConfigFile, Sets
from assay.config import StageConfig, load_config

C = TypeVar("C", bound=StageConfig)

LayoutName = Annotated[
    str | None,
    typer.Option(
        "--layout", metavar="NAME|FILE.yaml", help="Layout, by name or in a file of yours, if not recognised."
    ),
]
ColumnNames = Annotated[
    list[str] | None,
    typer.Option("--columns", metavar="OURS=YOURS,...", help="Your columns: prompt=instruction,chosen=good."),
]
LabelNames = Annotated[
    list[str] | None, typer.Option("--labels", metavar="LABEL=SIDE,...", help="Your labels: 1=left,2=right,0=tie.")
]

ObjectiveName = Annotated[
    str | None,
    typer.Option("--objective", metavar="NAME", help="Read one objective's pairs alone: helpful, safer, ..."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOptions:
    """What a command that reads pairs was told; its fields are the options, in the order of --help."""

    layout: LayoutName = None
    columns: ColumnNames = None
    labels: LabelNames = None
    objective: ObjectiveName = None
    config: ConfigFile = None
    sets: Sets = None

    def settings(
        self, kind: type[C], more: Mapping[str, object] | None = None, *, family: type[StageConfig] | None = None
    ) -> C:
        """The configuration: the file, over it these options and `more` by key, over all what --set says.

        family: the configuration of all commands together, whose other sections may stand in the file.
        Raises ConfigError, and typer.BadParameter for what is no list of names.
        """
        flags = {**_flags(self.layout, self.columns, self.labels), "data.objective": self.objective, **(more or {})}
        return load_config(kind, file=self.config, sets=_as_settings(flags, self.sets), family=family)

    def sets_any(self, section: str) -> bool:
        """Whether --set names something of that section, which then has to be read; in the file it may stand idle."""
        return any(text.strip().startswith(f"{section}.") for text in self.sets or ())


UNSET = DataOptions()


def with_data_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the fields of DataOptions, and of every other frozen group of options among its parameters, in
    place of that parameter, which it is then called with."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if isinstance(hint, type) and is_dataclass(hint)}
    shown: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        group = groups.get(parameter.name)
        if group is not None:
            ours = get_type_hints(group, include_extras=True)
            shown += [
                inspect.Parameter(field.name, parameter.KEYWORD_ONLY, default=None, annotation=ours[field.name])
                for field in fields(group)
            ]
        else:
            shown.append(parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY))

    @functools.wraps(command)
    def called(**values: object) -> None:
        told = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**values, **told)

    # typer reads the signature, and the annotations besides it
    called.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return called


def _flags(layout: str | None, columns: Sequence[str] | None, labels: Sequence[str] | None) -> dict[str, object]:
    """The three flags by the keys of the configuration. Raises typer.BadParameter for what is no list of names."""
    return {
        "data.layout": layout,
        "data.columns": _mapping(columns, "--columns", "prompt=instruction,chosen=good"),
        "data.labels": _mapping(labels, "--labels", "1=left,2=right,0=tie"),
    }


def _as_settings(flags: Mapping[str, object], sets: Iterable[str] | None) -> list[str]:
    """Flags that were given, as `key=value` settings whose values are YAML; --set comes after and so wins."""
    given = [f"{key}={dumps(value).decode()}" for key, value in flags.items() if value is not None]
    return given + list(sets or [])


def _mapping(texts: Sequence[str] | None, option: str, example: str) -> dict[str, str] | None:
    """`a=b,c=d`, given once or several times, as a mapping. Raises typer.BadParameter on anything else.

    What labels mean holds no "=", labels may ("A>=B=left"); columns may, our names for them do not.
    """
    if not texts:
        return None
    found: dict[str, str] = {}
    for part in (part for text in texts for part in text.split(",") if part.strip()):
        ours, equals, yours = part.rpartition("=") if option == "--labels" else part.partition("=")
        ours, yours = ours.strip(), yours.strip()
        if not equals or not ours or not yours:
            raise typer.BadParameter(f"{part!r}: expected name=name, such as {example}.", param_hint=option)
        if ours in found:
            raise typer.BadParameter(f"{ours} is given twice: {found[ours]} and {yours}.", param_hint=option)
        found[ours] = yours
    if not found:
        raise typer.BadParameter(f"nothing is named; expected such as {example}.", param_hint=option)
    return found
