"""Words and habits that give a side away, found before a study starts. Knows texts; knows no plan and no page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from assay.study.study_records import Item

# Names by which models and their makers speak of themselves. A match counts only where the prompt does not say it too.
MODEL_NAMES = (
    r"chat-?gpt|gpt-?[2345](?:[.-]?\w+)?|openai|claude|anthropic|llama-?\d*|qwen\d*|gemini|gemma|bard|palm-?2|mistral|"
    r"mixtral|deepseek|smol-?lm\d*|falcon-\d+b|vicuna|alpaca|zephyr|phi-[234]|command-r|grok|olmo|pythia"
)
SPEAKS_OF_ITSELF = (
    r"as (?:the|a|an) (?:fine-?)?(?:tuned|trained|base|baseline|reference|aligned|dpo|sft|rlhf|updated|improved) "
    r"(?:language )?(?:model|assistant|version|system)",
    r"\b(?:fine-?tuned|base|baseline|reference|dpo|sft|rlhf) (?:model|checkpoint|policy)\b",
    r"\bi (?:was|am|have been) (?:fine-?tuned|trained|developed|created|made) (?:by|on|with)\b",
    r"<\|[\w/-]{2,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>|### ?(?:Response|Assistant):",
)
ORDINARY_NAMES = frozenset({"a", "b", "base", "tuned", "chosen", "rejected", "good", "bad", "new", "old", "model"})
TELL_GAP = 0.6
TELL_PROMPTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Giveaway:
    """One way to tell the systems apart. `name`: an answer names its system; `style`: a habit only one of them has."""

    kind: Literal["name", "style"]
    system: str
    what: str
    count: int
    prompts: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    def sentence(self) -> str:
        where = ", ".join(self.prompts[:3]) + (", ..." if len(self.prompts) > 3 else "")
        if self.kind == "name":
            return f'{self.count} answers of {self.system} say "{self.what}" (prompts {where})'
        return f"answers of {self.system} {self.what}"


def find_giveaways(items: Sequence[Item], *, words: Sequence[str] = ()) -> list[Giveaway]:
    """Names first, then habits. A word that the prompt itself uses gives nothing away."""
    systems = sorted({system for item in items for system in (item.system_a, item.system_b)})
    own = [name for name in systems if name.lower() not in ORDINARY_NAMES and len(name) > 2]
    pattern = re.compile("|".join(_patterns([*own, *words])), re.IGNORECASE)
    return [*_names(items, pattern), *_habits(items)]


def _patterns(names: Iterable[str]) -> list[str]:
    # The longest first: an alternation takes the first that fits, and "tuned" would hide "tuned-v2".
    own = [rf"(?<!\w){re.escape(name)}(?!\w)" for name in sorted(names, key=len, reverse=True) if name.strip()]
    return [*own, rf"\b(?:{MODEL_NAMES})\b", *SPEAKS_OF_ITSELF]


def _names(items: Sequence[Item], pattern: re.Pattern[str]) -> list[Giveaway]:
    found: dict[tuple[str, str], list[str]] = {}
    for item in items:
        prompt = item.prompt if isinstance(item.prompt, str) else " ".join(turn.content for turn in item.prompt)
        said = {match.group().lower() for match in pattern.finditer(prompt)}
        for system, answer in ((item.system_a, item.answer_a), (item.system_b, item.answer_b)):
            for word in sorted({match.group().lower() for match in pattern.finditer(answer)} - said):
                prompts = found.setdefault((system, word), [])
                if item.prompt_id not in prompts:
                    prompts.append(item.prompt_id)
    return [
        Giveaway(kind="name", system=system, what=word, count=len(prompts), prompts=tuple(prompts))
        for (system, word), prompts in sorted(found.items())
    ]


def _features(answer: str) -> dict[str, bool]:
    """Habits an eye catches at once."""
    words = answer.split()
    return {
        f'start with "{" ".join(words[:2])}"': True,
        f'end with "{" ".join(words[-2:])}"': True,
        "use markdown headings": bool(re.search(r"^#{1,6} ", answer, re.MULTILINE)),
        "use bullet lists": bool(re.search(r"^\s*[-*] ", answer, re.MULTILINE)),
        "use numbered lists": bool(re.search(r"^\s*\d+[.)] ", answer, re.MULTILINE)),
        "use bold type": "**" in answer,
        "use emoji": bool(re.search(r"[\U0001F300-\U0001FAFF]", answer)),
        "stop in mid-sentence": bool(re.search(r"[\w,]\s*$", answer)),
    }


def _habits(items: Sequence[Item]) -> list[Giveaway]:
    """Habits of nearly all answers of one system and few of the other: an editor learns them within ten items."""
    answers: dict[str, dict[str, str]] = {}
    for item in items:
        answers.setdefault(item.system_a, {})[item.prompt_id] = item.answer_a
        answers.setdefault(item.system_b, {})[item.prompt_id] = item.answer_b
    counts = {system: Counter(_true(texts)) for system, texts in answers.items()}
    found = []
    for system, texts in sorted(answers.items()):
        others = [other for other in answers if other != system]
        if len(texts) < TELL_PROMPTS or not others:
            continue
        for habit, count in sorted(counts[system].items()):
            share = count / len(texts)
            # Against the most similar of the others: a habit gives nothing away that one other has as well.
            elsewhere = max(counts[other][habit] / len(answers[other]) for other in others)
            if share - elsewhere >= TELL_GAP:
                what = f"{habit} in {share:.0%} of prompts, others in {elsewhere:.0%}"
                found.append(Giveaway(kind="style", system=system, what=what, count=count, prompts=()))
    return found


def _true(texts: Mapping[str, str]) -> list[str]:
    return [name for text in texts.values() for name, present in _features(text).items() if present]
