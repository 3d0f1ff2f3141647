"""What the reference gives the rows of pairs, run once and kept by content; another model's figures are refused.

The reference is the policy before its first step: the base, and adapters that add nothing yet. Knows rows and a folder;
knows no loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from assay.artifacts.reference_body import ReferenceBody
from assay.engine.micro_batches import pass_tokens
from assay.engine.reference_logprobs import nobody, reference_logprobs
from assay.errors import ArtifactError
from assay.models.device_and_mode import device_of
from assay.models.precision import Precision
from assay.render.encoder import Encoded

Cut = tuple[Encoded, int]  # a row, and how many of its tokens are not counted


@dataclass(frozen=True, slots=True)
class Reference:
    """Summed log-probabilities of rows after their first tokens, by precision: a policy runs beside it in its own."""

    known: Mapping[Precision, Mapping[Cut, float]]

    def of(self, cuts: Sequence[Cut], *, precision: Precision) -> list[float]:
        found = self.known[precision]
        return [found[cut] for cut in cuts]


def referenced(
    model: nn.Module,
    groups: Mapping[Precision, Sequence[Sequence[Cut]]],
    *,
    fingerprint: str,
    folder: Path,
    micro_tokens: int | None,
    told: Callable[[int, int], None] = nobody,
) -> Reference:
    """Run the reference over rows that are not in `folder`, and read the others there.

    model: as it is before training. groups: by precision, rows that share a prompt. fingerprint: of the base, and how
    it is held where that changes its figures. told: called with the groups done and all that are to run. Raises
    ArtifactError for a folder with another model's figures.
    """
    refuse_other_model(folder, fingerprint)
    device = device_of(model).type
    budget = pass_tokens(micro_tokens, device, "shared")
    known: dict[Precision, dict[Cut, float]] = {}
    for precision, several in groups.items():
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            found = reference_logprobs(
                model,
                [[row.ids for row, _ in group] for group in several],
                [[prompt for _, prompt in group] for group in several],
                fingerprint=fingerprint,
                folder=folder,
                token_budget=budget,
                told=told,
            )
        known[precision] = {
            cut: float(value)
            for group, values in zip(several, found, strict=True)
            for cut, value in zip(group, values, strict=True)
        }
    return Reference(known)


def refuse_other_model(folder: Path, fingerprint: str) -> None:
    """Raises ArtifactError if figures stand in `folder` that another model gave."""
    for path in sorted(folder.glob("reference-*.json")):
        theirs = ReferenceBody.read(path).fingerprint
        # What follows the model's own name is the precision, of which a folder may hold several.
        if not theirs.startswith(f"{fingerprint} "):
            raise ArtifactError(
                f"{path} holds log-probabilities of another model ({theirs.split()[0][:23]}..., here "
                f"{fingerprint[:23]}...). Give another folder (dpo.reference_store), or delete this one."
            )
