"""The language of a text, roughly: its script, and for Latin script which language's small words it holds.

A guess for slicing, not a language detector: one would be a dependency that takes longer than all else an audit does
with a pair, and a wrong slice costs no one a verdict. Data that state a language are sliced by that as well.
Knows texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

READ = 400  # characters of a text that are looked at
CERTAIN = 3  # small words of one language, and half as many again as of any other, to name it
OTHER = "Latin script, language unknown"
UNKNOWN = "no words"
SCRIPTS: Mapping[str, re.Pattern[str]] = {
    # Kana and Hangul before Han: Japanese is written with Han characters as well.
    "Japanese": re.compile("[\u3040-\u30ff]"),
    "Korean": re.compile("[\uac00-\ud7af\u1100-\u11ff]"),
    "Chinese": re.compile("[\u3400-\u9fff]"),
    "Cyrillic script": re.compile("[\u0400-\u052f]"),
    "Greek": re.compile("[\u0370-\u03ff]"),
    "Arabic script": re.compile("[\u0600-\u06ff\u0750-\u077f]"),
    "Hebrew": re.compile("[\u0590-\u05ff]"),
    "Devanagari script": re.compile("[\u0900-\u097f]"),
    "Bengali": re.compile("[\u0980-\u09ff]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
}
_SMALL_WORDS = {
    "English": "the of and to is that it for you with this be are what how was not have i my can do",
    "German": "der die und das ist nicht ich ein eine zu mit den wie von auf für sich dem wird auch",
    "French": "le la les des et est un une que pour dans vous je pas sur avec il qui du ce",
    "Spanish": "el la los de que y en un una es por para con no se las del como lo qué",
    "Portuguese": "o a os de que e em um uma é por para com não se as do da como no",
    "Italian": "il la di che e un una è per con non si le del della come sono gli nel mi",
    "Dutch": "de het een en van is dat ik niet in op te zijn voor met die je wat hoe er",
}
# The languages of each small word: one look a word of the text, and most words are none.
SAYS: dict[str, list[str]] = {}
for _language, _words in _SMALL_WORDS.items():
    for _one in _words.split():
        SAYS.setdefault(_one, []).append(_language)
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalpha()})


def language_of(text: str) -> str:
    """A language or a script by name.

    >>> language_of("How do I get the stain out of this?"), language_of("Как дела?")
    ('English', 'Cyrillic script')
    """
    start = text[:READ]
    if not start.isascii():
        written_in = {name: len(pattern.findall(start)) for name, pattern in SCRIPTS.items()}
        letters = sum(map(str.isalpha, start))
        written = max(written_in, key=lambda name: written_in[name])
        # A few kana among Han are Japanese already; any other script must be most of the letters.
        if written_in["Japanese"] > 0.05 * max(letters, 1):
            return "Japanese"
        if 2 * written_in[written] > letters > 0:
            return written
    # ASCII without a pattern, several times as fast: what is no letter becomes a space.
    words = start.lower().translate(_LETTERS).split() if start.isascii() else _WORD.findall(start.lower())
    if not words:
        return UNKNOWN
    counts = Counter([language for word in words if word in SAYS for language in SAYS[word]])
    ranked = [*counts.most_common(2), ("", 0), ("", 0)]
    (name, most), (_, next_most) = ranked[0], ranked[1]
    return name if most >= min(CERTAIN, len(words)) and 2 * most >= 3 * next_most else OTHER
