"""A verifier as a Scorer: a rule in this process, or a program in processes of its own with time limits.

A program that hangs, dies or writes no verdict costs the answer it was asked about, and is started anew for the next.
"""

from __future__ import annotations

import queue
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import orjson

from assay.artifacts.files import dumps
from assay.errors import ConfigError
from assay.records import Candidates, plain_text
from assay.scorers.protocol import Scored, Unscored
from assay.scorers.stated_reference import no_reference, stated_reference
from assay.scorers.verifier.checked_item import Checked
from assay.scorers.verifier.hosted_rules import HOSTED
from assay.scorers.verifier.line_process import LineProcess, ProcessFaultError
from assay.scorers.verifier.plain_rules import NEEDS_REFERENCE, PLAIN, plain_rule
from assay.scorers.verifier.verdict_lines import GarbageError, OtherAnswerError, verdict
from assay.scorers.verifier.verifier_config import VerifierConfig

STARTS = 300.0  # seconds in which a Python verifier must be ready: what it imports may be large


class VerifierScorer:
    """Gives each answer what its check says: 1 and 0 by a rule, any number by a program."""

    reads_source = True  # the reference answer stands there

    def __init__(self, config: VerifierConfig) -> None:
        self.config = config
        self._rule = plain_rule(config.kind, config.rest) if config.kind in PLAIN else None
        self._programs = None if self._rule is not None else Programs(config)

    @property
    def name(self) -> str:
        return f"verifier:{self.config.check}"

    @cached_property
    def fingerprint(self) -> str:
        return self.config.fingerprint()

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Raises ConfigError where a Python verifier cannot be imported, or a package it needs is not installed."""
        # A row's source may be nested, and so no key: its JSON is.
        keyed = [[self._key(group, place) for place in range(len(group.answers))] for group in groups]
        items: dict[tuple[str, str, bytes], Checked] = {}
        for keys, group in zip(keyed, groups, strict=True):
            reference = stated_reference(group.source, self.config.reference)
            for key in keys:
                items.setdefault(key, Checked(key[0], key[1], reference, group.source))
        found = dict(zip(items, self._verdicts(list(items.values())), strict=True))
        return [tuple(found[key] for key in keys) for keys in keyed]

    def close(self) -> None:
        """Ends its processes."""
        if self._programs is not None:
            self._programs.close()

    @staticmethod
    def _key(group: Candidates, place: int) -> tuple[str, str, bytes]:
        return plain_text(group.prompt), plain_text(group.answers[place]), dumps(dict(group.source))

    def _verdicts(self, items: Sequence[Checked]) -> list[Scored]:
        if self.config.kind in NEEDS_REFERENCE:
            whole = [item for item in items if item.reference is not None]
            found = iter(self._checked(whole))
            none = Unscored(no_reference(self.config.reference))
            return [none if item.reference is None else next(found) for item in items]
        return self._checked(items)

    def _checked(self, items: Sequence[Checked]) -> list[Scored]:
        if self._rule is not None:
            return [self._rule(item) for item in items]
        assert self._programs is not None
        return self._programs.ask(items)


class Programs:
    """As many processes of one program as may run at once, started when first needed and kept for the next call."""

    def __init__(self, config: VerifierConfig) -> None:
        self.config = config
        self.command = config.command()
        self.started = 0
        self._idle: queue.SimpleQueue[LineProcess | None] = queue.SimpleQueue()
        for _ in range(config.workers):
            self._idle.put(None)

    def ask(self, items: Sequence[Checked]) -> list[Scored]:
        """A verdict on each item, in order."""
        if not items:
            return []
        if self.config.kind in HOSTED or self.config.kind == "python":
            # The first alone: where it cannot be started, this is said once and not by every worker.
            first, items = self._asked((0, items[0])), items[1:]
            return [first, *self._together(items)]
        return self._together(items)

    def close(self) -> None:
        waiting = [self._idle.get() for _ in range(self.config.workers)]
        for program in waiting:
            if program is not None:
                program.close()
            self._idle.put(None)

    def _together(self, items: Sequence[Checked]) -> list[Scored]:
        with ThreadPoolExecutor(self.config.workers) as pool:
            return list(pool.map(self._asked, enumerate(items, 1)))

    def _asked(self, numbered: tuple[int, Checked]) -> Scored:
        number, item = numbered
        line = orjson.dumps({"id": number, **item.sent()}, default=str)
        program = self._idle.get()
        try:
            for again in (True, False):
                if program is not None and program.stale():
                    program.close()
                    program = None
                program = program or self._start()
                try:
                    return verdict(program.ask(line, self.config.seconds), number)
                except (ProcessFaultError, GarbageError) as error:
                    program.close()
                    program = None
                    # A line too many of the answer before is not this answer's fault: it is asked of a new process.
                    if not (again and isinstance(error, OtherAnswerError)):
                        return Unscored(f"the verifier {error}")
        except ProcessFaultError as error:  # it does not start
            return Unscored(f"the verifier {error}")
        finally:
            self._idle.put(program)
        raise AssertionError("the second try returns")

    def _start(self) -> LineProcess:
        """Raises ConfigError where a Python verifier is not usable, ProcessFaultError where it does not start."""
        self.started += 1
        program = LineProcess(self.command)
        if self.config.kind == "command":
            return program
        try:
            said = orjson.loads(program.ask(None, STARTS))
        except (ProcessFaultError, orjson.JSONDecodeError) as error:
            program.close()
            raise ConfigError(f"verifier:{self.config.check} does not start: {error}.") from None
        if "fault" in said:
            program.close()
            raise ConfigError(f"verifier:{self.config.check}: {said['fault']}")
        return program


def verifier(argument: str) -> VerifierScorer:
    """The verifier that `verifier:argument` names. Raises InputError for one there is not, ConfigError for its file."""
    return VerifierScorer(VerifierConfig.of(argument))
