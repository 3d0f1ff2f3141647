"""A reward model in a folder or on the hub as a Scorer. Knows the engine's door; imports torch only when it loads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assay.errors import InputError
from assay.records import Candidates

if TYPE_CHECKING:
    from assay.engine.render import Encoded
    from assay.engine.reward_model import RewardModel


class LocalScorer:
    """Scores with a saved reward model: a folder assay wrote, or any sequence-classification model with one label."""

    def __init__(
        self,
        model: Path | str,
        *,
        revision: str | None = None,
        micro_tokens: int = 8192,
        sharing: Literal["on", "off"] = "on",
    ) -> None:
        self.model = str(model)
        self.revision = revision
        self.micro_tokens = micro_tokens
        self.sharing: Literal["on", "off"] = sharing

    @property
    def name(self) -> str:
        return self.model

    @cached_property
    def reward_model(self) -> RewardModel:
        from assay.engine.reward_model import RewardModel

        return RewardModel.load(self.model, revision=self.revision)

    @cached_property
    def fingerprint(self) -> str:
        from assay.engine.models import resolve

        return resolve(self.model, self.revision).fingerprint

    @property
    def longest(self) -> int:
        """Most tokens a row may have."""
        return int(getattr(self.reward_model.model.config, "max_position_embeddings", 0) or 2**31)

    def score(self, groups: Sequence[Candidates]) -> list[tuple[float, ...]]:
        """Rewards of every answer. Raises InputError, naming the group, for a row longer than the model reads."""
        rows: list[Encoded] = []
        for group in groups:
            for answer in group.answers:
                row = self.reward_model.encode(group.prompt, answer)
                if len(row.ids) > self.longest:
                    raise InputError(
                        f"group {group.id}: a row has {len(row.ids)} tokens, {self.model} reads {self.longest}. "
                        "Leave it out: a cut answer would get a reward that means something else."
                    )
                rows.append(row)
        rewards = iter(self.reward_model.score(rows, micro_tokens=self.micro_tokens, sharing=self.sharing).tolist())
        return [tuple(next(rewards) for _ in group.answers) for group in groups]
