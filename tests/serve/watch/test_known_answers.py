"""Answers outside what the reward knows, by the passes that give rewards: the same states, the same rewards."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from assay.audits.fit.fit_cloud import FILE, FitCloud
from assay.scorers.local import LocalScorer
from assay.serve.asked import Turns, turns
from assay.serve.config import ServeConfig
from assay.serve.row_engine import ModelEngine, ReadRow, engine_for
from assay.serve.served_reward import Opening
from assay.serve.watch.known_answers import BatchStates, KnownShare, StatesSample
from tests.serve.sites import group, serving
from tests.serve.watch.watched_runs import sentence, watch_of


def asked(count: int) -> list[Turns]:
    rng = random.Random(9)
    prompts = [f"{sentence(rng)} {n}" for n in range(count // 4)]
    return [turns(prompts[n // 4], f"{sentence(rng)} {n}") for n in range(count)]


def engine(run: Path) -> ModelEngine:
    found = engine_for(LocalScorer(run / "seed-0" / "model"))
    assert isinstance(found, ModelEngine)
    return found


def rows_of(of: ModelEngine, count: int) -> list[ReadRow]:
    rows = [row for row in of.read(asked(count)) if isinstance(row, ReadRow)]
    assert len(rows) == count
    return rows


def sampled(cloud: FitCloud, rows: int) -> tuple[StatesSample, KnownShare, list[BatchStates]]:
    sent: list[BatchStates] = []
    share = KnownShare(cloud.facts)
    return StatesSample(cloud, share, rows=rows, send=lambda one: not sent.append(one), stopped=print), share, sent


def test_states_come_out_of_the_passes_that_give_rewards_and_change_no_bit(run: Path) -> None:
    plain, watched = engine(run), engine(run)
    cloud = FitCloud.read(run / "seed-0" / FILE)
    watched.states_to, share, sent = sampled(cloud, 100)
    for _ in range(2):  # the second batch begins with what was kept of the first
        assert plain.run(rows_of(plain, 40)) == watched.run(rows_of(watched, 40))
    assert (share.run, share.dropped, [len(one.states_NH) for one in sent]) == (80, 0, [40, 40])
    scorer = LocalScorer(run / "seed-0" / "model")
    direct = scorer.read_states([(one.prompt, one.answer) for one in asked(40)])
    assert np.abs(cloud.distances(sent[0].states_NH) - cloud.distances(direct.states)).max() < 1e-4
    outside = share.measure(sent[0])
    expected = (cloud.distances(direct.states) > cloud.facts.threshold).reshape(10, 4).mean(axis=1)
    assert outside == expected.tolist()
    assert share.measure(sent[1]) == []  # the same prompts again
    assert share.outside_share == pytest.approx(expected.mean())
    assert share.measured == 80


def test_of_a_large_batch_some_rows_are_measured_at_random(run: Path) -> None:
    of = engine(run)
    of.states_to, share, sent = sampled(FitCloud.read(run / "seed-0" / FILE), 8)
    rows = rows_of(of, 40)
    for _ in range(3):
        of.run(rows)
    assert (share.run, share.dropped) == (120, 0)
    assert [len(one.states_NH) for one in sent] == [8, 8, 8]
    assert sent[0].prompts != sent[1].prompts
    assert all(one.states_NH.base is None for one in sent)


def test_what_cannot_be_read_is_given_up_and_every_row_has_its_reward(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, of = engine(run), engine(run)
    of.states_to, share, sent = sampled(FitCloud.read(run / "seed-0" / FILE), 8)
    monkeypatch.setattr(of, "read_states", lambda _rows: 1 / 0)
    assert plain.run(rows_of(plain, 8)) == of.run(rows_of(of, 8))
    assert (of.states_to, sent) == (None, [])
    assert share.stopped is not None
    assert "ZeroDivisionError" in share.stopped


def test_a_batch_that_the_model_itself_fails_on_ends_no_watch(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = engine(run)
    of.states_to, share, _ = sampled(FitCloud.read(run / "seed-0" / FILE), 8)
    for name in ("score", "read"):
        monkeypatch.setattr(of._steady, name, lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        of.run(rows_of(of, 8))
    assert of.states_to is not None
    assert share.stopped is None


def test_the_server_tells_the_share_and_of_how_many(run: Path) -> None:
    facts = FitCloud.read(run / "seed-0" / FILE).facts
    with serving(str(run), opening=Opening()) as site:
        for one in asked(24):
            site.post("/v1/score", group(str(one.prompt), str(one.answer)))
        told = watch_of(site)["now"]
        metrics = site.get("/metrics").raw.decode()
    fit = told["fit"]
    # The rows of the probe at the start are the server's own, and not served.
    assert (fit["rows_run"], fit["measured"], fit["prompts"], fit["dropped"]) == (24, 24, 6, 0)
    assert fit["false_alarm_rate"] == facts.rate == 0.2
    assert 0 <= fit["outside"] <= 1
    assert "assay_watch_outside_share " in metrics
    (rule,) = [one for one in told["rules"] if one["rule"] == "outside"]
    assert facts.rate < rule["limit"] < 0.5
    assert rule["observations"] == 6


def test_answers_far_from_the_known_ones_set_the_rule_off(run: Path, caplog: pytest.LogCaptureFixture) -> None:
    cloud = FitCloud.read(run / "seed-0" / FILE)
    of = engine(run)
    states = of.read_states([row.value for row in rows_of(of, 4)]).states  # type: ignore[misc]
    config = ServeConfig.build({"watch": {"outside": 0.3}})
    with serving(str(run), config=config, opening=Opening()) as site, caplog.at_level("WARNING"):
        watching = site.service.watching
        assert watching.now is not None
        share = watching.now.of.known
        assert isinstance(share, KnownShare)
        far = np.repeat(states[:1] + 1000 * cloud.cloud.scale.astype(np.float32), 30, axis=0)
        batch = BatchStates(cloud=cloud, share=share, prompts=tuple(range(30)), states_NH=far)
        assert watching.states(watching.now, batch)
        told = watch_of(site)["now"]
    (rule,) = [one for one in told["rules"] if one["rule"] == "outside"]
    assert rule["limit"] == 0.3
    assert rule["gone_off"] == 2  # thirty prompts, all outside: it began anew, and is over the limit still
    assert caplog.text.count("watch: outside: the share") == 1  # a log that fills with one sentence is read by nobody
    assert rule["alarms"][0]["told"] == "the share of prompts' answers outside what the reward knows is over 0.3"


def test_a_sample_that_was_given_up_is_said_once(run: Path) -> None:
    said: list[str] = []
    cloud = FitCloud.read(run / "seed-0" / FILE)
    broken = StatesSample(cloud, KnownShare(cloud.facts), rows=8, send=lambda _: bool(1 / 0), stopped=said.append)
    for _ in range(3):
        broken.take(["p"], np.zeros((1, 2), dtype=np.float32))
    assert len(said) == 1
