"""Are the answers of a source texts, or the names of those who answered? Votes on models often hold only the names.

A column is taken for names where every value is short and on one line, few different ones stand in many pairs, and most
stand under several prompts: texts written for a prompt do not come back under another. Numbers, letters and yes or no
are answers. Knows the pairs it was shown; each answer costs one length, and one long text ends the looking.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from assay.records import Pair, Text

LONGEST = 60  # characters of a name
FEWEST = 20  # pairs, under which nothing is said
OFTEN = 5  # pairs in which a name stands on average
MOST = 1000  # different values that are more than names
SHOWN = 3
PLAIN = re.compile(r"\W*(?:\w|[\d.,\s/%$-]+|yes|no|true|false|none|unknown)\W*", re.IGNORECASE)


@dataclass(slots=True)
class AnswerNames:
    """Counts short answers, and those that stand under several prompts."""

    pairs: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    asked: dict[str, Text] = field(default_factory=dict)  # the first prompt a value stood under
    several: set[str] = field(default_factory=set)
    texts: bool = False

    def see(self, pair: Pair) -> None:
        """Look at one pair's answers."""
        if self.texts:
            return
        self.pairs += 1
        for answer in (pair.chosen, pair.rejected):
            if not isinstance(answer, str) or len(answer) > LONGEST or "\n" in answer or PLAIN.fullmatch(answer):
                self.texts = True
                return
            self.seen[answer] += 1
            if self.asked.setdefault(answer, pair.prompt) != pair.prompt:
                self.several.add(answer)
        self.texts = len(self.seen) > MOST

    @property
    def examples(self) -> list[str] | None:
        """The commonest values, where they are names; None where they are not or too little was seen."""
        if self.texts or self.pairs < FEWEST or 2 * self.pairs < OFTEN * len(self.seen):
            return None
        if 2 * len(self.several) < len(self.seen):
            return None
        return [name for name, _ in self.seen.most_common(SHOWN)]
