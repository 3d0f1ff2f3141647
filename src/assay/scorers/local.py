"""A reward model in a folder or on the hub as a Scorer. Knows the engine's door; imports torch only when it loads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assay.errors import InputError, TemplateError
from assay.records import Candidates

if TYPE_CHECKING:
    from assay.render.encoder import Encoded
    from assay.rewards.reward_model import RewardModel


class LocalScorer:
    """Scores with a saved reward model: a folder assay wrote, or any sequence-classification model with one output.

    device: cpu, cuda, ...; auto takes a GPU where there is one. micro_tokens: tokens in one forward pass;
    None: what suits the device.
    """

    def __init__(
        self,
        model: Path | str,
        *,
        revision: str | None = None,
        device: str = "auto",
        micro_tokens: int | None = None,
        sharing: Literal["on", "off"] = "on",
    ) -> None:
        self.model, self.revision = str(model), revision
        self.device, self.micro_tokens = device, micro_tokens
        self.sharing: Literal["on", "off"] = sharing

    @property
    def name(self) -> str:
        return self.model

    @cached_property
    def reward_model(self) -> RewardModel:
        """The model, loaded at first use."""
        from assay.rewards.reward_model import RewardModel, best_device

        device = best_device() if self.device == "auto" else self.device
        return RewardModel.load(self.model, revision=self.revision, device=device)

    @cached_property
    def fingerprint(self) -> str:
        from assay.models.resolve import locate

        return locate(self.model, self.revision).fingerprint

    def score(self, groups: Sequence[Candidates]) -> list[tuple[float, ...]]:
        """Rewards of every answer.

        Raises InputError, naming the group, for a row that cannot be rendered or is too long to be read whole: a cut
        answer would get a reward that means something else. `refusals` tells them apart beforehand.
        """
        rows: list[Encoded] = []
        for group, _, row in self._rendered(groups):
            if isinstance(row, str):
                raise InputError(f"{group.id}: {row}. Leave it out, or take another model.")
            rows.append(row)
        rewards = iter(
            self.reward_model.score(rows, micro_tokens=self.micro_tokens, sharing=self.sharing).tolist() if rows else ()
        )
        return [tuple(next(rewards) for _ in group.answers) for group in groups]

    def refusals(self, groups: Sequence[Candidates]) -> dict[tuple[int, int], str]:
        """What `score` would not take: why, by place of the group and place of the answer in it."""
        place = {id(group): number for number, group in enumerate(groups)}
        return {
            (place[id(group)], number): row for group, number, row in self._rendered(groups) if isinstance(row, str)
        }

    def _rendered(self, groups: Sequence[Candidates]) -> Iterator[tuple[Candidates, int, Encoded | str]]:
        """Every answer's row, or why it cannot be scored."""
        model = self.reward_model
        owners = [(group, number) for group in groups for number in range(len(group.answers))]
        texts = [(group.prompt, group.answers[number]) for group, number in owners]
        for (group, number), row in zip(owners, model.renderer.encode_rows(texts), strict=True):
            if isinstance(row, TemplateError):
                yield group, number, str(row)
            elif model.most_tokens is not None and len(row.ids) > model.most_tokens:
                yield group, number, f"{len(row.ids)} tokens with its prompt; the model reads {model.most_tokens}"
            else:
                yield group, number, row
