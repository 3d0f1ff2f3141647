"""The watch of a reward that is about to be served: what its run says of it, and the limits that were stated for it.

A limit that cannot be held for want of what it is held against is an error here, and not a rule that never goes off.
Knows a served reward; knows no request.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from assay.audits.fit.fit_cloud import FitCloud
from assay.errors import ConfigError, first_line
from assay.serve.row_engine import ModelEngine, ReadRow
from assay.serve.served_reward import PROBES, ServedReward
from assay.serve.watch.config import WatchConfig
from assay.serve.watch.known_answers import KnownShare, StatesSample, known_cloud_of
from assay.serve.watch.model_watch import ModelWatch, Watched
from assay.serve.watch.reward_watcher import RewardWatcher
from assay.serve.watch.training_rewards import training_rewards
from assay.stats.unknown import Unknown

if TYPE_CHECKING:
    from assay.render.encoder import Encoded

log = logging.getLogger("assay.serve")


def prepared_watch(served: ServedReward, watcher: RewardWatcher) -> ModelWatch:
    """The watch of `served`, whose engine hands on what its head reads from now on, where that can be measured.

    Runs the model on a few rows of our own: on its thread. Raises ConfigError for a limit that cannot be held.
    """
    config, scorer = watcher.config, served.engine.scorer
    training = training_rewards(scorer)
    cloud = _measurable(served, config)
    for name, value in (("above", config.above), ("below", config.below)):
        if value is not None and isinstance(training, Unknown):
            raise ConfigError(_cannot(name, value, training))
    if config.outside is not None and isinstance(cloud, Unknown):
        raise ConfigError(_cannot("outside", config.outside, cloud))
    known = cloud if isinstance(cloud, Unknown) else KnownShare(cloud.facts)
    of = Watched(name=served.identity.name, fingerprint=served.identity.fingerprint, training=training, known=known)
    watch = ModelWatch(of, config)
    if isinstance(cloud, FitCloud) and isinstance(known, KnownShare) and isinstance(served.engine, ModelEngine):
        served.engine.states_to = StatesSample(
            cloud, known, rows=config.fit_rows, send=lambda batch: watcher.states(watch, batch),
            stopped=lambda why: log.warning("watch: outside: %s", why),
        )  # fmt: skip
    return watch


def _measurable(served: ServedReward, config: WatchConfig) -> FitCloud | Unknown:
    """The cloud of known answers, where the model's own passes say what is held against it; or why not."""
    if config.fit_rows == 0:
        return Unknown("serve.watch.fit_rows is 0, so no distance is measured")
    cloud = known_cloud_of(served.engine.scorer)
    if isinstance(cloud, Unknown):
        return cloud
    assert isinstance(served.engine, ModelEngine), "a cloud is of a model by itself"
    rows = [row for row in served.engine.read(PROBES) if isinstance(row, ReadRow)]
    try:
        cloud.distances(served.engine.read_states([cast("Encoded", row.value) for row in rows]).states)
    except Exception as error:  # what cannot be measured is still served
        return Unknown(f"what the head of {served.identity.name} reads is not to be had: {first_line(error)}")
    return cloud


def _cannot(name: str, value: float, why: Unknown) -> str:
    return f"serve.watch.{name}={value:g} cannot be held: {why.reason}. Leave it out, or serve a run that has it."
