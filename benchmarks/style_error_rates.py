"""How often the audit names style, length, origin and weak slices where they are planted, and where nothing is.

One row a world: the share of simulated audits in which each figure alone falls under .05/30, what an audit of thirty
figures asks of it, and the share in which any of them is an alarm of a family by Holm at 5%.

    python benchmarks/style_error_rates.py --draws 500 --pairs 1000
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from typing import Any

from assay.audits.config import AuditConfig
from assay.audits.part import Given
from assay.audits.scores_table import align
from assay.audits.slices.slices_part import slices_audit
from assay.audits.style.style_part import style_audit
from assay.findings.family import judged_together
from assay.simulate.style_worlds import StyleWorld, style_world

LEVEL = 0.05 / 30
FIGURES = ("length_overuse", "style_overuse", "source_overuse", "weakest_slice", "accuracy_beyond_style")
World = Callable[[int, int], StyleWorld]


def worlds() -> dict[str, World]:
    def made(**more: Any) -> World:
        return lambda pairs, seed: style_world(pairs, seed=seed, **more)

    return {
        "clean": made(),
        "clean, prompts alike": made(alike=True),
        "clean, people like length": made(people={"length": 0.5}),
        "clean, people like markdown and cleo": made(people={"markdown": 0.5, "generator": 0.4}),
        "blurred, people like length": made(people={"length": 0.5}, noise=1.0),
        "blurred, people like all": made(people={"length": 0.5, "markdown": 0.5, "generator": 0.4}, noise=1.0),
        "length .25": made(reward={"length": 0.25}),
        "length .5": made(reward={"length": 0.5}),
        "length .5 where liked, prompts alike": made(people={"length": 0.5}, reward={"length": 0.5}, alike=True),
        "inverted U .5": made(reward={"shape": 0.5}),
        "markdown .25": made(reward={"markdown": 0.25}),
        "markdown .5": made(reward={"markdown": 0.5}),
        "markdown 1": made(reward={"markdown": 1.0}),
        "exclamation .5": made(reward={"exclamation": 0.5}),
        "generator .25": made(reward={"generator": 0.25}),
        "generator .5": made(reward={"generator": 0.5}),
    }


def audited(world: StyleWorld) -> tuple[set[str], set[str], dict[str, str]]:
    """Figures under LEVEL by themselves, figures that are alarms of their family, and what each named."""
    given = Given(aligned=align({0: world.scores}, world.pairs, world.groups), config=AuditConfig(resamples=100))
    findings = [*style_audit(given).findings, *slices_audit(given).findings]
    alone = {one.name for one in findings if one.alarm is not None and one.alarm.p <= LEVEL}
    family = {one.name for one in judged_together(findings, level=0.95) if one.verdict in ("warning", "problem")}
    return alone, family, {one.name: str(one.detail.get("named")) for one in findings}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--draws", type=int, default=200)
    ask.add_argument("--pairs", type=int, default=1000)
    ask.add_argument("--only", default="", help="worlds whose name holds this")
    asked = ask.parse_args()
    print(f"{asked.draws} draws of {asked.pairs} pairs; share of audits under .05/30, then any alarm of the family")
    for name, world in worlds().items():
        if asked.only not in name:
            continue
        counts: Counter[str] = Counter()
        said: Counter[str] = Counter()
        for draw in range(asked.draws):
            alone, family, named = audited(world(asked.pairs, draw))
            counts.update(alone)
            counts["any"] += bool(family)
            said.update(f"{figure}: {named[figure]}" for figure in family)
        shares = "  ".join(f"{figure} {counts[figure] / asked.draws:.3f}" for figure in FIGURES)
        print(f"{name:<38} {shares}  any {counts['any'] / asked.draws:.3f}  {said.most_common(3)}", flush=True)


if __name__ == "__main__":
    main()
