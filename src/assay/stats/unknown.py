"""The one value that stands where a figure could not be had: it says why. Knows no figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """No value, because of `reason`: a clause without a full stop, such as "no votes".

    Stands wherever a number, an interval or a ranking could not be had; never 0 and never NaN. Ask with isinstance:

    >>> from assay.stats.intervals import wilson
    >>> found = wilson(0, 0)
    >>> found.reason if isinstance(found, Unknown) else found.low
    'no pairs'
    """

    reason: str
