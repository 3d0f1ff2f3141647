"""A run's tiny model with what its reward knows beside it, and a client that sums what it was given."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from assay.audits.fit.config import FitConfig
from assay.audits.fit.fit_cloud import FILE, FitCloud, KnownAnswers, known_cloud
from assay.scorers.local import LocalScorer
from tests.serve.sites import Site
from tests.support.gated_run import gated_run

WORDS = ("refund", "order", "press", "the", "green", "button", "please", "ask", "again", "sorry", "we", "no", "yes")


def sentence(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(2, 9))) + "."


def known_run(root: Path, *, rate: float = 0.2) -> Path:
    """The folder of a run under a gate that passed, with the cloud of answers that its one seed's reward knows."""
    run = gated_run(root)
    scorer = LocalScorer(run / "seed-0" / "model")
    rng = random.Random(0)

    def side(count: int) -> KnownAnswers:
        rows = [(f"{sentence(rng)} {n}", sentence(rng)) for n in range(count)]
        found = scorer.read_states(rows)
        return KnownAnswers(
            places=found.places, rewards=found.rewards, states=found.states,
            clusters=[f"g{n}" for n in range(count)], categories=[None] * count,
        )  # fmt: skip

    cloud = known_cloud(side(160), side(60), FitConfig(rate=rate), model=scorer.fingerprint, key="made for a test")
    assert isinstance(cloud, FitCloud)
    cloud.write(run / "seed-0" / FILE)
    return run


def watch_of(site: Site) -> Any:
    return site.get("/v1/watch").body
