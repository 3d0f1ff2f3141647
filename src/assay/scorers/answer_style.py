"""Style of answers in numbers: counts of markdown and punctuation, openings, refusals, reading level.

1) code is taken out, and counted; 2) marks are counted in what is left; 3) words, sentences and letters give the
reading level. A pattern runs only where the character it needs occurs, since most answers hold none: 20 microseconds
for an answer of 500 characters.

Knows texts; knows no pair and no reward. Shapes: T texts, F features.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from assay.stats.intervals import Array

# Marks, counted per 100 words when two answers are compared; the order of the columns.
COUNTED = ("headers", "list items", "bold", "code", "emoji", "exclamation marks", "question marks", "paragraphs")
# Said of the whole answer: yes or no, and a level.
STATED = ("refuses", "opens with assent", "reading level")
WORDS, CHARACTERS = "words", "characters"
COLUMNS = (*COUNTED, *STATED, WORDS, CHARACTERS)

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_INLINE_CODE = re.compile(r"`[^`\n]+`")
_HEADER = re.compile(r"^ {0,3}#{1,6}\s", re.MULTILINE)
_LIST_ITEM = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55\U0001f1e6-\U0001f1ff]")
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_FIRST_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ASSENT = re.compile(r"\W*(?:sure|certainly|of course|absolutely|definitely|great question|happy to|i'd be happy)\b")
REFUSALS = (
    "i can't", "i cannot", "i can not", "i won't", "i will not", "i'm sorry", "i am sorry", "i'm unable", "i am unable",
    "i'm not able", "i am not able", "as an ai", "i'm not comfortable", "i must decline", "i don't feel comfortable",
)  # fmt: skip
LONGEST_WORD = 20
HEARD = 300  # characters of an answer in which a refusal says what it is
EASIEST, HARDEST = -5.0, 40.0  # reading levels beyond are tables and lists without a full stop
FIRST_WORDS = 6  # of the openings that occur most
COMMON = 0.03  # of the answers, from which on an opening is looked at
LETTERS_A_WORD = 6  # of languages written without spaces, for which words cannot be counted


def style_columns(texts: Sequence[str]) -> Array:
    """One row a text, one column a name of COLUMNS; (T, F)."""
    return np.array([style_of(text) for text in texts], dtype=np.float64).reshape(-1, len(COLUMNS))


def style_of(text: str) -> tuple[float, ...]:
    """Counts of COUNTED, then STATED, words and characters of one answer.

    >>> dict(zip(COLUMNS, style_of("# Plan\\n- **one**!\\n- two"), strict=True))["list items"]
    2.0
    """
    code, prose = 0, text
    if "`" in text:
        prose, code = _FENCED.subn(" ", text)
        prose, inline = _INLINE_CODE.subn(" ", prose)
        code += inline
    ascii_only = prose.isascii()
    if not ascii_only:
        prose = prose.replace("’", "'")
    start = prose[:HEARD].lower()
    spaced = prose.split()
    letters = len("".join(spaced))
    words = float(max(len(spaced), 1 if ascii_only else letters // (2 * LETTERS_A_WORD), 1))
    listed = "\n" in prose or prose[:1] in "-*+•0123456789"
    return (
        float(len(_HEADER.findall(prose)) if "#" in prose else 0),
        float(len(_LIST_ITEM.findall(prose)) if listed else 0),
        float(len(_BOLD.findall(prose)) if "**" in prose or "__" in prose else 0),
        float(code),
        float(0 if ascii_only else len(_EMOJI.findall(prose))),
        float(prose.count("!")),
        float(prose.count("?")),
        float(len(_PARAGRAPH.findall(prose.strip())) if "\n" in prose else 0),
        float(("i " in start or "i'" in start or "as an ai" in start) and any(said in start for said in REFUSALS)),
        float(_ASSENT.match(start) is not None),
        reading_level(letters, words, sentences(prose)),
        words,
        float(len(text)),
    )


def sentences(prose: str) -> int:
    """Full stops, question and exclamation marks that end something; at least 1."""
    count = prose.count
    ends = count(". ") + count("! ") + count("? ")
    if "\n" in prose:
        ends += count(".\n") + count("!\n") + count("?\n")
    return max(ends + prose.rstrip().endswith((".", "!", "?")), 1)


def reading_level(letters: int, words: float, ends: int) -> float:
    """Automated Readability Index, about the school year a text asks for, held within EASIEST and HARDEST.

    Letters stand in for the syllables of Flesch's formula: counting these takes longer than all else here together, and
    is right in one language only. Source: Senter & Smith 1967.

    >>> round(reading_level(45, 9.0, 1), 2)  # 4.71 x 5 + 0.5 x 9 - 21.43
    6.62
    """
    return min(max(4.71 * letters / words + 0.5 * words / ends - 21.43, EASIEST), HARDEST)


def first_word(text: str) -> str:
    """The first word of an answer in small letters; empty where it starts with none."""
    found = _FIRST_WORD.search(text, 0, HEARD)
    return found.group().lower() if found and len(found.group()) <= LONGEST_WORD else ""


def frequent_openings(words: Sequence[str]) -> list[str]:
    """First words of at least COMMON of the answers, the most frequent first, in order of the alphabet where equal."""
    counts = Counter(word for word in words if word)
    kept = [(-count, word) for word, count in counts.items() if count >= COMMON * len(words)]
    return [word for _, word in sorted(kept)[:FIRST_WORDS]]
