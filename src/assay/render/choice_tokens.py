"""Question and choices to tokens as lm-evaluation-harness cuts them, so that log-probabilities are the same.

Question and choice are tokenised together, and the choice's tokens are what comes after as many as the question alone
has; blanks at the question's end go to the choice. One BOS where the tokenizer puts one, and none twice. With a chat
template the header's first paragraph is the system message, examples and question one user message, and choices follow
the head of the answer without a blank. Knows texts and tokens; knows no right answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.models.transformers_types import Tokenizer
from assay.render.encoder import fold_system
from assay.render.template import Rules, ids_of, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What stands before the question for all questions of a subject, the question, and the choices, as texts.

    about: the first paragraph, a system message in a chat; shots: solved examples; delimiter: before a choice.
    """

    about: str
    shots: str
    question: str
    choices: tuple[str, ...]
    delimiter: str = " "


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceTokens:
    """Tokens up to the choices, and each choice's own."""

    context: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]


def choice_tokens(tokenizer: Tokenizer, askings: Sequence[Asking], *, chat: Rules | None = None) -> list[ChoiceTokens]:
    """Tokens of each question. chat: the rules of the model's template; None: text as it is.

    Raises TemplateError where the template refuses the conversation.
    """
    if chat is None:
        contexts = [one.about + one.shots + one.question for one in askings]
    else:
        contexts = chat_contexts(tokenizer, askings, chat)
    texts: list[str] = []
    for one, context in zip(askings, contexts, strict=True):
        bare = context.rstrip()
        blanks = context[len(bare) :]
        delimiter = one.delimiter if chat is None else ""
        texts += [bare, *(bare + blanks + delimiter + choice for choice in one.choices)]
    lead = _lead(tokenizer)
    begins = tokenizer.decode(list(lead), skip_special_tokens=False) if lead else ""
    rows = [
        (*(() if begins and text.startswith(begins) else lead), *ids)
        for text, ids in zip(texts, ids_of(tokenizer, texts), strict=True)
    ]
    found, start = [], 0
    for one in askings:
        context_ids, *wholes = rows[start : start + 1 + len(one.choices)]
        start += 1 + len(one.choices)
        cut = len(context_ids)
        found.append(ChoiceTokens(context=context_ids, continuations=tuple(whole[cut:] for whole in wholes)))
    return found


def chat_contexts(tokenizer: Tokenizer, askings: Sequence[Asking], rules: Rules) -> list[str]:
    """The conversation up to where its answer begins, as text."""
    chats = []
    for one in askings:
        chat = [{"role": "system", "content": one.about}] if one.about else []
        chat.append({"role": "user", "content": one.shots + one.question})
        chats.append(fold_system(chat) if rules.system == "folded" else chat)
    return text_of(tokenizer, rules.template, chats, generation=True)


def _lead(tokenizer: Tokenizer) -> tuple[int, ...]:
    """The BOS that the tokenizer puts before a text by itself, or nothing."""
    found = tokenizer("a", add_special_tokens=True)["input_ids"]
    return tuple(found[:1]) if found and found[0] == tokenizer.bos_token_id else ()
