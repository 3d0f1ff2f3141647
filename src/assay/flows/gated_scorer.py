"""A scorer behind its gate: what a user names, opened, with what a gate has decided on it. For whoever uses rewards.

A run folder, a seed's model in one, or either with @OBJECTIVE has a gate; whatever else is scored with has none, and
then only who says so gets it. Knows scorers and gates; knows nobody who asks for rewards.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.run_models import model_of_a_run
from assay.errors import InputError
from assay.gate.gate_standing import GateStanding, gate_standing
from assay.scorers.local import LocalScorer, Passes, headed
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedScorer:
    """A scorer and what is known of its gate. label: a short name: the run's, and the seed where it has several."""

    scorer: Scorer
    standing: GateStanding
    label: str


def gated_scorer(
    text: Path | str, *, seed: int | None = None, ungated: bool = False, passes: Passes | None = None
) -> GatedScorer:
    """The scorer that `text` names, with its gate.

    seed: of a run with several. ungated: give it also where no gate passed it. Raises InputError where its gate did not
    pass, there is none, or the run has several seeds and none is named; and what opening a scorer raises.
    """
    folder, head = headed(str(text))
    found, known = model_of_a_run(folder, seed), standing_of(text, seed)
    if found is None:
        opened, label = open_scorer(text, passes=passes), Path(folder).name
    else:
        named = "" if head is None else f"@{head}"
        opened = LocalScorer(f"{found.folder}{named}", passes=passes)
        label = found.run.resolve().name + (f"-{found.seed}" if found.seeds > 1 else "") + named.replace("@", "-")
    if not (known.passed or ungated):
        raise InputError(
            f"{text}: {known.sentence} A reward is given out once its gate passed; to use it all the same, say so "
            "(ungated=True)."
        )
    return GatedScorer(scorer=opened, standing=known, label=label)


def standing_of(text: Path | str, seed: int | None = None) -> GateStanding:
    """What is known of the gate of what `text` names as a scorer; see gated_scorer."""
    folder, _ = headed(str(text))
    found = model_of_a_run(folder, seed)
    if found is None:
        return GateStanding(word="unknown", sentence=f"no gate has decided on it: {text} is no run of assay.")
    return gate_standing(found.run, found.seed)
