"""What a debate's prompt file says: what debaters are asked, what the judge is asked, and how the verdict is read."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import yaml
from pydantic import Field

from assay.artifacts.files import sha256_json
from assay.config import StageConfig, read_yaml
from assay.errors import ConfigError
from assay.scorers.judge.judge_prompt import PLACEHOLDER, JudgePrompt, PromptFile, verdict_pattern

SHOWN = frozenset({"prompt", "answer_a", "answer_b", "transcript"})
MAY_ARGUE = SHOWN | {"side", "other", "words", "round", "reference", "mark"}
MAY_DECIDE = SHOWN | {"reference", "mark"}


class DebatePromptFile(StageConfig):
    """argue: of a debater. decide: of the judge, with parse, first, second and tie as in a judge's prompt file."""

    argue: PromptFile = Field(description="system and user; needs {side} and both answers")
    decide: PromptFile = Field(description="system, user and parse; needs both answers and {transcript}")


@dataclass(frozen=True, slots=True)
class DebatePrompt:
    """Both prompts, held against what a debate puts into them."""

    argue: JudgePrompt
    decide: JudgePrompt

    @property
    def shows_reference(self) -> bool:
        return any("{reference}" in one.file.system + one.file.user for one in (self.argue, self.decide))

    @property
    def fingerprint(self) -> str:
        return sha256_json([self.argue.fingerprint, self.decide.fingerprint])


def open_debate_prompt(path: Path | None) -> DebatePrompt:
    """The prompts of a file, or assay's own. Raises ConfigError, with the file, for what cannot be used."""
    place = str(path) if path is not None else "assay's own prompt debate"
    try:
        text = (
            path.read_text(encoding="utf-8")
            if path is not None
            else resources.files("assay.scorers.debate").joinpath("prompts", "debate.yaml").read_text("utf-8")
        )
        loaded = read_yaml(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{place}: the debate's prompt cannot be read: {error}") from None
    if not isinstance(loaded, dict):
        raise ConfigError(f"{place}: expected the keys argue and decide, each with system and user.")
    try:
        file = DebatePromptFile.build(loaded)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None
    _checked(file.argue, f"{place}: argue", needed=frozenset({"prompt", "answer_a", "answer_b", "side"}), may=MAY_ARGUE)
    _checked(file.decide, f"{place}: decide", needed=SHOWN, may=MAY_DECIDE)
    return DebatePrompt(
        argue=JudgePrompt(file.argue, None),
        decide=JudgePrompt(file.decide, verdict_pattern(file.decide.parse, f"{place}: decide")),
    )


def _checked(file: PromptFile, place: str, *, needed: frozenset[str], may: frozenset[str]) -> None:
    used = set(PLACEHOLDER.findall(file.system + file.user))
    if missing := needed - used:
        told = ", ".join(f"{{{name}}}" for name in sorted(missing))
        raise ConfigError(f"{place}: needs {told}, which stands neither in system nor in user.")
    if unknown := used - may:
        known = ", ".join(f"{{{name}}}" for name in sorted(may))
        raise ConfigError(f"{place}: {{{min(unknown)}}} stands for nothing. There are {known}.")
