"""Make a chat template fit for rewards: same text on any day, one BOS, an end marker as the last token.

What is changed is changed in the template itself, which is saved with the model: whoever renders with the saved
tokenizer gets the rows that were trained on. Knows templates and text; knows no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import jinja2

from assay.errors import TemplateError, first_line
from assay.models.transformers_types import Tokenizer

PLAIN = "plain"  # the name of PLAIN_TEMPLATE for users
PINNED_DATE = datetime(2024, 7, 26, tzinfo=UTC)
PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}"
    "{% if not loop.last %}{{ '\\n\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\n\\nAssistant:' }}{% endif %}"
)
_DATE_CALL = re.compile(r"""strftime_now\(\s*(['"])(?P<format>(?:(?!\1).)*)\1\s*\)""")
_USER, _ANSWER, _SYSTEM = "qzu question", "qza answer", "qzs rules"

Chat = list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How conversations become text for one tokenizer.

    prompt_end: where the prompt's tokens end: after the header of the answer (generation) or after the last turn.
    system: by the template, or folded into the user turn that follows where the template refuses or drops it.
    notes: what was changed or found, in sentences.
    """

    template: str
    prompt_end: Literal["generation", "turn"]
    system: Literal["template", "folded"]
    notes: tuple[str, ...] = ()


def rules_for(
    tokenizer: Tokenizer, *, source: str, adapt: Literal["base", "published"], named: str | None = None
) -> Rules:
    """The rendering rules of a decoder's tokenizer.

    adapt "base": date pinned, BOS and end marker put right; "published": a finished reward model's template as it is.
    named: a file of jinja, or `plain`, in place of the tokenizer's template. Raises TemplateError, naming `source`, for
    a template that no rule makes usable, or where a published model has none and none is named.
    """
    if named is None and tokenizer.chat_template is None and adapt == "published":
        raise TemplateError(
            f"{source} has no chat template, so which text it was trained on cannot be known. Name the template: "
            "--template FILE, or --template plain for 'User: ...', 'Assistant: ...' lines (in Python: template=...)."
        )
    try:
        template, notes = _source_template(tokenizer) if named is None else _named_template(named)
        _check_content(tokenizer, template)
        if adapt == "base" or named == PLAIN:
            template, dated = _pin_date(tokenizer, template)
            template, framed = _frame(tokenizer, template)
            notes += dated + framed
        prompt_end, ended = _prompt_end(tokenizer, template)
        system, folded = _system_rule(tokenizer, template)
    except TemplateError as error:
        raise TemplateError(
            f"{source}: {error}. Set another chat_template in the tokenizer's folder, or take another base."
        ) from None
    return Rules(template=template, prompt_end=prompt_end, system=system, notes=(*notes, *ended, *folded))


def text_of(tokenizer: Tokenizer, template: str, chats: Sequence[Chat], *, generation: bool) -> list[str]:
    """Conversations as text. Raises TemplateError with the template's own words where it refuses one."""
    try:
        rendered = tokenizer.apply_chat_template(
            list(chats), chat_template=template, tokenize=False, add_generation_prompt=generation
        )
    except (jinja2.TemplateError, TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise TemplateError(f"the chat template refuses the conversation: {error}") from None
    return list(rendered)


def ids_of(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of rendered texts: nothing added, nothing cut."""
    found = tokenizer(
        list(texts), add_special_tokens=False, padding=False, truncation=False, return_attention_mask=False,
        return_token_type_ids=False, verbose=False,
    )  # fmt: skip
    return list(found["input_ids"])


def end_of_turn(tokenizer: Tokenizer, template: str) -> int | None:
    """The special token a template writes right after an answer; None where it writes none."""
    text = text_of(tokenizer, template, [_chat()], generation=False)[0]
    ids = ids_of(tokenizer, [text.partition(_ANSWER)[2].lstrip()])[0][:1]
    special = tokenizer.added_tokens_decoder
    return next((token for token in ids if token in special and special[token].special), None)


def _source_template(tokenizer: Tokenizer) -> tuple[str, tuple[str, ...]]:
    if tokenizer.chat_template is None:
        return PLAIN_TEMPLATE, (
            "The base has no chat template: turns are rendered as 'User: ...', 'Assistant: ...', a blank line apart.",
        )
    return str(tokenizer.get_chat_template()), ()


def _named_template(named: str) -> tuple[str, tuple[str, ...]]:
    if named == PLAIN:
        return PLAIN_TEMPLATE, (
            "Turns are rendered as 'User: ...', 'Assistant: ...', a blank line apart, as asked for.",
        )
    try:
        return Path(named).read_text(encoding="utf-8"), (f"The template is that of {named}, as asked for.",)
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(
            f"the template {named} cannot be read ({first_line(error)}); give a file of jinja, or {PLAIN}"
        ) from None


def _pin_date(tokenizer: Tokenizer, template: str) -> tuple[str, tuple[str, ...]]:
    """The template with calls for today's date replaced by a fixed one."""
    pinned = _DATE_CALL.sub(lambda call: repr(PINNED_DATE.strftime(call["format"])), template)
    chat = _chat()
    # Rendered under two different days: a template that still tells them apart writes the date in a way not found
    # above.
    clocks = ["{%- macro strftime_now(format) -%}" + day + "{%- endmacro -%}" for day in ("qzd1", "qzd2")]
    days = {
        text_of(tokenizer, clock + pinned, [turns], generation=generation)[0]
        for clock in clocks
        for turns, generation in ((chat, False), (chat[:1], True))
    }
    if len(days) > 2:
        raise TemplateError(
            "the chat template writes today's date in a form that cannot be pinned, so rewards would change from day "
            "to day"
        )
    if pinned == template:
        return template, ()
    when = PINNED_DATE.strftime("%d %B %Y")
    return pinned, (f"The chat template writes today's date; it is pinned to {when} so that rewards stay the same.",)


def _chat(*, system: bool = False) -> Chat:
    first = [{"role": "system", "content": _SYSTEM}] if system else []
    return [*first, {"role": "user", "content": _USER}, {"role": "assistant", "content": _ANSWER}]


def _check_content(tokenizer: Tokenizer, template: str) -> None:
    text = text_of(tokenizer, template, [_chat()], generation=False)[0]
    for role, words in (("user", _USER), ("assistant", _ANSWER)):
        if words not in text:
            raise TemplateError(f"the chat template leaves out what the {role} says, so no reward could depend on it")


def _frame(tokenizer: Tokenizer, template: str) -> tuple[str, tuple[str, ...]]:
    """The template with exactly one BOS where the base expects one, ending in its end marker."""
    text = text_of(tokenizer, template, [_chat()], generation=False)[0]
    start, end, trim, notes = "", "", "", []
    if _adds_bos(tokenizer) and ids_of(tokenizer, [text])[0][0] != tokenizer.bos_token_id:
        start = f"{tokenizer.bos_token!r} ~ "
        notes.append(f"The template writes no BOS, which the base expects: {tokenizer.bos_token} is put first.")
    tail = text.rpartition(_ANSWER)[2]
    marker = _end_marker(tokenizer, tail)
    if marker is None and tokenizer.eos_token is not None:
        end = f" ~ {tokenizer.eos_token!r}"
        notes.append(f"The template does not end an answer; {tokenizer.eos_token} is put last.")
    elif marker is not None and tail != tail.rstrip() and tail.rstrip().endswith(marker):
        trim = ".rstrip()"
        notes.append(f"White space after {marker} is left off, so that the reward is read from it.")
    if not notes:
        return template, ()
    # The given template's text is caught whole and framed, and not edited: nobody has to understand what it does.
    framed = (
        "{% set assay_text %}" + template.removesuffix("\n") + "{% endset %}"
        "{% if not add_generation_prompt and messages[-1]['role'] == 'assistant' %}"
        "{{ " + f"{start}assay_text{trim}{end}" + " }}{% else %}{{ " + f"{start}assay_text" + " }}{% endif %}"
    )
    if not _frames_exactly(tokenizer, template, framed, bos=bool(start), end=bool(end)):
        return template, (
            "The template cannot be framed; rows are what it writes, its white space at the end included.",
        )
    return framed, tuple(notes)


def _frames_exactly(tokenizer: Tokenizer, template: str, framed: str, *, bos: bool, end: bool) -> bool:
    """Whether the framed template differs from the given one in what was meant only."""
    start, stop = str(tokenizer.bos_token) if bos else "", str(tokenizer.eos_token) if end else ""
    turns = _chat()
    # More turns than one, since a template may end the last answer otherwise than those before it.
    for chat, generation in ((turns, False), (turns[:1], True), (turns + turns, False), (turns + turns[:1], True)):
        plain = text_of(tokenizer, template, [chat], generation=generation)[0]
        try:
            found = text_of(tokenizer, framed, [chat], generation=generation)[0]
        except TemplateError:
            return False
        wanted = start + plain if generation else start + (plain if end else plain.rstrip()) + stop
        if found != wanted and not (not end and not generation and found == start + plain):
            return False
    return True


def _adds_bos(tokenizer: Tokenizer) -> bool:
    first = tokenizer("a", verbose=False)["input_ids"][:1]
    return tokenizer.bos_token_id is not None and first == [tokenizer.bos_token_id]


def _end_marker(tokenizer: Tokenizer, tail: str) -> str | None:
    """The last special token the template writes after an answer, as text."""
    special = {*map(str, tokenizer.added_tokens_decoder.values()), tokenizer.eos_token}
    found = [(tail.rfind(token), len(token), token) for token in special if token and token in tail]
    return max(found)[2] if found else None


def _prompt_end(tokenizer: Tokenizer, template: str) -> tuple[Literal["generation", "turn"], tuple[str, ...]]:
    """Where the prompt ends such that it begins the row of prompt and answer."""
    turns = _chat()
    full = text_of(tokenizer, template, [turns], generation=False)[0]
    ends: tuple[Literal["generation", "turn"], ...] = ("generation", "turn")
    for end in ends:
        prompt = text_of(tokenizer, template, [turns[:1]], generation=end == "generation")[0]
        if len(prompt) < len(full) and full.startswith(prompt):
            note = (
                "The header the template opens an answer with differs from the one it writes before a given answer "
                "(thinking templates do this); the prompt is taken to end before it."
            )
            return end, () if end == "generation" else (note,)
    raise TemplateError(
        "the chat template's prompt is not the beginning of prompt and answer, so the answer's tokens cannot be told "
        "from the prompt's"
    )


def _system_rule(tokenizer: Tokenizer, template: str) -> tuple[Literal["template", "folded"], tuple[str, ...]]:
    try:
        text = text_of(tokenizer, template, [_chat(system=True)], generation=False)[0]
        how = "drops"
    except TemplateError:
        text, how = "", "refuses"
    if _SYSTEM in text:
        return "template", ()
    return "folded", (
        f"The template {how} system messages; they are put before the text of the user turn that follows.",
    )
