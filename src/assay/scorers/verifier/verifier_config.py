"""What `verifier:...` may say: a rule by name, a Python function, a command, or a YAML file with limits beside it."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Self

from pydantic import Field

from assay.artifacts.files import sha256_file, sha256_json
from assay.config import StageConfig, load_config
from assay.errors import ConfigError, InputError
from assay.scorers.verifier import memory_bound
from assay.scorers.verifier.hosted_rules import HOSTED
from assay.scorers.verifier.plain_rules import PLAIN

FILES = {".yaml", ".yml"}
PROGRAMS = ("python", "command")


class VerifierConfig(StageConfig):
    """A verifier.

    check: as after `verifier:`, such as numeric or python:FILE.py:function. reference: the field of a row's source that
    holds the reference answer; none: the first of those in docs/scorers.md. seconds: for one answer. memory_mb: address
    space of the process. workers: processes at once.
    """

    check: str = Field(min_length=1)
    reference: str | None = None
    seconds: float = Field(default=10.0, gt=0)
    memory_mb: int = Field(default=4096, ge=64)
    workers: int = Field(default=2, ge=1, le=64)

    @classmethod
    def of(cls, argument: str) -> Self:
        """The configuration that `verifier:argument` names. Raises ConfigError, InputError for what there is not."""
        path = Path(argument).expanduser()
        found = load_config(cls, file=path) if path.suffix in FILES and ":" not in argument else None
        found = found or cls(check=argument or "(nothing)")
        if found.kind not in (*PLAIN, *HOSTED, *PROGRAMS):
            raise InputError(
                f"verifier:{found.check}: no such verifier. There are {', '.join((*PLAIN, *HOSTED))}, "
                "python:FILE.py:function, command:PROGRAM, and a YAML file that names one under check."
            )
        return found

    @property
    def kind(self) -> str:
        return self.check.partition(":")[0]

    @property
    def rest(self) -> str:
        return self.check.partition(":")[2]

    def command(self) -> list[str]:
        """What is started for a verifier that runs in a process. Raises InputError where that is not there."""
        if self.kind == "command":
            words = self._words()
            if not words or shutil.which(words[0]) is None:
                raise InputError(f"verifier:{self.check}: no program {words[0] if words else ''!r} to run.")
            return [sys.executable, "-P", str(memory_bound.__file__), str(self.memory_mb), *words]
        if self.kind == "python":
            file, _, function = self.rest.rpartition(":")
            if not function or not Path(file).expanduser().is_file():
                raise InputError(
                    f"verifier:{self.check}: {file or self.rest!r} is no file. Give verifier:python:FILE.py:function."
                )
        host = "assay.scorers.verifier.host"
        return [sys.executable, "-P", "-m", host, str(self.memory_mb), self.kind, self.rest]

    def fingerprint(self) -> str:
        """Of the check and, where it names files, of their bytes; what those files import or read is not seen."""
        named: list[str] = []
        if self.kind == "command":
            named = self._words()
        elif self.kind == "python":
            named = [self.rest.rpartition(":")[0]]
        elif self.kind == "json_schema":
            named = [self.rest]
        paths = [Path(name).expanduser() for name in named]
        files = {str(path): sha256_file(path) for path in paths if path.is_file()}
        return sha256_json({"check": self.check, "reference": self.reference, "files": files})

    def _words(self) -> list[str]:
        try:
            return shlex.split(self.rest)
        except ValueError as error:
            raise ConfigError(f"verifier:{self.check}: {error}.") from None
