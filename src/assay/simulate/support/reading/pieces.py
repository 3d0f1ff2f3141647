"""The desk's phrases as they are found in any text: statements of facts, decisions, steps, manners, courtesies.

Each piece says where it stands and what it is; what that is worth in a case is not known here. Small letters only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assay.simulate.support import wording
from assay.simulate.support.facts import ALL, FactKind
from assay.simulate.support.fault_cases import REMEDIES
from assay.simulate.support.reading.read_case import ALL_STEPS, VALUES
from assay.simulate.support.told_facts import DENIALS

_MARK = re.compile(r"^\s*(?:[-*+•]|#{1,6}|\d+[.)])\s+", re.MULTILINE)
_CURLED = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"'})


@dataclass(frozen=True, slots=True)
class Piece:
    """One phrase in a text. kind: what sort of phrase; says: what it says, by which a repetition is known."""

    start: int
    end: int
    kind: str
    says: tuple[str, ...]


def normal(text: str) -> str:
    """Any text in small letters, straight quotation marks, single blanks, without marks of lists, headings and bold."""
    return " ".join(_MARK.sub("", text).translate(_CURLED).replace("**", "").lower().split())


def _whole(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)")


def _said(kind: FactKind) -> re.Pattern[str]:
    slot = f"({VALUES[kind.form]})"
    return _whole(re.escape(form.lower()).replace(re.escape("{v}"), slot) for form in kind.says)


_SAID = [(kind.name, _said(kind)) for kind in ALL]
_DENIED = {denial.format(noun=kind.noun).lower(): kind.name for kind in ALL for denial in DENIALS}
_DENIAL = _whole(re.escape(text) for text in sorted(_DENIED, key=len, reverse=True))
_STEPS = [
    (form, _whole([re.escape(form).replace(re.escape("{n}"), r"(\d+)")])) for form, _ in ALL_STEPS
]  # fmt: skip
_REMEDY = {said.lower(): name for name, forms in REMEDIES.items() for said in forms}


def facts(text: str) -> Iterator[Piece]:
    """Every statement of a fact, and every denial that there is one."""
    for name, pattern in _SAID:
        for match in pattern.finditer(text):
            value = next(group for group in match.groups() if group is not None)
            yield Piece(match.start(), match.end(), "fact", (name, value))
    for match in _DENIAL.finditer(text):
        yield Piece(match.start(), match.end(), "denial", (_DENIED[match.group()],))


def steps(text: str) -> Iterator[Piece]:
    """Every step, and every remedy that is promised."""
    for form, pattern in _STEPS:
        for match in pattern.finditer(text):
            yield Piece(match.start(), match.end(), "step", (form, match[1] if match.groups() else ""))
    for said, name in _REMEDY.items():
        yield from phrases(text, "remedy", (said,), says=(name,))


def phrases(text: str, kind: str, said: Sequence[str], *, says: tuple[str, ...] = ()) -> Iterator[Piece]:
    """Every place of fixed phrases. says: what they say; by default each says itself."""
    for phrase in said:
        wanted = phrase.lower().rstrip(".!?")
        start = text.find(wanted)
        while start >= 0:
            end = start + len(wanted)
            whole = not (start and text[start - 1].isalnum()) and not text[end : end + 1].isalnum()
            if whole:
                yield Piece(start, end, kind, says or (wanted,))
            start = text.find(wanted, end)


def consolations(text: str, item: str) -> Iterator[Piece]:
    """Apologies for a mishap on an occasion, condolences for a relative: what each is about."""
    apology, condolence = _consoling(item)
    for match in apology.finditer(text):
        yield Piece(match.start(), match.end(), "apology", tuple(one for one in match.groups() if one is not None))
    for match in condolence.finditer(text):
        yield Piece(match.start(), match.end(), "condolence", tuple(one for one in match.groups() if one is not None))


@lru_cache(maxsize=64)
def _consoling(item: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    slots = {
        "what": [said for _, said in wording.MISHAPS], "when": [said for _, said in wording.OCCASIONS],
        "who": list(wording.RELATIVES),
    }  # fmt: skip

    def pattern(form: str) -> str:
        said = re.escape(form.format(item=item, what="<what>", when="<when>", who="<who>").lower())
        for name, words in slots.items():
            one = "|".join(re.escape(word.lower()) for word in sorted(words, key=len, reverse=True))
            said = said.replace(f"<{name}>", f"({one})")
        return said

    return _whole(map(pattern, wording.APOLOGIES)), _whole(map(pattern, wording.CONDOLENCES))
