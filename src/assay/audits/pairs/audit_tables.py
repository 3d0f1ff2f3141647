"""What a reader wants to see drawn: histograms, scatter, categories, seeds, mistakes. Knows findings; judges nothing.

The shape of each table stands in artifacts/audit_body.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from assay.artifacts.audit_body import (
    CategoryRow,
    DistributionTable,
    IntervalRow,
    LengthBin,
    LengthPoint,
    LengthTable,
    MistakeRow,
    RewardHistograms,
    SeedHistograms,
    SeedRow,
    SeedTable,
)
from assay.audits.config import AuditConfig
from assay.audits.pairs.accuracy import longest_wins
from assay.audits.pairs.distribution import QUANTILES, histogram_edges
from assay.audits.scores_table import Aligned
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.records import Text, plain_text
from assay.stats.draws import stream
from assay.stats.intervals import Array, Interval, cluster_wilson
from assay.stats.unknown import Unknown

POINTS = 500
LENGTH_BINS = 8


def distribution_table(aligned: Aligned) -> DistributionTable:
    usable = aligned.finite
    seeds = [
        SeedHistograms(seed=seed, **_histograms(aligned.chosen[row][usable[row]], aligned.rejected[row][usable[row]]))
        for row, seed in enumerate(aligned.seeds)
    ]
    chosen, rejected = [], []
    for row in range(len(aligned.seeds)):
        up, down = aligned.chosen[row][usable[row]], aligned.rejected[row][usable[row]]
        # A reward has no unit and no zero of its own: seeds can be put into one histogram only once each is centred and
        # scaled.
        every = np.concatenate([up, down])
        sd = float(every.std()) if every.size else 0.0
        centre = float(every.mean()) if every.size else 0.0
        chosen.append((up - centre) / (sd or 1.0))
        rejected.append((down - centre) / (sd or 1.0))
    pooled = _histograms(np.concatenate(chosen), np.concatenate(rejected))
    return {"quantile_levels": list(QUANTILES), "pooled": pooled, "seeds": seeds}


def _histograms(chosen: Array, rejected: Array) -> RewardHistograms:
    if chosen.size == 0:
        return {"edges": [], "chosen": [], "rejected": [], "margin_edges": [], "margin": [], "quantiles": {}}
    margin = chosen - rejected
    edges, margin_edges = histogram_edges(np.concatenate([chosen, rejected])), histogram_edges(margin)
    named = (("chosen", chosen), ("rejected", rejected), ("margin", margin))
    return {
        "edges": edges.tolist(),
        "chosen": np.histogram(chosen, edges)[0].tolist(),
        "rejected": np.histogram(rejected, edges)[0].tolist(),
        "margin_edges": margin_edges.tolist(),
        "margin": np.histogram(margin, margin_edges)[0].tolist(),
        "quantiles": {name: np.quantile(values, QUANTILES).tolist() for name, values in named},
    }


def length_table(aligned: Aligned, *, config: AuditConfig) -> LengthTable:
    """A scatter sample of the first seed's margins, and accuracy by length difference over seeds."""
    order = stream(config.seed, "length scatter").permutation(aligned.n)[:POINTS]
    # Each of these is computed anew when asked for, so it is asked for once.
    margin, difference = aligned.margin[0], aligned.length_difference
    finite, correct = aligned.finite[0], aligned.correct[0]
    points: list[LengthPoint] = [
        {
            "length_difference": int(difference[i]),
            "margin": float(margin[i]) if finite[i] else None,
            "correct": bool(correct[i]),
            "category": aligned.pairs[i].category,
        }
        for i in np.sort(order)
    ]
    return {"unit": "characters", "seed": aligned.seeds[0], "points": points, "bins": _length_bins(aligned, config)}


def _length_bins(aligned: Aligned, config: AuditConfig) -> list[LengthBin]:
    """Bins with about as many pairs each; equal differences are never torn apart."""
    difference, correct = aligned.length_difference, aligned.correct.mean(axis=0)
    # Many pairs may share a quantile; "lower" makes edges values that occur, so no bin ends between equal ones.
    edges = np.unique(np.quantile(difference, np.linspace(0, 1, LENGTH_BINS + 1), method="lower"))
    place = np.clip(np.searchsorted(edges, difference, side="right") - 1, 0, max(len(edges) - 2, 0))
    found: list[LengthBin] = []
    for index in range(max(len(edges) - 1, 1)):
        inside = place == index
        if not inside.any():
            continue
        interval = cluster_wilson(correct[inside], aligned.groups[inside], level=config.level)
        found.append(
            {
                "low": int(difference[inside].min()),
                "high": int(difference[inside].max()),
                "n": int(inside.sum()),
                "accuracy": float(correct[inside].mean()),
                "baseline": float(longest_wins(aligned.length)[inside].mean()),
                "interval": interval_row(interval),
            }
        )
    return found


def category_table(findings: Sequence[Finding]) -> list[CategoryRow]:
    by_place = {(f.name, f.slice): f for f in findings if f.seed is None}
    rows: list[CategoryRow] = []
    for (name, where), accuracy in by_place.items():
        if name != "accuracy" or where.name is None:
            continue
        baseline, beyond = by_place[("length_baseline", where)], by_place[("accuracy_beyond_length", where)]
        rows.append(
            {
                "category": where.name,
                "n": accuracy.n,
                "groups": accuracy.detail["clusters"],
                "accuracy": accuracy.known,
                "interval": interval_row(accuracy.interval),
                "length_baseline": baseline.known,
                "beyond_length": beyond.known,
                "beyond_length_interval": interval_row(beyond.interval),
                "ties": accuracy.detail["ties"],
            }
        )
    return rows


def seed_table(aligned: Aligned, findings: Sequence[Finding]) -> SeedTable:
    rows: list[SeedRow] = []
    for row, seed in enumerate(aligned.seeds):
        wanted = seed if len(aligned.seeds) > 1 else None
        interval = next(
            (f.interval for f in findings if (f.name, f.slice, f.seed) == ("accuracy", OVERALL, wanted)), None
        )
        rows.append(
            {
                "seed": seed,
                "accuracy": float(aligned.correct[row].mean()),
                "interval": interval_row(interval),
                "categories": {
                    where.label: float(aligned.correct[row][mask].mean()) for where, mask in aligned.slices()[1:]
                },
            }
        )
    by_seed = aligned.correct.mean(axis=1)
    return {
        "seeds": rows,
        "mean": float(by_seed.mean()),
        "sd": float(by_seed.std(ddof=1)) if by_seed.size > 1 else None,
        "min": float(by_seed.min()),
        "max": float(by_seed.max()),
    }


def mistakes(aligned: Aligned, *, limit: int) -> list[MistakeRow]:
    """The worst mistakes: those most seeds make first, then the widest wrong margins in units of each seed's own sd.

    A tie is a mistake of margin 0 and so comes last; pairs with rewards that are not finite have no margin to rank.
    """
    usable = aligned.finite.all(axis=0)
    wrong = ((aligned.correct == 0) & usable).sum(axis=0)
    margin = np.where(usable, aligned.margin, 0.0)
    scale = np.sqrt((margin**2).mean(axis=1, keepdims=True))
    size = (margin / np.where(scale > 0, scale, 1.0)).mean(axis=0)
    # lexsort goes by its last key first: seeds wrong, then the most negative margin, then the order of the pairs.
    order = [int(i) for i in np.lexsort((np.arange(aligned.n), size, -wrong)) if wrong[i] > 0][:limit]
    return [_mistake(aligned, i, int(wrong[i])) for i in order]


def _mistake(aligned: Aligned, index: int, wrong: int) -> MistakeRow:
    pair = aligned.pairs[index]
    return {
        "pair_id": pair.id,
        "category": pair.category,
        "group": pair.group,
        "prompt": shown(pair.prompt),
        "chosen": shown(pair.chosen),
        "rejected": shown(pair.rejected),
        "reward_chosen": float(aligned.chosen[:, index].mean()),
        "reward_rejected": float(aligned.rejected[:, index].mean()),
        "margin": float(aligned.margin[:, index].mean()),
        "seeds_wrong": wrong,
        "seeds": len(aligned.seeds),
        "length_chosen": int(aligned.length[index, 0]),
        "length_rejected": int(aligned.length[index, 1]),
        "votes": dict(Counter(vote.choice for vote in pair.votes)),
        "where": str(pair.where),
    }


def shown(text: Text) -> str:
    """A text for people: a conversation of several turns names who speaks."""
    if isinstance(text, str) or len(text) == 1:
        return plain_text(text)
    return "\n\n".join(f"{message.role}: {message.content}" for message in text)


def interval_row(interval: Interval | Unknown | None) -> IntervalRow | None:
    """An interval as it stands in a table."""
    if not isinstance(interval, Interval):
        return None
    return {"low": interval.low, "high": interval.high, "level": interval.level, "method": interval.method}
