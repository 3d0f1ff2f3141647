"""What a debate's file may say: who argues, who decides, for how many rounds, and how many requests it may take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from assay.config import StageConfig
from assay.errors import ConfigError
from assay.scorers.judge.judge_config import JudgeConfig
from assay.scorers.judge.seats import Named, free_name, seat, seated, seats_file

EXAMPLE = "debate:FILE.yaml with debaters: and judge:"


class DebateConfig(StageConfig):
    """A file of `debate:FILE.yaml`. Judges are files, models, or options in place, as in a jury's."""

    debaters: list[Named] = Field(
        min_length=1, max_length=2, description="who argues: the first for the answer shown first; one argues for both"
    )
    judge: Named = Field(description="who decides, from the answers and the transcript")
    rounds: int = Field(default=1, ge=1, le=8, description="speeches of each side")
    words: int = Field(default=120, ge=10, le=2000, description="words a debater is asked to keep to")
    prompt: Path | None = Field(default=None, description="a file with argue and decide, beside this one")
    transcripts: Path | None = Field(default=None, description="JSON lines that get every debate, beside this file")
    max_requests: int | None = Field(default=None, ge=1, description="requests of all three together")


@dataclass(frozen=True, slots=True, kw_only=True)
class Debate:
    """A debate's file, read. names: of the debaters and the judge, in this order; configs: of each, by name.

    One debater who argues for both stands twice in names, and a judge who argues too is one of them.
    """

    config: DebateConfig
    names: tuple[str, str, str]
    configs: dict[str, JudgeConfig]

    @property
    def calls(self) -> dict[str, int]:
        """Of each of them in one order of the answers; a comparison takes both orders."""
        first, second, judge = self.names
        found = dict.fromkeys(self.configs, 0)
        for name, count in ((first, self.config.rounds), (second, self.config.rounds), (judge, 1)):
            found[name] += count
        return found

    @property
    def calls_a_comparison(self) -> int:
        return 2 * sum(self.calls.values())


def debate_of(path: Path) -> Debate:
    """The debate of a file. Raises ConfigError."""
    config = DebateConfig.build(seats_file(path, EXAMPLE))
    configs = {name: _speaking(one, name, path) for name, one in seated(config.debaters, path).items()}
    first, *other = configs
    name, judge = seat(config.judge, path)
    judge = _speaking(judge, name, path)
    # The same model under the same options is one of the debaters, whose calls and name it shares.
    known = next((known for known, one in configs.items() if one == judge), None)
    if known is None:
        known = name if name not in configs else free_name(f"{name} (judge)", configs)
        configs[known] = judge
    beside = {
        option: path.parent / place.expanduser()
        for option, place in (("prompt", config.prompt), ("transcripts", config.transcripts))
        if place is not None
    }
    return Debate(
        config=config.model_copy(update=beside), names=(first, other[0] if other else first, known), configs=configs
    )


def _speaking(config: JudgeConfig, name: str, path: Path) -> JudgeConfig:
    """The same, writing: a model named alone would be read by token. Raises ConfigError for what no debate reads."""
    if config.mode != "pairwise" or config.votes != 1:
        raise ConfigError(f"{path}: {name}: a debate is in words and in both orders: leave mode and votes out.")
    return config.model_copy(update={"read": "text"})
