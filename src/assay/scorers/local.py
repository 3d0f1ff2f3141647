"""A reward model in a folder or on the hub as a Scorer.

Renders each distinct row once, sets apart what cannot be read whole, and runs the rest in one call. Imports torch only
when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assay.errors import TemplateError
from assay.records import Candidates, Text
from assay.scorers.protocol import Scored, Unscored, scored

if TYPE_CHECKING:
    from assay.render.encoder import Encoded
    from assay.rewards.reward_model import RewardModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """How a model's rows are run; changes time, not rewards.

    device: cpu, cuda, ...; auto takes a GPU where there is one. micro_tokens: tokens in one forward pass; None: what
    suits the device. sharing: whether tokens of shared prompts run once where the model allows it.
    """

    device: str = "auto"
    micro_tokens: int | None = None
    sharing: Literal["on", "off"] = "on"


class LocalScorer:
    """Scores with a saved reward model: a folder assay wrote, or any sequence-classification model with one output."""

    def __init__(self, model: Path | str, *, revision: str | None = None, passes: Passes | None = None) -> None:
        self.model, self.revision, self.passes = str(model), revision, passes or Passes()

    @property
    def name(self) -> str:
        return self.model

    @cached_property
    def reward_model(self) -> RewardModel:
        """The model, loaded at first use."""
        from assay.rewards.reward_model import RewardModel, best_device

        device = best_device() if self.passes.device == "auto" else self.passes.device
        return RewardModel.load(self.model, revision=self.revision, device=device)

    @cached_property
    def fingerprint(self) -> str:
        from assay.models.resolve import locate

        return locate(self.model, self.revision).fingerprint

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Each answer's reward; Unscored for a row that cannot be rendered or is too long to be read whole.

        A cut answer would get a reward that means something else. Each distinct row is rendered and run once.
        """
        rows = self._rendered(list(dict.fromkeys((g.prompt, answer) for g in groups for answer in g.answers)))
        whole = [row for row in rows.values() if not isinstance(row, Unscored)]
        rewards = iter(
            self.reward_model.score(whole, micro_tokens=self.passes.micro_tokens, sharing=self.passes.sharing).tolist()
            if whole
            else ()
        )
        found = {text: row if isinstance(row, Unscored) else scored(next(rewards)) for text, row in rows.items()}
        return [tuple(found[g.prompt, answer] for answer in g.answers) for g in groups]

    def _rendered(self, texts: Sequence[tuple[Text, Text]]) -> dict[tuple[Text, Text], Encoded | Unscored]:
        """The row of each prompt and answer, or why it cannot be scored."""
        if not texts:
            return {}
        model, most = self.reward_model, self.reward_model.most_tokens

        def checked(row: Encoded | TemplateError) -> Encoded | Unscored:
            if isinstance(row, TemplateError):
                return Unscored(str(row))
            if most is not None and len(row.ids) > most:
                return Unscored(f"{len(row.ids)} tokens with its prompt; the model reads {most}")
            return row

        return dict(zip(texts, map(checked, model.renderer.encode_rows(texts)), strict=True))
