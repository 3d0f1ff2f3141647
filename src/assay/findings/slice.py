"""Which part of the evidence a figure is about: everything, or one category, editor, aspect, judge or opponent.

The one place that writes and reads the text of a slice, as it stands in artifacts: "overall", "category=refusals".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """part: "overall", "category", "editor", ...; name: which of them, None where the part is all there is to say.

    >>> str(Slice("category", "refusals")), str(OVERALL)
    ('category=refusals', 'overall')
    >>> Slice.read("category=a=b")
    Slice(part='category', name='a=b')
    """

    part: str
    name: str | None = None

    def __str__(self) -> str:
        return self.part if self.name is None else f"{self.part}={self.name}"

    @property
    def label(self) -> str:
        """As people say it: the name where there is one."""
        return self.part if self.name is None else self.name

    @classmethod
    def read(cls, text: Slice | str) -> Self:
        """A slice from its text; a slice stays what it is."""
        if isinstance(text, Slice):
            return cls(text.part, text.name)
        part, named, name = text.partition("=")
        return cls(part, name if named else None)


OVERALL = Slice("overall")


def category(name: str) -> Slice:
    """The slice of one category."""
    return Slice("category", name)
