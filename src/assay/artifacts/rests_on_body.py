"""What a verdict rests on, as it stands in gate.json: rows of the data, the pairs they became, those measured."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from assay.artifacts.contract_body import TokenLimit

_PART = ConfigDict(frozen=True, extra="forbid")


class CategoryRests(BaseModel):
    """One category of the data.

    rows: read; pairs: that were kept, after the length gate of a run; held_out: of them, None where nothing was split;
    measured: pairs the audit has a figure of. lost: rows that became no pair, by reason, empty where it is not known.
    """

    model_config = _PART

    name: str
    rows: int
    pairs: int
    held_out: int | None
    measured: int
    lost: dict[str, int]


class RestsOn(BaseModel):
    """The whole of the data, and each category that some row states."""

    model_config = _PART

    rows: int
    pairs: int
    lost: dict[str, int]
    categories: tuple[CategoryRests, ...]
    token_limit: TokenLimit | None

    @property
    def unmeasured(self) -> tuple[CategoryRests, ...]:
        """Categories that were in the data and of which no pair was measured."""
        return tuple(one for one in self.categories if not one.measured)
