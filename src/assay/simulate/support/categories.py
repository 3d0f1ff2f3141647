"""The five categories, each with the function that draws one of its cases: (generator, candidates) -> Case."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from assay.simulate.support.case import Case
from assay.simulate.support.fact_cases import brevity, hallucination, tone
from assay.simulate.support.fault_cases import helpfulness
from assay.simulate.support.permission_cases import refusals

CATEGORIES: Mapping[str, Callable[[random.Random, int], Case]] = {
    "helpfulness": helpfulness,
    "tone": tone,
    "refusals": refusals,
    "hallucination": hallucination,
    "brevity": brevity,
}
