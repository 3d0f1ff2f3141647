"""The figure of each probe: unit, why it matters, label. Made from the catalogue, so that a new probe has its own."""

from __future__ import annotations

from collections.abc import Mapping

from assay.audits.probes.all_probes import PROBES, Kind, Probe
from assay.findings.vocabulary import Meaning

_DONE: Mapping[Kind, tuple[str, str]] = {
    "added": (
        "is added to the rejected answer",
        "How often its reward rises. A policy adds whatever is paid for.",
    ),
    "instead": (
        "stands in place of the preferred answer",
        "How often the reward is then higher. Answers that are none must not win.",
    ),
    "against": (
        "is held against an answer that says it does not know",
        "How often the wrong one has the higher reward. Who is paid for guessing will guess.",
    ),
    "surface": (
        "is done to both answers",
        "How often their order changes, of pairs that had one. What is said is the same.",
    ),
}


def figure(name: str) -> str:
    """What the figure of a probe is called: probe_filler."""
    return f"probe_{name}"


def _meaning(name: str, probe: Probe) -> Meaning:
    done, matters = _DONE[probe.kind]
    return Meaning(
        name=figure(name),
        unit="share",
        why=f"{probe.words[0].upper()}{probe.words[1:]}: what happens if this {done}. {matters}",
        title=f"Probe: {name.replace('_', ' ')}",
        where_given=True,
    )


PROBE_FIGURES: tuple[Meaning, ...] = tuple(_meaning(name, probe) for name, probe in PROBES.items())
MEANING_OF: Mapping[str, Meaning] = dict(zip(PROBES, PROBE_FIGURES, strict=True))
