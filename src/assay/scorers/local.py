"""A reward model in a folder or on the hub as a Scorer.

Renders each distinct row once, sets apart what cannot be read whole, and runs the rest in one call. Imports torch only
when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from assay.artifacts.files import sha256_json
from assay.errors import InputError, TemplateError
from assay.records import Candidates, Text
from assay.scorers.protocol import Scored, Unscored, scored

if TYPE_CHECKING:
    from assay.render.encoder import Encoded
    from assay.rewards.batch_after_batch import BatchAfterBatch
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadStates:
    """Of N rows those that could be read: places (K,) among them, rewards (K,), states (K, H); and why others not."""

    places: tuple[int, ...]
    rewards: NDArray[np.floating]
    states: NDArray[np.floating]
    unread: Mapping[int, Unscored]


class LocalScorer:
    """Scores with a saved reward model: a folder assay wrote, or any sequence-classification model with one output.

    Of a model with a head an objective, MODEL@OBJECTIVE is one head; what the others give stands in a reward's `heads`.

    template: for one that others published without a chat template: a file of jinja, or `plain`.
    """

    def __init__(
        self,
        model: Path | str,
        *,
        revision: str | None = None,
        passes: Passes | None = None,
        template: str | None = None,
    ) -> None:
        self.model, self.head = headed(str(model))
        self.revision, self.passes, self.template = revision, passes or Passes(), template

    @property
    def name(self) -> str:
        return self.model if self.head is None else f"{self.model}@{self.head}"

    @property
    def one_pass(self) -> tuple[object, ...] | None:
        """What is alike of scorers that one forward pass serves: heads of one model, run alike. None without heads."""
        return None if self.head is None else (self.model, self.revision, self.passes, self.template)

    @cached_property
    def reward_model(self) -> RewardModel:
        """The model, loaded at first use."""
        from assay.rewards.reward_model import RewardModel, best_device

        device = best_device() if self.passes.device == "auto" else self.passes.device
        found = RewardModel.load(self.model, revision=self.revision, device=device, template=self.template)
        if self.head is None and found.heads:
            named = " or ".join(f"{self.model}@{one}" for one in found.heads)
            raise InputError(f"{self.model} has a head for each of {len(found.heads)} objectives. Name one: {named}.")
        if self.head is not None and self.head not in found.heads:
            raise InputError(f"{self.name}: the heads of {self.model} are {', '.join(found.heads) or 'one, unnamed'}.")
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Of the model's bytes, and of the template where one was named. Opens the model: its faults cost no data."""
        from assay.models.resolve import locate

        found = locate(self.model, self.revision).fingerprint
        parts = self.reward_model.renderer.parts
        if self.head is not None:
            found = sha256_json({"model": found, "head": self.head})
        return found if self.template is None else sha256_json({"model": found, "template": parts["template"]})

    @property
    def rendering(self) -> str:
        """With what prompts and answers become text, in words, for the record."""
        renderer = self.reward_model.renderer
        whose = "the encoder's own pairs" if renderer.kind == "encoder" else "the chat template of its folder"
        whose = whose if self.template is None else f"the template named: {self.template}"
        return " ".join([f"{whose} ({renderer.parts['template']}).", *renderer.notes])

    def forget(self) -> None:
        """Let go of the loaded model; the next use loads it again."""
        self.__dict__.pop("reward_model", None)

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Each answer's reward; Unscored for a row that cannot be rendered or is too long to be read whole.

        A cut answer would get a reward that means something else. Each distinct row is rendered and run once.
        """
        rows = self.rendered(list(dict.fromkeys((g.prompt, answer) for g in groups for answer in g.answers)))
        rewards = iter(self.score_rows([row for row in rows.values() if not isinstance(row, Unscored)]))
        found = {text: row if isinstance(row, Unscored) else next(rewards) for text, row in rows.items()}
        return [tuple(found[g.prompt, answer] for answer in g.answers) for g in groups]

    def score_rows(self, rows: Sequence[Encoded], *, steady: BatchAfterBatch | None = None) -> list[Scored]:
        """The reward of each rendered row. steady: what keeps a beginning from one call to the next, for a server."""
        if not rows:
            return []
        run = self.reward_model if steady is None else steady
        found = run.score(rows, micro_tokens=self.passes.micro_tokens, sharing=self.passes.sharing)
        return [self._scored(given) for given in found.tolist()]

    def whole(self, rows: Iterable[Encoded | TemplateError]) -> list[Encoded | Unscored]:
        """Each row if the model reads it whole, or why it does not: not rendered, too long, tokens it has not."""
        model, most = self.reward_model, self.reward_model.most_tokens
        known = model.vocabulary if len(model.renderer.tokenizer) > model.vocabulary else None

        def checked(row: Encoded | TemplateError) -> Encoded | Unscored:
            if isinstance(row, TemplateError):
                return Unscored(str(row))
            if most is not None and len(row.ids) > most:
                return Unscored(f"{len(row.ids)} tokens with its prompt; the model reads {most}", too_long=True)
            if known is not None and max(row.ids) >= known:
                return Unscored(f"token {max(row.ids)} of its row is the tokenizer's alone; the model has {known}")
            return row

        return [checked(row) for row in rows]

    def read_states(self, rows: Sequence[tuple[Text, Text]]) -> ReadStates:
        """What the head reads of each prompt and answer, and the reward it makes of it; see rewards/head_states.py.

        Rows that cannot be scored are in `unread`, by place. Raises ModelError where the head reads no one vector.
        """
        from assay.rewards.head_states import head_states

        rendered = self.rendered(list(dict.fromkeys(rows)))
        whole = [(place, one) for place, row in enumerate(rows) if not isinstance(one := rendered[row], Unscored)]
        unread = {place: one for place, row in enumerate(rows) if isinstance(one := rendered[row], Unscored)}
        if not whole:
            return ReadStates(places=(), rewards=np.empty(0), states=np.empty((0, 0)), unread=unread)
        found = head_states(
            self.reward_model,
            [row for _, row in whole],
            micro_tokens=self.passes.micro_tokens,
            sharing=self.passes.sharing,
        )
        return ReadStates(
            places=tuple(place for place, _ in whole), rewards=found.rewards, states=found.states, unread=unread
        )

    def _scored(self, given: float | list[float]) -> Scored:
        """One row's reward: the only one, or this head's, with those of all heads beside it."""
        if not isinstance(given, list):
            return scored(given)
        heads = dict(zip(self.reward_model.heads, given, strict=True))
        return scored(heads[self.head or ""], heads=heads)

    def rendered(self, texts: Sequence[tuple[Text, Text]]) -> dict[tuple[Text, Text], Encoded | Unscored]:
        """The row of each prompt and answer, or why it cannot be scored."""
        if not texts:
            return {}
        return dict(zip(texts, self.whole(self.reward_model.renderer.encode_rows(texts)), strict=True))


def headed(text: str) -> tuple[str, str | None]:
    """A model's folder and the head that is named behind it, `runs/hh/seed-0/model@helpful`; None where none is.

    Only of folders: a hub id or an address may hold an @ that means something else.
    """
    folder, at, head = text.rpartition("@")
    path = Path(text).expanduser()
    return (folder, head) if at and head and not path.exists() and Path(folder).expanduser().is_dir() else (text, None)
