"""What the gate does otherwise where the folder is one of `assay optimise` and no run: its criteria, its evidence.

Criteria about held-out pairs, splits and self-checks are refused and do not fail: nothing here could ever show them.
Knows folders and criteria; decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.audits.pressure.pressure_meanings import SHOWN
from assay.errors import GateError
from assay.gate.criteria import Criterion, load_criteria
from assay.gate.evidence import Evidence
from assay.gate.evidence_beside import read_beside, room_of

ROOM = "pressure"


def default_pressure_criteria() -> Sequence[Criterion]:
    """The built-in set for a reward under pressure."""
    return load_criteria(ROOM)


def pressure_criteria(source: Path | str, folder: Path) -> Sequence[Criterion]:
    """Criteria of a file or a built-in set, for what `folder` will hold. Raises GateError."""
    asked = load_criteria(source)
    refuse_other_criteria(asked, folder)
    return asked


def refuse_other_criteria(criteria: Sequence[Criterion], folder: Path) -> None:
    """Raises GateError for a criterion that only a run's audit, split or study could decide."""
    # Figures of whole groups, such as recovery, are of no room: a run's audit may have them, and here they are of gold.
    strange = next((one for one in criteria if room_of(one) is None and one.finding not in SHOWN), None)
    if strange is not None:
        raise GateError(
            f"{folder}: the folder of `assay optimise` shows nothing of “{strange.text}”, which is asked of a run. "
            f"Decide on both together, `assay gate RUN --criteria FILE --beside {folder}`, or leave the criterion out."
        )


def read_with_pressure(folder: Path, beside: Sequence[Path]) -> tuple[Evidence, dict[str, Evidence]]:
    """The folder's evidence, and that of every room, the folder's own among them.

    Raises GateError where a folder beside holds a second pressure.json, and what reading raises.
    """
    others = read_beside([folder, *beside])
    return others[ROOM], others
