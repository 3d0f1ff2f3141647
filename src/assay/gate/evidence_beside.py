"""What other commands found of a run's reward, beside its own audit: fresh pairs, pressure, a capability test.

Each criterion is held against the evidence that measures its figure. What was not measured has figures that are unknown
for the way to get them, and so passes nothing. Knows artifacts and criteria; computes no figure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assay.artifacts.capability_body import CAPABILITY
from assay.artifacts.fresh_body import FRESH
from assay.artifacts.gate_body import worst
from assay.artifacts.pressure_body import PRESSURE
from assay.audits.fit.fit_meanings import MEANINGS as FIT_MEANINGS
from assay.audits.fresh.fresh_meanings import MEANINGS as FRESH_MEANINGS
from assay.audits.pressure.pressure_meanings import MEANINGS as PRESSURE_MEANINGS
from assay.capability.capability_meanings import MEANINGS as CAPABILITY_MEANINGS
from assay.errors import GateError
from assay.findings.finding import unknown
from assay.gate.capability_evidence import capability_evidence
from assay.gate.criteria import Criterion
from assay.gate.every_figure import EVERY_FIGURE
from assay.gate.evidence import Evidence, ListedFigures
from assay.gate.fresh_evidence import fresh_evidence
from assay.gate.pressure_evidence import pressure_evidence
from assay.gate.rules import decide
from assay.gate.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A command whose findings may stand beside an audit. artifact: the file it writes; figures: what it measures;
    source, counted: as reasons say it; way_out: how its evidence is got where there is none."""

    artifact: str
    figures: Collection[str]
    read: Callable[[Path], Evidence]
    source: str
    counted: str
    way_out: str


ROOMS: Mapping[str, Room] = {
    "fresh": Room(
        artifact=FRESH, figures=FRESH_MEANINGS, read=fresh_evidence, source="fresh evidence", counted="fresh pair",
        way_out="nobody judged fresh pairs; `assay fresh RUN --policy POLICY --prompts FILE --out DIR`, then "
        "--conclude, and give --beside DIR",
    ),
    "pressure": Room(
        artifact=PRESSURE, figures={**PRESSURE_MEANINGS, **FIT_MEANINGS}, read=pressure_evidence,
        source="pressure test", counted="prompt",
        way_out="it was not put under pressure; `assay optimise RUN CANDIDATES --gold GOLD --out DIR`, and give "
        "--beside DIR",
    ),
    "capability": Room(
        artifact=CAPABILITY, figures=CAPABILITY_MEANINGS, read=capability_evidence, source="capability test",
        counted="question",
        way_out="no capability test was given; `assay capability POLICY --against BASE --data FILE --out DIR`, and "
        "give --beside DIR",
    ),
}  # fmt: skip


def read_beside(folders: Sequence[Path]) -> dict[str, Evidence]:
    """By room, of folders that other commands wrote. Raises GateError for one that holds nothing of them, or where two
    hold the same."""
    found: dict[str, Evidence] = {}
    for folder in folders:
        here = [name for name, room in ROOMS.items() if (folder / room.artifact).is_file()]
        if not here:
            named = ", ".join(room.artifact for room in ROOMS.values())
            raise GateError(f"--beside {folder}: it holds none of {named}. Give a folder that a command has finished.")
        for name in here:
            if name in found:
                raise GateError(f"--beside {folder}: a second {ROOMS[name].artifact}; criteria would not know which.")
            found[name] = ROOMS[name].read(folder)
    return found


def room_of(criterion: Criterion) -> str | None:
    """The room whose figure a criterion compares; None for one of the run itself."""
    return next((name for name, room in ROOMS.items() if criterion.finding in room.figures), None)


def missing(name: str) -> Evidence:
    """In place of evidence that nobody made."""
    room = ROOMS[name]
    figures = ListedFigures(tuple(unknown(EVERY_FIGURE[one], room.way_out) for one in room.figures))
    return Evidence(figures=figures, source=room.source, counted=room.counted)


def decide_beside(run: Evidence, beside: Mapping[str, Evidence], criteria: Sequence[Criterion]) -> Verdict:
    """Each criterion on its own evidence, at the level of the run's look, and one verdict of all."""

    def evidence_for(criterion: Criterion) -> Evidence:
        room = room_of(criterion)
        if room is None:
            return run
        return replace(beside.get(room) or missing(room), look=run.look)

    if not criteria:
        return decide(run, criteria)  # which refuses
    results = tuple(decide(evidence_for(criterion), [criterion]).criteria[0] for criterion in criteria)
    inputs = {name: value for evidence in beside.values() for name, value in evidence.inputs.items()}
    return Verdict(
        verdict=worst([result.verdict for result in results]),
        criteria=results,
        inputs={**inputs, **run.inputs},
        rests_on=run.rests_on,
        looks=None if run.look is None else run.look.to_body(),
    )
