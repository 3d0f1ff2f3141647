"""Render a prompt and an answer to one row of token ids: the one encoder of training, evaluation and serving.

A decoder's row is its chat template's text, tokenised; an encoder's is the tokenizer's own pair. A row is never cut:
whoever has a limit asks for the length first (`length_gate`). Knows tokenizers, templates and texts; knows no model and
no label.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from assay.artifacts.files import sha256_json
from assay.errors import ConfigError, ModelError, TemplateError
from assay.models.local_model import Kind, kind_of
from assay.models.opening import open_config, open_tokenizer, told_as
from assay.models.quiet import quiet
from assay.models.transformers_types import Tokenizer
from assay.records import Text, as_messages
from assay.render.template import Chat, Rules, ids_of, rules_for, text_of

CHUNK = 2048  # rows tokenised in one call
ENCODER_RULE = "pair(prompt, answer); one message: its content; several: 'Role: content', a blank line apart"
PAD_TOKEN = "<|pad|>"
MOST_SEGMENTS = 16_000_000  # numbers kept to be shared: 128 MB
MOST_ROLES, MOST_CHATS = 64, 4096  # turns of a chat whose roles are remembered, and how many chats are


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """One rendered row: all token ids, how many of them are the prompt's, and segment ids where the base has them.

    Rows of one Renderer share their numbers, so that a token costs 8 bytes and not 36.
    """

    ids: tuple[int, ...]
    prompt_tokens: int
    type_ids: tuple[int, ...] | None = None


class Renderer:
    """Turns a prompt and an answer into token ids, the same way everywhere.

    Decoders: the chat template (adapted as `notes` say) with exactly one BOS where the base expects one and its end
    marker as the last token. Encoders: the tokenizer's own pair encoding. `hash` names all of it.
    """

    def __init__(self, tokenizer: Tokenizer, *, kind: Kind, rules: Rules | None) -> None:
        self.tokenizer, self.kind, self.rules = tokenizer, kind, rules
        # A tokenizer makes a new int object for every token it finds. All rows of a data set stay in memory through all
        # seeds, so each id is kept once and rows point to it; so are segment ids, which depend on two lengths only.
        self._numbers: dict[int, int] = {}
        self._segments: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._segments_kept = 0
        self._gone: dict[tuple[str, ...], frozenset[int]] = {}  # by the roles of a prompt: see _dropped

    @classmethod
    def from_pretrained(
        cls, folder: Path | str, *, adapt: Literal["base", "published"] = "base", template: str | None = None
    ) -> Renderer:
        """The renderer of a base (or of a reward model someone published: its template is then left as it is).

        template: one that the user names in place of the folder's: a file of jinja, or `plain` for assay's own lines.
        Raises ModelNotFoundError, ModelError or TemplateError, which says so where a published decoder has none.
        """
        with quiet(), told_as(lambda why: _not_openable(folder, why)):
            config = open_config(folder)
            tokenizer = open_tokenizer(folder)
        kind = kind_of(config)
        if kind == "encoder":
            if template is not None:
                raise ConfigError(
                    f"{folder} is an encoder, whose rows its tokenizer makes without a template. Leave it out."
                )
            return cls(tokenizer, kind=kind, rules=None)
        rules = rules_for(tokenizer, source=str(folder), adapt=adapt, named=template)
        tokenizer.chat_template = rules.template
        if adapt == "base":
            settle_padding(tokenizer, rules)
        return cls(tokenizer, kind=kind, rules=rules)

    def encode(self, prompt: Text, answer: Text) -> Encoded:
        """One row. Raises TemplateError if the template refuses it or the prompt's tokens do not begin the row."""
        row = next(self.encode_rows([(prompt, answer)]))
        if isinstance(row, TemplateError):
            raise row
        return row

    def encode_many(self, rows: Sequence[tuple[Text, Text]]) -> list[Encoded]:
        """Many rows of (prompt, answer), in order, faster than one by one. Raises TemplateError for the first bad."""
        found = []
        for row in self.encode_rows(rows):
            if isinstance(row, TemplateError):
                raise row
            found.append(row)
        return found

    def encode_rows(self, rows: Sequence[tuple[Text, Text]]) -> Iterator[Encoded | TemplateError]:
        """Many rows, in order; a row that cannot be rendered is the error that says why."""
        encode = self._encode_pairs if self.rules is None else self._encode_chats
        for start in range(0, len(rows), CHUNK):
            yield from encode(rows[start : start + CHUNK])

    def render_rows(self, rows: Sequence[tuple[Text, Text]]) -> Iterator[str | TemplateError]:
        """A decoder's rows as the text whose token ids `encode_rows` gives, for servers that take no ids."""
        assert self.rules is not None, "an encoder's rows are pairs and have no one text"
        yield from self._texts([self._chat(*row) for row in rows], generation=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed in the base's template, or found in it, in sentences."""
        return () if self.rules is None else self.rules.notes

    @cached_property
    def parts(self) -> dict[str, str]:
        """Hashes of all that decides the ids, by part: template, tokenizer, rules."""
        rules: dict[str, object] = {"kind": self.kind, "pair": ENCODER_RULE}
        if self.rules is not None:
            names = ("bos_token_id", "eos_token_id")
            rules = {"kind": self.kind, "prompt_end": self.rules.prompt_end, "system": self.rules.system}
            rules |= {name: getattr(self.tokenizer, name) for name in names}
        template = ENCODER_RULE if self.rules is None else self.rules.template
        return {
            "template": "sha256:" + hashlib.sha256(template.encode()).hexdigest(),
            "tokenizer": sha256_json(tokenizer_state(self.tokenizer)),
            "rules": sha256_json(rules),
        }

    @cached_property
    def hash(self) -> str:
        """`sha256:...` of template, tokenizer and rules together."""
        return sha256_json(self.parts)

    def save(self, folder: Path) -> None:
        """The tokenizer's files with the adapted chat template, so that plain transformers renders the same rows."""
        self.tokenizer.padding_side = "right"  # so that plain callers need give no positions
        self.tokenizer.save_pretrained(folder)

    def _encode_pairs(self, rows: Sequence[tuple[Text, Text]]) -> Iterator[Encoded]:
        prompts, answers = [flat(prompt) for prompt, _ in rows], [flat(answer) for _, answer in rows]
        both = self._tokenize(prompts, answers)
        # The pair's own encoding does not say where the prompt ends; its encoding alone does, where it begins the row.
        distinct = list(dict.fromkeys(prompts))
        alone = dict(zip(distinct, self._tokenize(distinct)["input_ids"], strict=True))
        types = both.get("token_type_ids") or [None] * len(rows)
        for prompt, ids, kinds in zip(prompts, both["input_ids"], types, strict=True):
            own = alone[prompt]
            segments = None if kinds is None else tuple(kinds)
            yield Encoded(
                ids=self._kept(ids),
                prompt_tokens=len(own) if ids[: len(own)] == own else 0,
                type_ids=None if segments is None else self._shared(segments),
            )

    def _shared(self, segments: tuple[int, ...]) -> tuple[int, ...]:
        """The same segments as one object, while there is room: a server meets ever new lengths, for months."""
        known = self._segments.get(segments)
        if known is None and self._segments_kept + len(segments) <= MOST_SEGMENTS:
            self._segments_kept += len(segments)
            self._segments[segments] = segments
        return segments if known is None else known

    def _kept(self, ids: list[int]) -> tuple[int, ...]:
        return tuple(map(self._numbers.setdefault, ids, ids))

    def _tokenize(self, *texts: list[str]) -> Mapping[str, list[Any]]:
        return self.tokenizer(*texts, padding=False, truncation=False, return_attention_mask=False, verbose=False)

    def _encode_chats(self, rows: Sequence[tuple[Text, Text]]) -> Iterator[Encoded | TemplateError]:
        assert self.rules is not None
        fulls = self._texts([self._chat(*row) for row in rows], generation=False)
        prompts = list(dict.fromkeys(prompt for prompt, _ in rows))
        heads = self._heads(prompts, generation=self.rules.prompt_end == "generation")
        # Prompts and whole rows are tokenised as whole texts: cut elsewhere, the same text has other tokens.
        ids = self._ids([text for text in (*heads.values(), *fulls) if isinstance(text, str)])
        lost = {prompt: self._lost(prompt, head) for prompt, head in heads.items()}
        for (prompt, answer), full in zip(rows, fulls, strict=True):
            fault = _fault(heads[prompt], full, answer) or lost[prompt]
            if fault is not None:
                yield fault
                continue
            row, head = ids[str(full)], ids[str(heads[prompt])]
            # The prompt's last token may merge with the answer's first characters: it is then the answer's.
            yield Encoded(ids=self._kept(row), prompt_tokens=min(_common(head, row), len(row) - 1))

    def _heads(self, prompts: list[Text], *, generation: bool) -> dict[Text, str | TemplateError]:
        texts = self._texts([self._chat(prompt) for prompt in prompts], generation=generation)
        return dict(zip(prompts, texts, strict=True))

    def _lost(self, prompt: Text, head: str | TemplateError) -> TemplateError | None:
        """Why a prompt is not whole in its rendered text; None if every message stands there."""
        if isinstance(head, TemplateError):
            return head
        chat = self._chat(prompt)
        rendered = "".join(head.split())
        # A short message may stand in the text by chance, so what becomes of its role is asked with words of our own.
        gone = self._dropped(tuple(turn["role"] for turn in chat))
        for place, turn in enumerate(chat):
            if place in gone or "".join(turn["content"].split()) not in rendered:
                which = f"message {place + 1} of the prompt (role {turn['role']!r})"
                return TemplateError(f"the chat template leaves out or rewrites {which}")
        return None

    def _dropped(self, roles: tuple[str, ...]) -> frozenset[int]:
        """Which messages the template leaves out of a prompt with these roles, whatever they say."""
        found = self._gone.get(roles)
        if found is None:
            assert self.rules is not None
            words = [f"qzm{place}z" for place in range(len(roles))]
            chat = [{"role": role, "content": word} for role, word in zip(roles, words, strict=True)]
            text = self._text(chat, generation=self.rules.prompt_end == "generation")
            gone = () if isinstance(text, TemplateError) else (n for n, word in enumerate(words) if word not in text)
            found = frozenset(gone)
            if len(roles) <= MOST_ROLES and len(self._gone) < MOST_CHATS:  # whoever asks a server may make up roles
                self._gone[roles] = found
        return found

    def _texts(self, chats: list[Chat], *, generation: bool) -> list[str | TemplateError]:
        assert self.rules is not None
        try:
            return list(text_of(self.tokenizer, self.rules.template, chats, generation=generation))
        except TemplateError:  # one of them at least: find out which
            return [self._text(chat, generation=generation) for chat in chats]

    def _text(self, chat: Chat, *, generation: bool) -> str | TemplateError:
        assert self.rules is not None
        try:
            return text_of(self.tokenizer, self.rules.template, [chat], generation=generation)[0]
        except TemplateError as error:
            return error

    def _ids(self, texts: list[str]) -> dict[str, list[int]]:
        distinct = list(dict.fromkeys(texts))
        return dict(zip(distinct, ids_of(self.tokenizer, distinct), strict=True)) if distinct else {}

    def _chat(self, prompt: Text, answer: Text | None = None) -> Chat:
        messages = as_messages(prompt, role="user")
        if answer is not None:
            messages += as_messages(answer, role="assistant")
        chat = [{"role": message.role, "content": message.content} for message in messages]
        assert self.rules is not None
        return fold_system(chat) if self.rules.system == "folded" else chat


def _not_openable(folder: Path | str, why: str) -> str:
    return (
        f"{folder}: no usable tokenizer and configuration there ({why}). Give a folder with config.json and tokenizer "
        "files, as save_pretrained writes them."
    )


def _fault(head: str | TemplateError, full: str | TemplateError, answer: Text) -> TemplateError | None:
    """Why a row cannot be used: refused, prompt changed by the answer that follows, answer not whole; None if fine."""
    for text in (full, head):
        if isinstance(text, TemplateError):
            return text
    assert isinstance(head, str)
    assert isinstance(full, str)
    if not full.startswith(head) or len(full) == len(head):
        same = _common(head, full)
        return TemplateError(
            f"the rendered prompt is not the beginning of the rendered row: they part after {same} of {len(head)} "
            "characters"
        )
    # White space aside, as templates trim it; anything else they drop from an answer (its reasoning, say) would go
    # unnoticed.
    rendered = "".join(full.split())
    if any("".join(message.content.split()) not in rendered for message in as_messages(answer, role="assistant")):
        return TemplateError("the chat template leaves out or rewrites a part of the answer")
    return None


_Element = TypeVar("_Element", str, int)


def _common(a: Sequence[_Element], b: Sequence[_Element]) -> int:
    """How many first elements two sequences share."""
    if a == b[: len(a)]:
        return len(a)
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def fold_system(chat: Chat) -> Chat:
    """System messages put before the text of the user turn that follows; one that none follows stays as it is."""
    folded: Chat = []
    waiting: Chat = []
    for turn in chat:
        if turn["role"] == "system":
            waiting.append(turn)
        elif turn["role"] == "user" and waiting:
            folded.append({**turn, "content": "\n\n".join(said["content"] for said in (*waiting, turn))})
            waiting = []
        else:
            folded.append(turn)
    return [*folded, *waiting]


def flat(text: Text) -> str:
    """A text for an encoder: one message is its content; several name their roles."""
    if isinstance(text, str):
        return text
    if len(text) == 1:
        return text[0].content
    return "\n\n".join(f"{message.role.capitalize()}: {message.content}" for message in text)


def settle_padding(tokenizer: Tokenizer, rules: Rules) -> None:
    """Give the tokenizer a padding token that no row ends with: transformers finds a row's end by it."""
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    end = ids_of(tokenizer, text_of(tokenizer, rules.template, [chat], generation=False))[0][-1]
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id != end:
        return
    unknown = tokenizer.unk_token
    if unknown is not None and tokenizer.unk_token_id not in {end, tokenizer.bos_token_id, tokenizer.eos_token_id}:
        tokenizer.pad_token = unknown
        return
    special = [str(token) for _, token in sorted(tokenizer.added_tokens_decoder.items()) if token.special]
    padding = [token for token in special if "pad" in token.lower() and tokenizer.convert_tokens_to_ids(token) != end]
    if padding:
        tokenizer.pad_token = padding[0]
    else:
        tokenizer.add_special_tokens({"pad_token": PAD_TOKEN})
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id == end:
        raise ModelError("no padding token can be set that differs from the end of a row; set one in the tokenizer.")


def tokenizer_state(tokenizer: Tokenizer) -> dict[str, object]:
    """All of a tokenizer that decides ids, as a JSON value; padding and truncation settings are the caller's."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return {"class": type(tokenizer).__name__, "vocabulary": tokenizer.get_vocab()}
    state = json.loads(backend.to_str())
    return {key: value for key, value in state.items() if key not in {"padding", "truncation"}}
