"""Prompt and answer to token ids: the one encoder for training, evaluation and serving.

Knows tokenizers and chat templates; knows no model and no label. A decoder's row is its chat template around prompt and
answer with one BOS and the end the base expects; an encoder's row is the tokenizer's own text pair.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import jinja2
from transformers import AutoConfig, AutoTokenizer
from transformers.utils import chat_template_utils

from assay.artifacts import sha256_json
from assay.errors import ModelError, TemplateError
from assay.records import Pair, Reject, Text, as_messages, plain_text

Kind = Literal["encoder", "decoder"]
# Two days of different year, month, weekday and length: a template that looks at the clock renders them differently.
DAYS = (datetime.datetime(2001, 2, 3, 4, 5, 6), datetime.datetime(2019, 12, 31, 23, 59, 58))  # noqa: DTZ001
PROBE = ("Which colour is the sky?", "Blue.", "Grey, mostly, where I live.")
PLAIN_SEAM = "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """One rendered row: ids of prompt and answer, how many of them the prompt has, segment ids for encoders."""

    ids: tuple[int, ...]
    prompt_tokens: int
    type_ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthGate:
    """What fits. counts: dropped pairs, "by_side" and "by_category"; tokens: pair id -> answer tokens (chosen, rejected)."""

    pairs: list[Pair]
    rejects: list[Reject]
    counts: Mapping[str, Mapping[str, int]]
    tokens: Mapping[str, tuple[int, int]]


class BrokenPrefixError(TemplateError):
    """The rendered prompt is not the beginning of the rendered prompt and answer."""


class Renderer:
    """Renders rows for one tokenizer. `hash` names the rendering: equal hash, equal ids."""

    def __init__(self, tokenizer: Any, kind: Kind) -> None:
        self.tokenizer = tokenizer
        self.kind: Kind = kind
        if kind == "decoder":
            check_template(self)

    @classmethod
    def from_pretrained(cls, path: Path | str, *, revision: str | None = None) -> Renderer:
        """The renderer of a folder or hub id. Raises ModelError if it has no fast tokenizer, TemplateError as below."""
        try:
            tokenizer = AutoTokenizer.from_pretrained(path, revision=revision)
            config = AutoConfig.from_pretrained(path, revision=revision)
        except (OSError, ValueError) as error:
            raise ModelError(f"{path}: no tokenizer or configuration can be loaded: {error}") from None
        if not tokenizer.is_fast:
            raise ModelError(f"{path}: only a slow tokenizer is there. Convert it to tokenizer.json first.")
        return cls(tokenizer, kind_of(config))

    @cached_property
    def hash(self) -> str:
        """`sha256:...` of all that decides the ids: tokenizer, template, special tokens, kind, rule for plain text."""
        return sha256_json(
            {
                "tokenizer": self._tokenizer_rules(),
                "template": self.tokenizer.chat_template if self.kind == "decoder" else None,
                "special": {"bos": self.tokenizer.bos_token, "eos": self.tokenizer.eos_token},
                "kind": self.kind,
                "rule": "render/1",
            }
        )

    def _tokenizer_rules(self) -> dict[str, Any]:
        """The tokenizer as data, without padding and truncation, which a call may set and a row never shows."""
        rules: dict[str, Any] = json.loads(self.tokenizer.backend_tokenizer.to_str())
        return {key: value for key, value in rules.items() if key not in ("padding", "truncation")}

    def encode(self, prompt: Text, answer: Text) -> Encoded:
        """One row. Raises BrokenPrefixError if the template does not keep the prompt as the row's beginning."""
        if self.kind == "encoder":
            return self._pair_ids(prompt, answer)
        head, whole = self.text(prompt, answer)
        head_ids, ids = self._ids(head), self._close(self._ids(whole))
        shared = common_length(head_ids, ids)
        # The last prompt token may merge with the answer's first characters. A template that rewrites the prompt is
        # found in `text`, character by character, so that here only the seam can move.
        return Encoded(ids=ids, prompt_tokens=min(shared, len(ids) - 1))

    def text(self, prompt: Text, answer: Text) -> tuple[str, str]:
        """The rendered prompt and the rendered prompt with answer, as text. Decoders only."""
        if self.tokenizer.chat_template is None:
            head = plain_text(prompt) + PLAIN_SEAM
            return head, head + plain_text(answer)
        asked = [{"role": m.role, "content": m.content} for m in as_messages(prompt, role="user")]
        given = [{"role": m.role, "content": m.content} for m in as_messages(answer, role="assistant")]
        try:
            whole = str(self.tokenizer.apply_chat_template(asked + given, tokenize=False))
            head = str(self.tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True))
            if not whole.startswith(head):
                head = str(self.tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=False))
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            roles = ", ".join(message["role"] for message in asked + given)
            raise TemplateError(f"the chat template refuses a conversation of {roles}: {error}") from None
        if not whole.startswith(head):
            raise BrokenPrefixError("the chat template changes the prompt once an answer follows it")
        if any(plain_text(part).strip() not in whole for part in (answer,)):
            raise TemplateError("the chat template leaves out or rewrites the answer")
        return head, whole

    def _ids(self, text: str) -> tuple[int, ...]:
        """Ids of rendered text with exactly one BOS where the base has one."""
        ids = tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        bos = self.tokenizer.bos_token_id
        if bos is None or not self._adds_bos:
            return ids
        while len(ids) > 1 and ids[0] == bos and ids[1] == bos:
            ids = ids[1:]
        return ids if ids[:1] == (bos,) else (bos, *ids)

    @cached_property
    def _adds_bos(self) -> bool:
        """Whether the tokenizer itself begins a text with BOS; a template that writes it is kept as it is."""
        return bool(self.tokenizer("a")["input_ids"][:1] == [self.tokenizer.bos_token_id])

    def _close(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """The row ends with EOS or with what the template puts at the end of a turn; plain rows get one EOS."""
        eos = self.tokenizer.eos_token_id
        if self.tokenizer.chat_template is not None:
            end = len(ids)
            while end > 1 and not self.tokenizer.decode(ids[end - 1 : end]).strip():
                end -= 1  # the newline many templates put behind the end of a turn is not what is read at serving
            ids = ids[:end]
            return ids if eos is None or ids[-1:] == (eos,) or ids[-1] in self._ends else (*ids, eos)
        return ids if eos is None or ids[-1:] == (eos,) else (*ids, eos)

    @cached_property
    def _ends(self) -> frozenset[int]:
        return frozenset(self.tokenizer.all_special_ids)

    def _pair_ids(self, prompt: Text, answer: Text) -> Encoded:
        found = self.tokenizer(plain_text(prompt), plain_text(answer), return_token_type_ids=True, verbose=False)
        ids, types = tuple(found["input_ids"]), tuple(found["token_type_ids"])
        first = next((i for i, part in enumerate(found.sequence_ids(0)) if part == 1), len(ids))
        return Encoded(ids=ids, prompt_tokens=first, type_ids=types)


def kind_of(config: Any) -> Kind:
    """Whether a configuration is of a decoder (reads left to right) or an encoder. Raises ModelError if of neither."""
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(f"{config.model_type} is an encoder-decoder; give an encoder or a decoder as base.")
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(config, "is_decoder", False):
        return "encoder"
    if config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return "decoder"
    raise ModelError(f"{config.model_type} is neither an encoder nor a decoder that assay knows how to read.")


def check_template(renderer: Renderer) -> None:
    """Raises TemplateError for a template that looks at the clock or cannot render a question and its answer."""
    prompt, answer, other = PROBE
    texts = []
    for day in DAYS:
        with at_day(day):
            texts.append(renderer.text(prompt, answer)[1])
    if texts[0] != texts[1]:
        raise TemplateError(
            "the chat template puts today's date into the row, so that rewards would change from day to day. "
            "Save the tokenizer with a template without a date, and give that folder as base."
        )
    if renderer.encode(prompt, answer).ids == renderer.encode(prompt, other).ids:
        raise TemplateError("the chat template renders two different answers alike")


@contextmanager
def at_day(day: datetime.datetime) -> Iterator[None]:
    """Chat templates see `day` as today."""

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return day.astimezone(tz) if tz else day

    real = chat_template_utils.datetime
    cached = getattr(chat_template_utils, "_cached_compile_jinja_template", None)
    forget = getattr(cached, "cache_clear", lambda: None)
    chat_template_utils.datetime = Clock
    forget()
    try:
        yield
    finally:
        chat_template_utils.datetime = real
        forget()


def common_length(a: Sequence[int], b: Sequence[int]) -> int:
    """How many first elements two rows share."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def length_gate(pairs: Sequence[Pair], renderer: Renderer, max_tokens: int) -> LengthGate:
    """Drop, never cut, pairs with a row over `max_tokens`, or whose prompt the template does not keep as a prefix."""
    kept: list[Pair] = []
    rejects: list[Reject] = []
    tokens: dict[str, tuple[int, int]] = {}
    for pair in pairs:
        try:
            sides = [renderer.encode(pair.prompt, answer) for answer in (pair.chosen, pair.rejected)]
        except TemplateError as error:
            rejects.append(dropped(pair, "template_not_prefix", str(error), "prompt"))
            continue
        chosen, rejected = (len(side.ids) for side in sides)
        if max(chosen, rejected) <= max_tokens:
            kept.append(pair)
            tokens[pair.id] = (chosen - sides[0].prompt_tokens, rejected - sides[1].prompt_tokens)
            continue
        side = "both" if min(chosen, rejected) > max_tokens else "chosen" if chosen > rejected else "rejected"
        rejects.append(
            dropped(pair, "too_long", f"chosen {chosen}, rejected {rejected}, limit {max_tokens} tokens", side)
        )
    counts = {
        "by_side": dict(Counter(str(reject.side) for reject in rejects)),
        "by_category": dict(Counter(reject.category or "none" for reject in rejects)),
    }
    return LengthGate(pairs=kept, rejects=rejects, counts=counts, tokens=tokens)


def dropped(pair: Pair, reason: Any, detail: str, side: Any) -> Reject:
    return Reject(
        where=pair.where, reason=reason, detail=detail, side=side, category=pair.category, row={"id": pair.id}
    )
