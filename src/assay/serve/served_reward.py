"""One reward as it is served: opened, behind its gate, and probed before a request sees it.

A probe runs a few rows alone and together: a model that gives no number, or another one in company, is not served.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.errors import InputError, ModelError
from assay.scorers.ensemble import EnsembleScorer
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.open import of_a_server, open_scorer
from assay.scorers.protocol import Reward, Scored, Scorer, Unscored
from assay.scorers.remote.config import RemoteConfig
from assay.serve.asked import turns
from assay.serve.gate_pass import UNGATED, GateWatch, read_pass
from assay.serve.row_engine import ModelEngine, ReadRow, RowEngine, engine_for

CLOSE = 1e-3  # of a reward, and of 1 where it is smaller: bf16 weights differ by that in other company
PROBES = tuple(
    turns(prompt, answer) for prompt in ("May I return it?", "When are you open?") for answer in ("Yes.", "No, sorry.")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How scorers are opened here. gate: the folder whose gate has to have passed; ungated: none is asked."""

    passes: Passes | None = None
    template: str | None = None
    remote: RemoteConfig | None = None
    gate: Path | None = None
    ungated: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What clients are told of a served reward. names: by which they may ask for it, the first is its own."""

    names: tuple[str, ...]
    fingerprint: str
    most_tokens: int | None

    @property
    def name(self) -> str:
        return self.names[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedReward:
    """A reward that may be served. spec: what the user named."""

    spec: str
    engine: RowEngine
    identity: Identity
    watch: GateWatch


def open_served(spec: str, opening: Opening) -> ServedReward:
    """Open a scorer for serving; its gate is asked before its weights are loaded.

    Raises GateError where no gate passed it, InputError for a name that no answer can hold, and what opening a scorer
    raises.
    """
    refuse_name((*opening.names, spec)[0])
    remote = opening.remote if opening.remote is not None and of_a_server(spec) else None
    scorer = open_scorer(spec, passes=opening.passes, template=opening.template, remote=remote)
    before = stamps_of(scorer)
    passed = UNGATED if opening.ungated else read_pass(spec, scorer, gate=opening.gate)
    watch = GateWatch(spec, scorer, passed)
    engine = engine_for(scorer)
    identity = Identity(
        names=tuple(dict.fromkeys((*opening.names, *_names(spec, scorer)))),
        fingerprint=scorer.fingerprint,
        most_tokens=scorer.reward_model.most_tokens if isinstance(scorer, LocalScorer) else None,
    )
    # Its gate was asked of the files as they were; a run that is trained anew meanwhile would be loaded unasked.
    if stamps_of(scorer) != before:
        raise ModelError(f"{spec}: files of the model changed while it was opened. Nothing of it is served; try again.")
    return ServedReward(spec=spec, engine=engine, identity=identity, watch=watch)


def stamps_of(scorer: Scorer) -> dict[str, tuple[int, int, int, int]]:
    """When each file of a model's folder was changed, its size and its number on the disk; empty of other scorers."""
    if not isinstance(scorer, LocalScorer):
        return {}
    found = {}
    for path in Path(scorer.model).expanduser().rglob("*"):
        if path.is_file():
            stat = path.stat()
            found[str(path)] = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
    return found


def refuse_name(name: str) -> None:
    """Raises InputError for what JSON has no text for, such as the bytes of a folder's name that is not UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InputError(f"{name!r} is no text that an answer can hold. Give it a name of its own: --name.") from None


def _names(spec: str, scorer: Scorer) -> Iterator[str]:
    """What a client may call it: as the user did, as the scorer does, and by its folder in full (verl sends a path)."""
    yield spec
    yield scorer.name
    if isinstance(scorer, LocalScorer) and Path(scorer.model).expanduser().is_dir():
        yield str(Path(scorer.model).expanduser().resolve())


def probe(engine: RowEngine) -> None:
    """Run rows of our own, alone and together. Raises ModelError where they get no reward, or another in company.

    Only of models: a judge's calls cost money, and it promises no number twice.
    """
    if not isinstance(engine, ModelEngine):
        return
    rows = [_row(read) for read in engine.read(PROBES)]
    together = [_value(one) for one in engine.run(rows)]
    alone = [_value(engine.run([row])[0]) for row in rows]
    for one, other in zip(together, alone, strict=True):
        if not math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE):
            raise ModelError(
                f"{engine.scorer.name}: a row alone gets {other:.6g}, in company {one:.6g}. It is not served: a reward "
                "must not depend on who else asks."
            )


def _row(read: ReadRow | Unscored) -> ReadRow:
    if isinstance(read, Unscored):
        raise ModelError(f"a question and an answer of a few words cannot be scored: {read.reason}")
    return read


def _value(result: Scored) -> float:
    if isinstance(result, Unscored):
        raise ModelError(f"a question and an answer of a few words have no reward: {result.reason}")
    return result.value


def uncertainty_of(scorer: Scorer, result: Scored) -> float | None:
    """Standard deviation of an ensemble's members about an answer, on the ensemble's scale; None of other scorers."""
    return scorer.spread(result) if isinstance(scorer, EnsembleScorer) and isinstance(result, Reward) else None
