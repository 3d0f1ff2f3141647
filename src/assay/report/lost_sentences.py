"""What a verdict or an audit rests on, in sentences for its first lines. Knows counts of rows; knows no page."""

from __future__ import annotations

from assay.artifacts.rests_on_body import CategoryRests, RestsOn
from assay.audits.lost_rows import reasons
from assay.records import REVIEW_REASONS
from assay.report import words

NEARLY_ALL = 0.9  # from this share of the rows on, one sentence is enough
SHOWN = 3  # categories named
FEW_ROWS = 10  # a category of fewer rows is named only where nothing of it is left


def rests_on_most(found: RestsOn) -> bool:
    """Whether nearly all rows became pairs and every category was measured, so that the loss is no warning."""
    return found.pairs >= NEARLY_ALL * found.rows and not found.unmeasured


def lost_sentences(found: RestsOn) -> list[str]:
    """How much of the data is left, which categories lost most, what was never measured, and what to do.

    Empty where every row became a pair and every category was measured.
    """
    told = [not_measured(found)] if found.unmeasured else []
    if found.pairs < found.rows:
        told.insert(0, share_left(found))
        if not rests_on_most(found):
            told += [text for text in (lost_most(found), way_out(found)) if text]
    return told


def share_left(found: RestsOn) -> str:
    share = found.pairs / found.rows
    # Rounded up it would say that nothing was lost.
    said = "over 99.9%" if share >= 0.9995 else words.percent(share)
    lost = found.rows - found.pairs
    return (
        f"Rests on {said} of the rows: {words.count(found.pairs)} of {words.count(found.rows)} became pairs that could "
        f"be used, {words.count(lost)} did not{reasons(found.lost)}."
    )


def lost_most(found: RestsOn) -> str:
    """The categories that lost a larger share than the whole: what is left is no random part."""
    whole = 1 - found.pairs / found.rows
    more = [one for one in found.categories if one.rows >= FEW_ROWS and lost_share(one) > whole]
    if not more or len(found.categories) < 2:
        return ""
    named = [
        f"{one.name} {words.percent(lost_share(one))} of {words.count(one.rows)}{reasons(one.lost, most=1)}"
        for one in sorted(more, key=lambda one: (-lost_share(one), one.name))[:SHOWN]
    ]
    return f"What is left is no random part; lost most: {words.listing(named)}."


def lost_share(one: CategoryRests) -> float:
    return 1 - one.pairs / one.rows if one.rows else 0.0


def not_measured(found: RestsOn) -> str:
    """The categories of which nothing is left, commonest reason beside each."""
    named = [
        f"{one.name} ({words.plural(one.rows, 'row')}, {words.plural(one.pairs, 'pair')} left)"
        for one in found.unmeasured
    ]
    rest = len(named) - 2 * SHOWN
    told = words.listing(named) if rest < 1 else f"{', '.join(named[: 2 * SHOWN])} and {rest} more"
    return f"In the data and not measured: {told}."


def way_out(found: RestsOn) -> str:
    """What keeps more rows, for the commonest reason that something can be done about."""
    for reason in found.lost:
        if reason == "too_long":
            return longer(found)
        if reason in REVIEW_REASONS:
            return "Rows whose labels people can settle stand in review.jsonl."
    return "Each row that was lost stands in rejects.jsonl with its reason." if found.lost else ""


def longer(found: RestsOn) -> str:
    """Which limit keeps more, as far as the base has positions."""
    limit = found.token_limit
    if limit is None:
        return "A larger --max-tokens keeps more."
    if limit.most is not None and limit.keeps_95_percent > limit.most:
        more = f"--max-tokens {limit.most} is the most this base takes; " if limit.most > limit.asked else ""
        return (
            f"To keep 95% of the pairs takes rows of {words.count(limit.keeps_95_percent)} tokens: {more}take a base "
            "with a longer context."
        )
    if limit.keeps_95_percent > limit.asked:
        return f"--max-tokens {limit.keeps_95_percent} would keep 95% of the pairs (now {limit.asked})."
    return f"A --max-tokens above {limit.asked} keeps more."
