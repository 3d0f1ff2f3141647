"""Which prompts came of late, so that a rule takes each once: sixteen answers to one prompt are one observation.

Answers to a prompt are alike, and rows of one prompt often come in several requests. What is kept is a number a prompt,
of this process alone, from which no text can be had.
"""

from __future__ import annotations

from collections import OrderedDict

OF_LATE = 16_384


class SeenPrompts:
    """The last prompts, as numbers. fresh, again: how often `first` said yes and no."""

    def __init__(self, most: int = OF_LATE) -> None:
        self.most, self.fresh, self.again = most, 0, 0
        self._seen: OrderedDict[int, None] = OrderedDict()

    def first(self, prompt: int) -> bool:
        """Whether it is not among the last `most` different ones; from now on it is.

        >>> seen = SeenPrompts(2)
        >>> [seen.first(one) for one in (1, 2, 1, 3, 2)]
        [True, True, False, True, True]
        """
        known = prompt in self._seen
        self._seen[prompt] = None
        self._seen.move_to_end(prompt)
        if len(self._seen) > self.most:
            self._seen.popitem(last=False)
        self.again += known
        self.fresh += not known
        return not known
