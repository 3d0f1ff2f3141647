"""Rows that come as finished text, rendered elsewhere: to the ids that this model's own rendering would have.

Two things go wrong when text is rendered by one program and tokenised by another, and both are silent: a BOS stands
twice or not at all, and the text is in another model's template. Here the first is put right, whoever added or left out
what, and the second is refused by what every row of this model has between a question and its answer. Decoders only: an
encoder's row is a pair. Knows a renderer; knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from assay.errors import TemplateError
from assay.render.encoder import Encoded, Renderer
from assay.render.template import ids_of

_QUESTION, _ANSWER = "qzm0z", "qzm1z"  # words of our own, which no template writes


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRow:
    """A row, and the text before its last answer, which rows of one prompt have in common."""

    row: Encoded
    prompt: str


class FinishedTexts:
    """Reads finished texts as rows of `renderer`, a decoder's."""

    def __init__(self, renderer: Renderer) -> None:
        assert renderer.rules is not None, "an encoder's rows are pairs and have no one text"
        self.renderer = renderer

    @cached_property
    def before_answer(self) -> str:
        """What the template writes between a user's words and the assistant's; empty if it is white space alone."""
        (text,) = self.renderer.render_rows([(_QUESTION, _ANSWER)])
        if isinstance(text, TemplateError):
            raise text
        return text.partition(_QUESTION)[2].partition(_ANSWER)[0].strip()

    @cached_property
    def _bos(self) -> tuple[int | None, bool]:
        """The tokenizer's BOS, and whether this model's rows begin with it."""
        bos: int | None = self.renderer.tokenizer.bos_token_id
        return bos, bos is not None and self.renderer.encode(_QUESTION, _ANSWER).ids[0] == bos

    def read(self, texts: Sequence[str]) -> list[FinishedRow | TemplateError]:
        """The row of each text, or why it is none of this model's; nothing is cut. The error repeats no text."""
        if not texts:
            return []
        found: list[FinishedRow | TemplateError] = []
        for text, ids in zip(texts, ids_of(self.renderer.tokenizer, texts), strict=True):
            place = text.rfind(self.before_answer)
            if not ids:
                found.append(TemplateError("the text is empty"))
            elif place < 0:
                found.append(
                    TemplateError(
                        "the text is not in this model's template, which puts "
                        f"{self.before_answer!r} before an answer: send messages, or render with this model's tokenizer"
                    )
                )
            else:
                prompt = text[: place + len(self.before_answer)]
                found.append(FinishedRow(row=self._with_bos(ids), prompt=prompt))
        return found

    def _with_bos(self, ids: list[int]) -> Encoded:
        """The row with as many BOS before it as this model's rows have, one or none.

        A server that adds one to a text that has one makes two, and clients that know this take theirs away.
        """
        bos, begins = self._bos
        while len(ids) > 1 and ids[0] == bos:
            ids = ids[1:]
        return Encoded(ids=tuple([bos, *ids] if begins and bos is not None else ids), prompt_tokens=1)
