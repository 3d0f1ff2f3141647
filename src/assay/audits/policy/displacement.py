"""Whether tuning made both answers of pairs less likely (likelihood displacement), and the other figures of a policy.

Source: Razin et al. 2024, "Unintentional unalignment: likelihood displacement in direct preference optimization"
(2410.08847): the preferred answer's probability falls, at times in favour of what means the opposite. Knows figures by
pair; knows no model.

Letters: S seeds, N pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from assay.artifacts.audit_policy_table import ChesRow, PolicyTable
from assay.audits.part import Found, Given, Part
from assay.audits.policy.policy_meanings import MEANING
from assay.findings.finding import Finding, Judgement, measured
from assay.stats.intervals import Array, Interval, cluster_t, cluster_wilson
from assay.stats.unknown import Unknown

WAY_OUT = (
    "Both the chosen and the rejected answers became less likely. Leave out the training pairs with the highest CHES "
    "scores (dpo.drop_ches=0.1), add the SFT term (dpo.rpo_alpha=1), or lower train.learning_rate; --remedy all tries "
    "each on a validation slice first."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What one seed wrote to fresh prompts, on average; None where it was not asked."""

    kl: float | None
    kl_error: float | None
    answer_tokens: float | None
    answers: int


Changes = Mapping[str, tuple[float, float]]  # by pair: change of the chosen and of the rejected log-probability, nats


def policy_part(changes: Mapping[int, Changes], written: Mapping[int, Written], behind: Sequence[ChesRow]) -> Part:
    """The part of an audit for these seeds of a policy. behind: the pairs with the highest CHES scores."""

    def part(given: Given) -> Found:
        pairs = given.aligned.pairs
        change_SN2 = np.array([[of_seed[pair.id] for pair in pairs] for of_seed in changes.values()])
        findings = [
            *side_findings(change_SN2, given),
            displacement(change_SN2, given, behind=behind),
            *written_findings(written, level=given.config.level),
        ]
        table = PolicyTable(displaced=displaced(change_SN2.mean((0, 1))), behind=list(behind))
        return Found(findings=findings, tables={"policy": table})

    return part


def displaced(mean_2: Array) -> bool:
    """Whether chosen and rejected answers both fell, by their mean changes."""
    return bool((mean_2 < 0).all())


def side_findings(change_SN2: Array, given: Given) -> list[Finding]:
    """Mean change of each side over pairs, seeds averaged first."""
    found: list[Finding] = []
    for side, name in enumerate(("chosen_change", "rejected_change")):
        values_N = change_SN2[:, :, side].mean(0)
        interval = cluster_t(values_N, given.aligned.groups, level=given.config.level)
        by_seed = {
            str(seed): float(v) for seed, v in zip(given.aligned.seeds, change_SN2[:, :, side].mean(1), strict=True)
        }
        more = {"by_seed": by_seed, "fell": float((values_N < 0).mean())}
        found.append(measured(MEANING[name], float(values_N.mean()), n=len(values_N), interval=interval, detail=more))
    return found


def displacement(change_SN2: Array, given: Given, *, behind: Sequence[ChesRow]) -> Finding:
    """The share of pairs of which both sides fell. A problem where both means fell beyond chance, a warning where they
    fell within it."""
    mean_N2 = change_SN2.mean(0)
    both_N = (mean_N2 < 0).all(axis=1).astype(np.float64)
    groups, level = given.aligned.groups, given.config.level
    tops = [cluster_t(mean_N2[:, side], groups, level=level) for side in (0, 1)]
    verdict: Judgement = "ok"
    detail: dict[str, object] = {"chosen": float(mean_N2[:, 0].mean()), "rejected": float(mean_N2[:, 1].mean())}
    if displaced(mean_N2.mean(0)):
        sure = all(isinstance(top, Interval) and top.high < 0 for top in tops)
        verdict = "problem" if sure else "warning"
        detail |= {"way_out": WAY_OUT, "pairs_behind": [row["pair_id"] for row in behind]}
    return measured(
        MEANING["likelihood_displacement"],
        float(both_N.mean()),
        n=len(both_N),
        interval=cluster_wilson(both_N, groups, level=level),
        verdict=verdict,
        detail=detail,
    )


def written_findings(written: Mapping[int, Written], *, level: float) -> list[Finding]:
    """KL from the base and length of answers, means over seeds; nothing where nothing was written."""
    found: list[Finding] = []
    known = [one for one in written.values() if one.kl is not None]
    n = sum(one.answers for one in known)
    if known:
        values = [one.kl for one in known if one.kl is not None]
        errors = [one.kl_error for one in known if one.kl_error is not None]
        mean = float(np.mean(values))
        interval: Interval | Unknown = Unknown("one answer says nothing of its own spread")
        if len(errors) == len(values):
            # The same prompts for every seed: their errors are not independent, and are not averaged away.
            half = float(norm.ppf(0.5 + level / 2)) * float(np.mean(errors))
            interval = Interval(low=max(0.0, mean - half), high=mean + half, level=level, method="normal, over answers")
        found.append(measured(MEANING["kl_to_base"], mean, n=n, interval=interval))
    lengths = [one.answer_tokens for one in known if one.answer_tokens is not None]
    if lengths:
        found.append(measured(MEANING["answer_tokens"], float(np.mean(lengths)), n=n))
    return found
