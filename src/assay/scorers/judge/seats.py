"""Judges as a jury's or a debate's file names them: files, models, or their options in place; each under one name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from assay.config import read_config_file
from assay.errors import ConfigError
from assay.scorers.judge.judge_config import FILES, JudgeConfig

Named = str | JudgeConfig
# Options that change no reply.
HOW = ("key_env", "seconds", "retries", "concurrency", "cache", "max_requests", "device")


def seats_file(path: Path, example: str) -> dict[str, object]:
    """What a file of judges says, unchecked. example: what should have been given. Raises ConfigError."""
    if path.suffix not in FILES:
        raise ConfigError(f"{path.name or 'nothing'} is no YAML file. Give {example}.")
    return read_config_file(path)


def seated(named: Sequence[Named], path: Path) -> dict[str, JudgeConfig]:
    """Judges by name; paths are beside `path`, the file that names them. Judges of one name are numbered.

    Raises ConfigError for a judge that cannot be, or that stands twice as it is and would count double.
    """
    found: dict[str, JudgeConfig] = {}
    for one in named:
        name, config = seat(one, path)
        if any(_asks(config) == _asks(other) for other in found.values()):
            raise ConfigError(
                f"{path}: {name} stands twice and would say the same twice. Name each judge once; for several votes of "
                "one give it votes, or another seed and a temperature."
            )
        found[free_name(name, found)] = config
    return found


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, with the first number behind it that makes it another than those taken.

    >>> free_name("a", ["a #2"]), free_name("a", ["a", "a #2"])
    ('a', 'a #3')
    """
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name} #{number}"
    return found


def _asks(config: JudgeConfig) -> JudgeConfig:
    """What decides what a judge says, without how it is asked: its time, its key, where replies are kept.

    Where nothing is drawn, a seed changes nothing either.
    """
    plain = {name: JudgeConfig.model_fields[name].get_default() for name in HOW}
    drawn = config.endpoint is not None and config.heat > 0 and not config.by_token
    seen = {} if drawn else {"seed": 0, "temperature": None}
    return config.model_copy(update=plain | seen)


def seat(named: Named, path: Path) -> tuple[str, JudgeConfig]:
    """One judge and what it is called: its file's name without the ending, or its model."""
    if isinstance(named, str):
        its_file = Path(named).suffix in FILES
        config = JudgeConfig.of(str(path.parent / Path(named).expanduser()) if its_file else named)
        return (Path(named).stem if its_file else named), config
    named.checked(path)
    return named.model, named.beside(path)
