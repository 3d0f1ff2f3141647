"""Which look at the evidence a verdict is from, in a sentence. Knows what gate.json says of looks; decides nothing."""

from __future__ import annotations

from assay.artifacts.looks_body import LooksBody


def look_sentence(look: LooksBody | None) -> str | None:
    """What the look may spend of the error rate, or what it costs that none was planned; None for a first, only one."""
    if look is None or (look.planned is None and look.number == 1):
        return None
    if look.planned is None:
        return (
            f"look {look.number} under these or other criteria, none planned: {look.number} looks, each decided as the "
            f"only one, are wrong up to {look.number} times as often as one. Plan them (--looks, or looks: in the "
            "criteria), on held-out pairs that nobody has looked at"
        )
    how = "" if look.spending == "equal" else ", most kept for the last"
    if look.share <= 0:
        return (
            f"look {look.number} of {look.planned} planned: no error rate is left, so nothing is decided by bound. "
            f"Hold out pairs that nobody has looked at, and plan anew ({look.ledger} counts)"
        )
    return (
        f"look {look.number} of {look.planned} planned{how}: it may spend {look.share:.1%} of the error rate, so that "
        "all of them together are wrong no oftener than one alone"
    )


def repeated(look: LooksBody | None) -> bool:
    """Whether it is a look that spends what nobody planned, or what is spent already."""
    return look is not None and (look.planned is None or look.share <= 0)
