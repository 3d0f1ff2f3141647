"""What `GET /v1/watch` tells of a server: numpy's figures, sums under concurrency, swaps, faults, no text."""

from __future__ import annotations

import json
import logging
import random
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import ConfigError
from assay.records import Text
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Reward
from assay.scorers.recorded import read_scored_pairs
from assay.serve.config import ServeConfig
from assay.serve.request_limits import Access
from assay.serve.served_reward import Opening, ServedReward
from assay.serve.watch.model_watch import QUANTILES, ModelWatch
from assay.serve.watch.prepare_watch import prepared_watch
from assay.serve.watch.reward_watcher import CLOSED, RewardWatcher
from assay.serve.watch.training_rewards import TrainingRewards, training_rewards
from assay.serve.watch.watched_rows import OUTCOMES, Outcome, watched
from tests.serve.sites import group, of_function, serving, until
from tests.serve.watch.watched_runs import sentence, watch_of

OWNER = {"authorization": "Bearer " + "o" * 20}
SECRET = "the words of a customer"


def watching(**options: object) -> ServeConfig:
    return ServeConfig.build({"watch": options})


def numbers(_prompt: Text, answers: Sequence[Text]) -> list[Any]:
    """The number that an answer is; `long` is too long, `nan` no number."""
    return [float(str(one)) for one in answers]


def test_the_distribution_is_numpys_on_the_rewards_that_clients_were_given(run: Path) -> None:
    rng = random.Random(4)
    given: list[float] = []
    with serving(str(run), opening=Opening()) as site:
        for n in range(12):
            said = site.post("/v1/score", group(f"{sentence(rng)} {n}", *(sentence(rng) for _ in range(n % 5 + 1))))
            given += said.body["groups"][0]["rewards"]
        told = watch_of(site)["now"]
    values = np.array(given)
    assert told["fingerprint"] == site.service.identity.fingerprint
    rewards = told["rewards"]
    assert rewards["n"] == rewards["recent"]["n"] == told["rows"]["rewarded"] == told["rows"]["watched"] == len(values)
    for found in (rewards, rewards["recent"]):
        assert found["mean"] == pytest.approx(values.mean(), rel=1e-12)
        assert found["sd"] == pytest.approx(values.std(ddof=1), rel=1e-9)
        assert (found["min"], found["max"]) == (values.min(), values.max())
        assert list(found["quantiles"].values()) == np.quantile(values, QUANTILES).tolist()
    assert rewards["rank_error"] == 0
    held_out = np.array(
        [
            side.value
            for one in read_scored_pairs(run / "seed-0" / "scores.jsonl")
            for side in (one.chosen, one.rejected)
        ]  # type: ignore[union-attr]
    )
    training = told["training"]
    assert training["n"] == len(held_out) > 20
    assert (training["mean"], training["sd"]) == pytest.approx((held_out.mean(), held_out.std(ddof=1)))
    served = training["served"]
    assert served["shift"] == pytest.approx((values.mean() - held_out.mean()) / held_out.std(ddof=1))
    assert served["above_0.95"] == (values > np.quantile(held_out, 0.95)).mean()
    assert served["below_0.05"] == (values < np.quantile(held_out, 0.05)).mean()
    every = np.concatenate([values, held_out])
    apart = [(values <= one).mean() - (held_out <= one).mean() for one in every]
    assert served["distance"] == pytest.approx(np.abs(apart).max())
    assert told["prompts"] == {"different": 12, "again": 0}


def test_without_a_run_it_is_said_and_a_limit_on_it_is_refused(tmp_path: Path, run: Path) -> None:
    with serving("baseline:longest") as site:
        site.post("/v1/score", group("p", "a"))
        told = watch_of(site)["now"]
    assert "no single model of a run" in told["training"]["unknown"]
    assert "what its head reads is not to be had" in told["fit"]["unknown"]
    for name in ("above", "below", "outside"):
        with (
            pytest.raises(ConfigError, match=rf"serve\.watch\.{name}=0\.5 cannot be held: .*\. Leave it out"),
            serving("baseline:longest", config=watching(**{name: 0.5})),
        ):
            pass
    (tmp_path / "run" / "seed-0").mkdir(parents=True)
    place = tmp_path / "run" / "seed-0"
    (place / "model").symlink_to(run / "seed-0" / "model")
    (place / "train.json").write_bytes((run / "seed-0" / "train.json").read_bytes())
    (place / "scores.jsonl").write_bytes((run / "seed-0" / "scores.jsonl").read_bytes() + b"\n")
    with serving(str(place / "model")) as site:
        told = watch_of(site)["now"]
    assert "is not the file that train.json names" in told["training"]["unknown"]
    assert "fit.npz is missing" in told["fit"]["unknown"]


def test_rows_without_a_reward_are_counted_by_why(run: Path) -> None:
    with serving(str(run), opening=Opening()) as site:
        site.post("/v1/score", group("May I?", "yes", "refund " * 200, "no", "re " * 90_000))
        turn = {"role": "tool", "content": "x"}
        site.post("/v1/score", {"groups": [{"prompt": [turn], "answers": ["a"]}]})
        site.post("/rerank", {"query": "May I?", "documents": ["yes", "refund " * 200]})
        told = watch_of(site)["now"]
    rows = {"rewarded": 2, "too_long": 3, "not_finite": 0, "not_run": 1, "unread": 1, "failed": 0}
    assert told["rows"] == {**rows, "answered": 7, "watched": 7, "dropped": 0, "lost": 0, "waiting": 0}
    assert told["rewards"]["n"] == 2
    with serving(of_function(lambda _prompt, answers: [float("nan") for _ in answers])) as site:
        site.post("/v1/score", group("p", "a", "b"))
        assert watch_of(site)["now"]["rows"]["not_finite"] == 2


def test_totals_add_up_under_concurrency_and_across_swaps() -> None:
    """Eight clients, six swaps: what the watches of all models hold is what clients were given, to the last reward."""
    access = Access(owner_token="o" * 20)
    with serving("baseline:longest", access=access) as site, ThreadPoolExecutor(8) as pool:
        ended = threading.Event()

        def client(number: int) -> list[tuple[str, list[float]]]:
            rng, found = random.Random(number), []
            while not ended.is_set():
                said = site.post("/v1/score", group(f"p{number}", *("a" * rng.randint(1, 60) for _ in range(3))))
                assert said.status == 200, said.raw
                found.append((said.headers["x-assay-model"], said.body["groups"][0]["rewards"]))
            return found

        clients = [pool.submit(client, number) for number in range(8)]
        for turn in range(6):
            name = ("baseline:shortest", "baseline:longest")[turn % 2]
            said = site.ask("POST", "/v1/swap", json.dumps({"model": name}).encode(), OWNER)
            assert said.status == 200, said.raw
        ended.set()
        found = [one for several in clients for one in several.result(60)]
        told = watch_of(site)
    watches = [told["now"], *told["closed"]]
    assert (len(watches), told["models"], told["faults"]) == (7, 7, 0)
    assert all(one["until"] for one in told["closed"])
    assert told["now"]["until"] is None
    assert [one["model"] for one in watches] == ["baseline:longest", "baseline:shortest"] * 3 + ["baseline:longest"]
    for model in {one for one, _ in found}:
        given = [value for one, rewards in found if one == model for value in rewards]
        mine = [one for one in watches if one["fingerprint"] == model]
        assert sum(one["rows"]["rewarded"] for one in mine) == sum(one["rewards"]["n"] for one in mine) == len(given)
        sums = sum(one["rewards"].get("mean", 0) * one["rewards"]["n"] for one in mine)
        assert sums == pytest.approx(sum(given))
    assert all(one["rows"]["watched"] == one["rows"]["answered"] for one in watches)


def test_a_queue_without_room_drops_figures_tells_so_and_costs_no_reward() -> None:
    held, entered = threading.Event(), threading.Event()
    with serving(of_function(numbers), config=watching(queue_rows=4)) as site:
        thread = site.service.watching._thread
        thread.submit(lambda: (entered.set(), held.wait(60)))
        assert entered.wait(60)
        for n in range(5):
            said = site.post("/v1/score", group(f"p{n}", "1", "2"))
            assert said.body["groups"][0]["rewards"] == [1.0, 2.0]
        assert "assay_watch_dropped_rows_total 6" in site.get("/metrics").raw.decode()
        held.set()
        rows = watch_of(site)["now"]["rows"]
        assert (rows["rewarded"], rows["watched"], rows["dropped"], rows["waiting"]) == (10, 4, 6, 0)
        site.post("/v1/score", group("q", "3"))
        assert watch_of(site)["now"]["rewards"]["n"] == 5


def test_a_mistake_in_watching_costs_no_request_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with serving(of_function(numbers)) as site, caplog.at_level(logging.DEBUG):
        watch = site.service.watching.now
        assert watch is not None
        watch.rewards.add = lambda _values: 1 / 0  # type: ignore[method-assign,assignment,return-value]
        for n in range(3):
            assert site.post("/v1/score", group(SECRET, str(n))).status == 200
            assert watch_of(site)["now"]["rows"]["lost"] == n + 1
        site.service.watching._by_engine = None  # type: ignore[assignment]
        assert site.post("/v1/score", group(SECRET, "7")).body["groups"][0]["rewards"] == [7.0]
        told = watch_of(site)
        assert (told["faults"], told["now"]["rows"]["watched"]) == (4, 0)
        assert "assay_watch_faults_total 4" in site.get("/metrics").raw.decode()
    assert caplog.text.count("watch: it went wrong (ZeroDivisionError)") == 1
    assert SECRET not in caplog.text


def test_a_rule_that_goes_off_is_logged_counted_and_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    config = watching(refused=0.1, drift="on", false_alarms=0.01)
    with serving(of_function(numbers), config=config) as site, caplog.at_level(logging.INFO):
        rng = np.random.default_rng(0)

        def ask(values: Sequence[object], prompt: str) -> None:
            groups = [{"prompt": f"{SECRET} {prompt} {n}", "answers": [str(one)]} for n, one in enumerate(values)]
            for start in range(0, len(groups), 200):
                assert site.post("/v1/score", {"groups": groups[start : start + 200]}).status == 200

        ask(rng.normal(size=600), "a")
        assert {one["rule"]: one["gone_off"] for one in watch_of(site)["now"]["rules"]} == {"drift": 0, "refused": 0}
        ask(rng.normal(2, 1, size=200), "b")
        for n in range(12):
            ask(["nan", "1"], f"c{n}")
        told = watch_of(site)["now"]["rules"]
        metrics = site.get("/metrics").raw.decode()
    drift, refused = told
    assert drift["gone_off"] == refused["gone_off"] == 1
    assert drift["goes_off_at"] == refused["goes_off_at"] == 200  # 1% between two rules
    assert drift["alarms"][0]["told"].startswith("served rewards are higher than they were")
    assert 600 < drift["alarms"][0]["observations"] < 700
    assert refused["alarms"][0]["told"] == "the share of rows without a reward is over 0.1"
    assert refused["evidence"] < 200
    assert 'assay_watch_alarms_total{rule="drift"} 1' in metrics
    assert caplog.text.count("watch: drift: served rewards are higher") == 1
    assert "rule/1" in caplog.text
    assert SECRET not in caplog.text + metrics + json.dumps(told)


def test_a_prompt_is_one_observation_however_often_its_answers_are_asked_for() -> None:
    with serving(of_function(numbers)) as site:
        for n in range(20):
            site.post("/v1/score", group("p", str(n), str(n + 1)))
        told = watch_of(site)["now"]
    assert told["prompts"] == {"different": 1, "again": 19}
    assert told["rules"][0]["observations"] == 1
    assert told["rewards"]["n"] == 40


def test_the_memory_of_a_watch_does_not_grow_with_what_is_served() -> None:
    config = watching(sample=100, recent=10)
    with serving(of_function(numbers), config=config) as site:
        groups = [{"prompt": f"p{n}", "answers": [str(n)]} for n in range(1000)]
        site.post("/v1/score", {"groups": groups})
        told = watch_of(site)["now"]["rewards"]
        watch = site.service.watching.now
        assert watch is not None
        assert (len(watch.rewards.sample), len(watch.rewards.recent)) == (100, 10)
    assert (told["n"], told["mean"], told["recent"]["n"]) == (1000, 499.5, 10)
    assert 0 < told["rank_error"] < 0.2


def test_only_clients_with_the_token_are_told() -> None:
    with serving("baseline:longest", access=Access(token="t" * 20)) as site:
        assert site.get("/v1/watch").status == 200
        assert site.get("/v1/watch", authorization="Bearer no").status == 401


def test_a_swap_to_a_reward_that_cannot_keep_a_stated_limit_changes_nothing(run: Path) -> None:
    access = Access(owner_token="o" * 20)
    with serving(str(run), config=watching(above=0.5), access=access) as site:
        said = site.ask("POST", "/v1/swap", b'{"model": "baseline:longest"}', OWNER)
        assert (said.status, b"serve.watch.above=0.5 cannot be held" in said.raw) == (422, True)
        assert watch_of(site)["models"] == 1
        assert site.post("/v1/score", group("p", "a")).status == 200


def test_what_waits_is_taken_without_being_asked_for() -> None:
    with serving(of_function(numbers)) as site:
        site.post("/v1/score", group("p", "1"))
        until(lambda: site.service.watching._taken == 1)


def watcher_of(*names: str, **options: object) -> tuple[RewardWatcher, list[ServedReward]]:
    """A watcher to which one model after another was given, and these models."""
    watcher = RewardWatcher(watching(**options).watch)
    served = [of_function(numbers, name=name) for name in names]
    for one in served:
        watcher.begin(one.engine, prepared_watch(one, watcher))
    return watcher, served


def test_a_counter_of_dropped_rows_never_falls() -> None:
    """What fell would be a restart to Prometheus, which then adds all of it once more."""
    watcher, _ = watcher_of("first")
    assert watcher.now is not None
    watcher._leave(watcher.now, watched([Reward(1.0)], ["p"]), [], room=False)
    for number in range(CLOSED + 1):
        one = of_function(numbers, name=f"{number}")
        watcher.begin(one.engine, prepared_watch(one, watcher))
    assert watcher.dropped() == {(): 1.0}


def test_a_swap_while_figures_are_told_costs_them_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    watcher, served = watcher_of("a", "b", "c")
    told = ModelWatch.figures

    def swapped_meanwhile(watch: ModelWatch) -> dict[str, object]:
        watcher.begin(served[0].engine, prepared_watch(served[0], watcher))
        return told(watch)

    monkeypatch.setattr(ModelWatch, "figures", swapped_meanwhile)
    closed = watcher._figures()["closed"]
    assert isinstance(closed, list)
    assert [one["model"] for one in closed][-2:] == ["b", "a"]


def test_rows_add_up_though_others_are_answered_while_they_are_told() -> None:
    watcher, _ = watcher_of("a")
    watch = watcher.now
    assert watch is not None

    class Busy(Counter[Outcome]):
        def total(self) -> int:
            watch.told(watched([Reward(1.0)], ["p"]), room=True)
            return super().total()

    watch.outcomes = Busy({"rewarded": 3, "too_long": 2})
    rows: Any = watch.figures()["rows"]
    assert rows["answered"] == 5 == sum(rows[name] for name in OUTCOMES)
    assert rows["answered"] == rows["watched"] + rows["dropped"] + rows["lost"] + rows["waiting"]


def test_the_quantiles_of_training_are_found_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They stand for as long as the model does; found anew for each prompt they cost ten times the rest of it."""
    training = training_rewards(LocalScorer(run / "seed-0" / "model"))
    assert isinstance(training, TrainingRewards)
    expected = np.quantile(training.values, 0.95)
    asked: list[object] = []
    quantile = np.quantile
    monkeypatch.setattr(np, "quantile", lambda *given: asked.append(given) or quantile(*given))
    assert [training.high for _ in range(5)] == [expected] * 5
    assert len(asked) == 1
