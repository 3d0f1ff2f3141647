"""A causal language model that is asked questions: log-probabilities of next tokens, and short greedy answers.

Rows that begin alike run their beginning once (`forward.hidden_at`). Opens any causal model by folder, catalogue name
or hub id; knows chats and tokens, and nothing of what is asked.

Letters: N rows, K tokens asked about, P positions, H hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoModelForCausalLM

from assay.engine.forward import hidden_at, refusal
from assay.engine.generate import generate
from assay.engine.headers import packs_with_headers
from assay.engine.logprobs import next_logprobs
from assay.engine.micro_batches import micro_batches, pass_tokens
from assay.engine.trie import Row
from assay.engine.written import Decoding, Wanted
from assay.errors import ModelError, TemplateError
from assay.models.adapters import with_adapter
from assay.models.device_and_mode import device_of, evaluating
from assay.models.limits import most_tokens
from assay.models.opening import open_tokenizer, open_weights, told_as
from assay.models.precision import Precision
from assay.models.quiet import quiet
from assay.models.resolve import resolve
from assay.records import Message
from assay.render.encoder import fold_system
from assay.render.template import end_of_turn, ids_of, rules_for, text_of

if TYPE_CHECKING:
    from assay.models.transformers_types import Tokenizer


class LanguageModel:
    """A causal model with its tokenizer and chat template. most_tokens: what a row may have, None: no limit stated."""

    def __init__(self, model: nn.Module, tokenizer: Tokenizer, *, name: str, template: str | None = None) -> None:
        self.model, self.tokenizer, self.name = model, tokenizer, name
        # "base": the date pinned, so that the same question is the same row on any day.
        self.rules = rules_for(tokenizer, source=name, adapt="base", named=template)
        self.most_tokens = most_tokens(model)

    @classmethod
    def load(
        cls,
        name: str,
        *,
        device: str = "auto",
        template: str | None = None,
        adapter: str | None = None,
        served: bool = False,
        precision: Precision = "float32",
    ) -> Self:
        """The model called `name`. Raises ModelNotFoundError, ModelError for one that does not write, TemplateError.

        template: in place of the tokenizer's: a file of jinja, or `plain`. adapter: a folder of one, merged into the
        model. served: a model without a template is refused, for nobody knows what it expects before an answer.
        precision: of the weights, and of all that is computed with them.
        """
        found = resolve(name)
        if found.kind != "decoder":
            raise ModelError(f"{name} is an encoder, which writes no text. Take a decoder that was taught to answer.")
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        # An adapter is merged in float32 and rounded once: merged into bf16 weights, most of what it adds is lost.
        opened = torch.float32 if adapter is not None else dtype
        with quiet(), told_as(lambda why: f"{name}: no language model that transformers can open ({why})."):
            tokenizer = open_tokenizer(found.folder)
            model, info = open_weights(AutoModelForCausalLM, found.folder, dtype=opened, output_loading_info=True)
        if info["missing_keys"]:
            raise ModelError(
                f"{name}: {', '.join(sorted(info['missing_keys'])[:3])} is not in its weights and would be random. "
                "Take a model with its output layer."
            )
        if served and tokenizer.chat_template is None and template is None:
            raise TemplateError(
                f"{name} has no chat template, so how it expects to be asked cannot be known. Name one: --template "
                "FILE, or --template plain for 'User: ...', 'Assistant: ...' lines (in Python: template=...)."
            )
        if adapter is not None:
            model = with_adapter(model, adapter, base=name)
        place = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        return cls(model.to(place, dtype).eval(), tokenizer, name=name, template=template)

    @cached_property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer: those the model's files name, and the one its template ends a turn with."""
        stated = getattr(getattr(self.model, "generation_config", None), "eos_token_id", None)
        found = stated if isinstance(stated, list) else [stated]
        found += [self.tokenizer.eos_token_id, end_of_turn(self.tokenizer, self.rules.template)]
        return frozenset(token for token in found if token is not None)

    @property
    def prompts_changed(self) -> bool:
        """Whether a prompt's text is another than the tokenizer's own template would write: a date pinned, a BOS."""
        if self.tokenizer.chat_template is None:
            return False
        chats = [[{"role": "user", "content": "a"}]]
        own, ours = (
            text_of(self.tokenizer, template, chats, generation=True)
            for template in (self.tokenizer.get_chat_template(), self.rules.template)
        )
        return own != ours

    def row(self, chat: Sequence[Message], *, begun: str = "") -> tuple[int, ...]:
        """Token ids of a chat up to where its answer begins, `begun` written already. Raises TemplateError."""
        messages = [{"role": message.role, "content": message.content} for message in chat]
        if self.rules.system == "folded":
            messages = fold_system(messages)
        text = text_of(self.tokenizer, self.rules.template, [messages], generation=True)[0]
        return tuple(ids_of(self.tokenizer, [text + begun])[0])

    def token(self, text: str) -> int:
        """The one token `text` is. Raises TemplateError where it is several: then no single probability is its own."""
        ids = ids_of(self.tokenizer, [text])[0]
        if len(ids) != 1:
            raise TemplateError(
                f"{self.name}: {text!r} is {len(ids)} tokens, and a probability is read of one. Name a shorter word, "
                'with its leading space where the model writes one, such as " Yes" or "A".'
            )
        return ids[0]

    def too_long(self, row: Row, *, more: int = 0) -> str | None:
        """Why a row cannot be read whole, with `more` tokens after it; None where it can."""
        if self.most_tokens is None or len(row) + more <= self.most_tokens:
            return None
        told = f", {more} more to write" if more else ""
        return f"{len(row)} tokens with its question{told}; the model reads {self.most_tokens}"

    def next_token(
        self, rows: Sequence[Row], tokens: Sequence[int], *, micro_tokens: int | None = None
    ) -> NDArray[np.float64]:
        """Log-probability, in nats, of each of `tokens` right after each row, shape (N, K); shared beginnings once.

        micro_tokens: tokens of one forward pass; None: what suits the device.
        """
        found = np.zeros((len(rows), len(tokens)))
        if not rows:
            return found
        budget = pass_tokens(micro_tokens, device_of(self.model).type, "shared")
        with evaluating(self.model):
            if refusal(self.model, rows) is None:
                packs = packs_with_headers(self.model, [[row] for row in rows], token_budget=budget)
            else:
                packs = ((batch, None) for batch in micro_batches([len(row) for row in rows], budget))
            for batch, header in packs:
                some = [rows[n] for n in batch]
                last_N = np.array([len(row) - 1 for row in some])
                hidden_NH = hidden_at(self.model, some, row_P=np.arange(len(some)), place_P=last_N, header=header)
                found[batch] = next_logprobs(self.model, hidden_NH, tokens).double().cpu().numpy()
        return found

    def continued(self, rows: Sequence[Row], *, most: int) -> list[str]:
        """What the model writes after each row, always the likeliest token, at most `most` of them.

        It ends where the model's files or its template end an answer. What is written after a row does not depend on
        the others (`generate`).
        """
        decoding = Decoding(most=most, temperature=0.0, ends=self.ends)
        wanted = [Wanted(row=tuple(row), seed=0) for row in rows]  # nothing is drawn, so no seed matters
        found = dict(generate(self.model, wanted, decoding))
        return [self.tokenizer.decode(list(found[n].ids), skip_special_tokens=True).strip() for n in range(len(rows))]
