"""What a reader wants to see drawn: histograms, scatter, categories, seeds, mistakes. Knows findings; judges nothing.

tables, as they stand in audit.json:
  distribution  {"quantile_levels", "pooled": SIDE, "seeds": [{"seed", **SIDE}]}
                SIDE = {"edges", "chosen": counts, "rejected": counts, "margin_edges", "margin": counts,
                        "quantiles": {"chosen", "rejected", "margin"}}
                pooled: over seeds, each seed's rewards centred and divided by their sd first
  length        {"unit", "points": [{"length_difference", "margin", "correct", "category"}],
                 "bins": [{"low", "high", "n", "accuracy", "baseline", "interval"}]}
  categories    [{"category", "n", "groups", "accuracy", "interval", "length_baseline", "beyond_length",
                  "beyond_length_interval", "ties"}]
  seeds         {"seeds": [{"seed", "accuracy", "interval", "categories": {name: accuracy}}],
                 "mean", "sd", "min", "max"}
  mistakes      [{"pair_id", "category", "group", "prompt", "chosen", "rejected", "reward_chosen", "reward_rejected",
                  "margin", "seeds_wrong", "seeds", "length_chosen", "length_rejected", "votes", "where"}]
  calibration   {"bins": [{"low", "high", "n", "stated", "observed", "interval"}], "seeds", "error"} or null
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.audits.config import AuditConfig
from assay.audits.pairs.accuracy import longest_wins
from assay.audits.pairs.distribution import QUANTILES, histogram_edges
from assay.audits.scores_table import Aligned
from assay.findings.finding import Finding
from assay.records import Text, plain_text
from assay.stats.draws import stream
from assay.stats.intervals import Array, Interval, NoInterval, cluster_wilson

POINTS = 500
LENGTH_BINS = 8


def build_tables(aligned: Aligned, findings: Sequence[Finding], *, config: AuditConfig) -> dict[str, Any]:
    return {
        "distribution": distribution_table(aligned),
        "length": length_table(aligned, config=config),
        "categories": category_table(findings),
        "seeds": seed_table(aligned, findings),
        "mistakes": mistakes(aligned, limit=config.mistakes),
    }


def distribution_table(aligned: Aligned) -> dict[str, Any]:
    usable = aligned.finite
    seeds = [
        {"seed": seed, **_side(aligned.chosen[row][usable[row]], aligned.rejected[row][usable[row]])}
        for row, seed in enumerate(aligned.seeds)
    ]
    chosen, rejected = [], []
    for row in range(len(aligned.seeds)):
        up, down = aligned.chosen[row][usable[row]], aligned.rejected[row][usable[row]]
        every = np.concatenate([up, down])
        sd = float(every.std()) if every.size else 0.0
        centre = float(every.mean()) if every.size else 0.0
        chosen.append((up - centre) / (sd or 1.0))
        rejected.append((down - centre) / (sd or 1.0))
    pooled = _side(np.concatenate(chosen), np.concatenate(rejected))
    return {"quantile_levels": list(QUANTILES), "pooled": pooled, "seeds": seeds}


def _side(chosen: Array, rejected: Array) -> dict[str, Any]:
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


def length_table(aligned: Aligned, *, config: AuditConfig) -> dict[str, Any]:
    """A scatter sample of the first seed's margins, and accuracy by length difference over seeds."""
    order = stream(config.seed, "length scatter").permutation(aligned.n)[:POINTS]
    margin, difference = aligned.margin[0], aligned.length_difference
    points = [
        {
            "length_difference": int(difference[i]),
            "margin": float(margin[i]) if aligned.finite[0, i] else None,
            "correct": bool(aligned.correct[0, i]),
            "category": aligned.pairs[i].category,
        }
        for i in np.sort(order)
    ]
    return {"unit": "characters", "seed": aligned.seeds[0], "points": points, "bins": _length_bins(aligned, config)}


def _length_bins(aligned: Aligned, config: AuditConfig) -> list[dict[str, Any]]:
    """Bins with about as many pairs each; equal differences are never torn apart."""
    difference, correct = aligned.length_difference, aligned.correct.mean(axis=0)
    edges = np.unique(np.quantile(difference, np.linspace(0, 1, LENGTH_BINS + 1), method="lower"))
    place = np.clip(np.searchsorted(edges, difference, side="right") - 1, 0, max(len(edges) - 2, 0))
    found = []
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
                "interval": _interval(interval),
            }
        )
    return found


def category_table(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    by_place = {(f.name, f.slice): f for f in findings if f.seed is None}
    rows = []
    for (name, where), accuracy in by_place.items():
        if name != "accuracy" or where == "overall":
            continue
        baseline, beyond = by_place[("length_baseline", where)], by_place[("accuracy_beyond_length", where)]
        rows.append(
            {
                "category": where.removeprefix("category="),
                "n": accuracy.n,
                "groups": accuracy.detail["clusters"],
                "accuracy": accuracy.value,
                "interval": _interval(accuracy.interval),
                "length_baseline": baseline.value,
                "beyond_length": beyond.value,
                "beyond_length_interval": _interval(beyond.interval),
                "ties": accuracy.detail["ties"],
            }
        )
    return rows


def seed_table(aligned: Aligned, findings: Sequence[Finding]) -> dict[str, Any]:
    rows = []
    for row, seed in enumerate(aligned.seeds):
        wanted = seed if len(aligned.seeds) > 1 else None
        interval = next(
            (f.interval for f in findings if (f.name, f.slice, f.seed) == ("accuracy", "overall", wanted)), None
        )
        rows.append(
            {
                "seed": seed,
                "accuracy": float(aligned.correct[row].mean()),
                "interval": _interval(interval),
                "categories": {
                    where.removeprefix("category="): float(aligned.correct[row][mask].mean())
                    for where, mask in aligned.slices()[1:]
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


def mistakes(aligned: Aligned, *, limit: int) -> list[dict[str, Any]]:
    """The worst mistakes: those most seeds make first, then the widest wrong margins in units of each seed's own sd.

    A tie is a mistake of margin 0 and so comes last; pairs with rewards that are not finite have no margin to rank.
    """
    usable = aligned.finite.all(axis=0)
    wrong = ((aligned.correct == 0) & usable).sum(axis=0)
    margin = np.where(usable, aligned.margin, 0.0)
    scale = np.sqrt((margin**2).mean(axis=1, keepdims=True))
    size = (margin / np.where(scale > 0, scale, 1.0)).mean(axis=0)
    order = [int(i) for i in np.lexsort((np.arange(aligned.n), size, -wrong)) if wrong[i] > 0][:limit]
    return [_mistake(aligned, i, int(wrong[i])) for i in order]


def _mistake(aligned: Aligned, index: int, wrong: int) -> dict[str, Any]:
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


def _interval(interval: Interval | NoInterval | None) -> dict[str, Any] | None:
    return interval.to_dict() if isinstance(interval, Interval) else None
