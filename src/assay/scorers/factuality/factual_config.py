"""What `factual:...` may say: `rule`, a folder of texts, or a YAML file with the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from assay.config import StageConfig, load_config
from assay.errors import ConfigError, InputError
from assay.scorers.factuality.factual_reward import NOT_FOUND, WRONG
from assay.scorers.judge.judge_config import JudgeConfig

FILES = {".yaml", ".yml"}
# Of a judge's file: what decides how pairs are judged. A statement is judged by itself, by words, once.
OF_PAIRS = ("mode", "read", "votes", "scale", "prompt", "parse")


class FactualConfig(StageConfig):
    """A factuality reward.

    check: rule, or judge. folder: of texts in which to look beside the prompt. passages: of it, for each statement.
    judge: as after `judge:`, a file or a model's name. prompt: a file for the judge; none: assay's own. wrong: claims
    borne out that make up for one contradicted. not_found: worth of a claim of which nothing is told. cache: for the
    folder's index; none: in assay's own cache. max_requests: that statements may take of the judge, whose own bound
    holds beside it.
    """

    check: Literal["rule", "judge"] = "rule"
    folder: Path | None = None
    passages: int = Field(default=5, ge=1, le=50)
    judge: str | None = Field(default=None, min_length=1)
    prompt: Path | None = None
    wrong: float = Field(default=WRONG, ge=1, le=100)
    not_found: float = Field(default=NOT_FOUND, ge=-1, le=0)
    cache: Path | None = None
    max_requests: int | None = Field(default=None, ge=1)

    @classmethod
    def of(cls, argument: str) -> Self:
        """The configuration that `factual:argument` names. Raises ConfigError, InputError for what there is not."""
        path = Path(argument).expanduser()
        if argument == "rule":
            return cls()
        if path.suffix in FILES:
            found = load_config(cls, file=path)
            found._checked(path)
            # Paths in the file are beside the file, wherever the command is run.
            beside: dict[str, object] = {
                name: path.parent / place.expanduser()
                for name, place in (("folder", found.folder), ("prompt", found.prompt), ("cache", found.cache))
                if place is not None
            }
            if found.judge is not None and Path(found.judge).suffix in FILES:
                beside["judge"] = str(path.parent / Path(found.judge).expanduser())
            return found.model_copy(update=beside)
        if not argument or not path.is_dir():
            raise InputError(
                f"factual:{argument}: no such folder. Give factual:rule for the facts of the prompt, factual:FOLDER to "
                "look in its .txt, .md and .jsonl files too, or factual:FILE.yaml (docs/factuality.md)."
            )
        return cls(folder=path)

    def judge_config(self) -> JudgeConfig:
        """Who judges statements. Raises ConfigError for options of a judge of pairs."""
        assert self.judge is not None
        found = JudgeConfig.of(self.judge)
        in_file = Path(self.judge).suffix in FILES
        if in_file and (odd := [name for name in OF_PAIRS if name in found.model_fields_set]):
            raise ConfigError(
                f"{self.judge}: {', '.join(odd)}: a statement is judged by itself, by words and once, so this would "
                "change nothing. Leave it out; the prompt for statements is named as prompt in the factual file."
            )
        return found

    def _checked(self, path: Path) -> None:
        """Raises ConfigError for values that do not go together."""
        why = None
        if self.check == "judge" and self.judge is None:
            why = "check: judge, and no judge. Name one: judge: judge.yaml, or a model such as smollm2"
        elif self.check == "rule" and any(one is not None for one in (self.judge, self.prompt, self.max_requests)):
            why = "judge, prompt and max_requests are read with check: judge alone. Say so, or leave them out"
        elif self.folder is None and ("passages" in self.model_fields_set or self.cache is not None):
            why = "passages and cache are of a folder. Name it: folder: texts"
        if why is not None:
            raise ConfigError(f"{path}: {why}.")
