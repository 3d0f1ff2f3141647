"""Earlier runs whose gold curves stand beside this one's: read, held against it prompt by prompt where they may be.

Two curves are compared where gold is the same and so are the candidates of a prompt; others are drawn beside, and said
to be of other candidates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from typing_extensions import TypedDict

from assay.artifacts.files import read_jsonl, sha256_json
from assay.artifacts.pressure_body import PRESSURE, BesideBody, BesidePoint, PressureBody
from assay.audits.pressure.config import PressureConfig
from assay.audits.pressure.under_pressure import UnderPressure, interval_of
from assay.errors import InputError
from assay.flows.optimise_gold import Gold
from assay.records import to_json
from assay.stats.intervals import cluster_codes
from assay.stats.unknown import Unknown

BY_PROMPT = "by_prompt.jsonl"
AGAIN = "Run its `assay optimise` again."


class PromptCurve(TypedDict):
    """One prompt's curves; a row of by_prompt.jsonl. texts: hash of the prompt and the answers that are judged.

    n: of the curve, proxy and gold: of the pick at each, in their own units.
    """

    prompt_id: str
    cluster: str
    texts: str
    n: list[int]
    proxy: list[float]
    gold: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """One earlier run."""

    folder: Path
    body: PressureBody
    curves: Mapping[str, PromptCurve]


def read_beside(folders: Sequence[Path]) -> list[Earlier]:
    """Raises ArtifactError for a folder without a whole pressure.json and by_prompt.jsonl."""
    return [
        Earlier(
            folder=folder,
            body=PressureBody.read(folder / PRESSURE, again=AGAIN),
            curves={row["texts"]: cast("PromptCurve", row) for row in read_jsonl(folder / BY_PROMPT)},
        )
        for folder in folders
    ]


def by_prompt_rows(found: UnderPressure) -> list[PromptCurve]:
    """One row a prompt of the curve, in its order."""
    if isinstance(found.curves, Unknown):
        return []
    curves = found.curves
    return [
        PromptCurve(
            prompt_id=one.id,
            cluster=one.cluster,
            texts=sha256_json([to_json(one.prompt), sorted(map(str, map(to_json, one.answers)))]),
            n=list(curves.ns),
            proxy=curves.proxy[place].tolist(),
            gold=curves.gold[place].tolist(),
        )
        for place, one in enumerate(found.pressed.prompts)
    ]


def beside_bodies(
    beside: Sequence[Earlier], found: UnderPressure, rows: Sequence[PromptCurve], gold: Gold, config: PressureConfig
) -> list[BesideBody]:
    """Each earlier run as it stands beside this one. Raises InputError where its gold is another, in other units."""
    for one in beside:
        refuse_other_gold(one, rows, gold)
    return [beside_body(one, rows, config) for one in beside]


def refuse_other_gold(one: Earlier, rows: Sequence[PromptCurve], gold: Gold) -> None:
    theirs = one.body.gold
    both = [(row, one.curves[row["texts"]]) for row in rows if row["texts"] in one.curves]
    # Gold of a random answer has nothing to do with the reward: where it is the same on every prompt, so is gold,
    # though a function in a notebook has another fingerprint each time.
    if both and all(math.isclose(gold_at(row, 1), gold_at(other, 1), abs_tol=1e-9) for row, other in both):
        return
    # Truth and labels have a hash of their candidates' file; a world has one utility, whatever candidates it judges.
    same = theirs.kind == gold.kind and (
        gold.kind != "scorer" or sorted(theirs.fingerprints.values()) == sorted(gold.fingerprints.values())
    )
    if not same:
        raise InputError(
            f"--beside {one.folder}: its gold is {theirs.name}, and here it is {gold.name}: two curves of different "
            "gold say nothing of each other. Run one of them again with the other's gold."
        )


def beside_body(one: Earlier, rows: Sequence[PromptCurve], config: PressureConfig) -> BesideBody:
    both = [(row, one.curves[row["texts"]]) for row in rows if row["texts"] in one.curves]
    points = []
    for point in one.body.curve:
        difference, interval = None, None
        if both and all(point.n in row["n"] and point.n in other["n"] for row, other in both):
            apart = np.array([gold_at(row, point.n) - gold_at(other, point.n) for row, other in both])
            codes = cluster_codes([row["cluster"] for row, _ in both])
            difference, interval = float(apart.mean()), interval_of(apart, codes, config)
        points.append(BesidePoint(n=point.n, gold=point.gold, difference=difference, interval=interval))
    return BesideBody(
        folder=str(one.folder),
        name=one.body.proxy.name,
        verdict=one.body.verdict,
        prompts=len(both),
        points=points,
    )


def gold_at(row: PromptCurve, n: int) -> float:
    return row["gold"][row["n"].index(n)]
