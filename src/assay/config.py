"""The base of all configurations, and the one way they are loaded: YAML, settings over it, errors that say where.

One file serves all commands: sections of other commands in it are validated and left aside. A setting on the command
line is meant for the command it was given to, so one that the command does not read is an error.
Options live in each room's config.py; what they do is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from assay.errors import ConfigError

C = TypeVar("C", bound="StageConfig")


class StageConfig(BaseModel):
    """Base of all stage configurations: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def build(cls, values: Mapping[str, object]) -> Self:
        """Validate `values`. Raises ConfigError that names the field, what it got and what it takes."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            told = "; ".join(cls.explained(issue) for issue in error.errors())
            raise ConfigError(f"Configuration not usable: {told}.") from None

    @classmethod
    def explained(cls, issue: Mapping[str, Any]) -> str:
        """One of pydantic's complaints in our words; for an unknown key, the keys there are."""
        place = ".".join(map(str, issue["loc"])) or cls.__name__
        if issue["type"] != "extra_forbidden":
            # pydantic puts the kind of the error before the words of our own checks
            said = issue["msg"].removeprefix("Value error, ")
            return f"{place}: {said} (got {issue['input']!r})"
        stage: type[BaseModel] = cls
        for part in issue["loc"][:-1]:
            inner = stage.model_fields[part].annotation if part in stage.model_fields else None
            if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
                return f"{place} is no option (got {issue['input']!r})"
            stage = inner
        near = get_close_matches(str(issue["loc"][-1]), stage.model_fields, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        return f"{place} is no option (got {issue['input']!r}){hint} Known keys here: {', '.join(stage.model_fields)}"


BOOL = "tag:yaml.org,2002:bool"


class OnceLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error: the first of its values would be lost without a word.

    `on` and `off` are words, as YAML 1.2 has it: options take them by these names.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


# A copy without truth values: the lists of SafeLoader serve every other reader in the process.
OnceLoader.yaml_implicit_resolvers = {
    letter: [pair for pair in pairs if pair[0] != BOOL]
    for letter, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
OnceLoader.add_implicit_resolver(
    BOOL, re.compile("^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE)$"), list("yYnNtTfF")
)


def read_yaml(text: str) -> object:
    """The value of a YAML text. Raises yaml.YAMLError, also where a key stands twice."""
    loaded: object = yaml.load(text, OnceLoader)  # a SafeLoader
    return loaded


def load_config(
    kind: type[C], *, file: Path | None = None, sets: Iterable[str] = (), family: type[StageConfig] | None = None
) -> C:
    """A configuration from a YAML file with `key.sub=value` settings over it (values are YAML).

    family: the configuration of all commands together, of which `kind` has some sections. The file may hold any of
    them; those that `kind` lacks must be right and are left aside. Settings may name only what `kind` has.
    Raises ConfigError that names the file and line, or the setting.
    """
    values = {} if file is None else read_config_file(file)
    if family is not None:
        family.build(values)
        values = {key: value for key, value in values.items() if key in kind.model_fields}
    for setting in sets:
        section = setting.partition("=")[0].strip().partition(".")[0]
        if family is not None and section in family.model_fields and section not in kind.model_fields:
            known = " and ".join(kind.model_fields)
            raise ConfigError(
                f"--set {setting}: {section} is not an option of this command, which reads {known}. "
                "(In a --config file it may stand: one file serves all commands.)"
            )
        merge_setting(values, setting)
    return kind.build(values)


def read_config_file(file: Path) -> dict[str, object]:
    """The keys and values of a YAML file. Raises ConfigError if it cannot be read or holds something else."""
    try:
        loaded = read_yaml(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: cannot be read as YAML: {error}") from None
    if loaded is not None and not isinstance(loaded, dict):
        raise ConfigError(f"{file}: expected keys and values, found a {type(loaded).__name__}.")
    return loaded or {}


def merge_setting(values: dict[str, object], setting: str) -> None:
    """Put one `key.sub=value` into nested `values`."""
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f'--set {setting!r}: expected key=value, such as "train.epochs=2".')
    *path, last = key.strip().split(".")
    place = values
    for part in path:
        inner = place.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {setting!r}: {part} is a value, not a group of options.")
        place = inner
    try:
        place[last] = read_yaml(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {setting!r}: the value is not YAML ({error}).") from None
