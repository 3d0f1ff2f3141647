"""A judge that is a language model on this machine: its words, or the odds of one token against another.

Imports torch only when the model is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from assay.errors import TemplateError
from assay.scorers.judge.questions_put import Asked, NoReply

if TYPE_CHECKING:
    from assay.engine.language_model import LanguageModel


class LocalJudge:
    """A Judge by name, folder or hub id. most_tokens: of a reply. device: cpu, cuda, ..., auto."""

    def __init__(self, model: str, *, most_tokens: int, device: str = "auto") -> None:
        self.model, self.most_tokens, self.device = model, most_tokens, device

    @cached_property
    def language_model(self) -> LanguageModel:
        """The model, loaded at first use."""
        from assay.engine.language_model import LanguageModel

        return LanguageModel.load(self.model, device=self.device)

    @cached_property
    def fingerprint(self) -> str:
        """Of the model's bytes."""
        from assay.models.resolve import resolve

        return resolve(self.model).fingerprint

    def replies(self, asked: Sequence[Asked]) -> list[str | NoReply]:
        """The likeliest words after each question. Raises ModelError where the model cannot be had."""
        rows, refused = self._rows(asked, more=self.most_tokens)
        found: dict[Asked, str | NoReply] = dict(refused)
        written = self.language_model.continued(list(rows.values()), most=self.most_tokens) if rows else []
        found |= zip(rows, written, strict=True)
        return [found[one] for one in asked]

    def odds(self, asked: Sequence[Asked], tokens: tuple[str, str], begun: str) -> list[float | NoReply]:
        """log P(first token) - log P(second), in nats, after each question and `begun`; shared beginnings run once.

        Raises ModelError where the model cannot be had, TemplateError where one of the two is several tokens of it.
        """
        rows, refused = self._rows(asked, begun=begun)
        found: dict[Asked, float | NoReply] = dict(refused)
        if rows:
            ids = [self.language_model.token(token) for token in tokens]
            logprob_N2 = self.language_model.next_token(list(rows.values()), ids)
            found |= zip(rows, (logprob_N2[:, 0] - logprob_N2[:, 1]).tolist(), strict=True)
        return [found[one] for one in asked]

    def _rows(
        self, asked: Sequence[Asked], *, begun: str = "", more: int = 0
    ) -> tuple[dict[Asked, tuple[int, ...]], dict[Asked, NoReply]]:
        """Token ids of each distinct question that can be read whole, and why others cannot."""
        rows: dict[Asked, tuple[int, ...]] = {}
        refused: dict[Asked, NoReply] = {}
        for one in dict.fromkeys(asked):
            try:
                row = self.language_model.row(one.chat, begun=begun)
            except TemplateError as error:
                refused[one] = NoReply(str(error))
                continue
            why = self.language_model.too_long(row, more=more)
            if why is None:
                rows[one] = row
            else:
                refused[one] = NoReply(why)
        return rows, refused
