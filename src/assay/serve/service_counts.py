"""What a served reward counts, as Prometheus families. Rows and requests in numbers only; no text, no client."""

from __future__ import annotations

from collections.abc import Callable

from assay.serve.batching import Batcher, BatchRun
from assay.serve.prometheus_text import Counter, Gauge, Histogram, Labels, Readings, exposition
from assay.serve.watch.reward_watcher import RewardWatcher

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class ServiceCounts:
    """The families of one service. gate_open, told: whether the gate is open, and the labels of what is served."""

    def __init__(
        self, batcher: Batcher, *, gate_open: Callable[[], bool], told: Callable[[], Labels], watching: RewardWatcher
    ) -> None:
        self.requests = Counter("assay_requests_total", "Requests by dialect and HTTP status.")
        self.rows = Counter("assay_rows_total", "Rows answered, by whether they have a reward.")
        self.tokens = Counter("assay_row_tokens_total", "Tokens of rows that were run, shared ones once a row.")
        self.distinct = Counter("assay_distinct_tokens_total", "The same, tokens shared within a batch once a batch.")
        self.gone = Counter("assay_clients_gone_total", "Requests whose client left before the answer.")
        self.swaps = Counter("assay_swaps_total", "Swaps of the model, by outcome.")
        self.batch_rows = Histogram("assay_batch_rows", "Rows of a batch.", ROWS)
        self.batch_seconds = Histogram("assay_batch_seconds", "Seconds of the model on a batch.", SECONDS)
        self.waited = Histogram(
            "assay_wait_seconds", "Seconds from a request to the start of its first batch.", SECONDS
        )
        self.took = Histogram("assay_request_seconds", "Seconds from a request's body to its answer.", SECONDS)
        self._gauges = (
            Gauge("assay_waiting_rows", "Rows without a reward yet.", lambda: float(batcher.waiting_rows)),
            Gauge("assay_waiting_tokens", "Tokens of requests under way.", lambda: float(batcher.waiting_tokens)),
            Gauge("assay_gate_open", "1 while the gate passes, or none was asked.", lambda: float(gate_open())),
            Gauge("assay_served_info", "What is served.", lambda: 1.0, told),
        )
        of_model = "of the model that is served now"
        self._watched = (
            Readings("assay_watch_alarms_total", f"Rules that went off, {of_model}.", "counter", watching.alarm_counts),
            Readings("assay_watch_evidence", "What a stake of 1 on each rule has become.", "gauge", watching.evidence),
            Readings("assay_watch_dropped_rows_total", "Rows that were only counted.", "counter", watching.dropped),
            Readings("assay_watch_faults_total", "Mistakes in watching.", "counter", lambda: {(): watching.faults}),
            Readings("assay_watch_reward_mean", f"Mean reward {of_model}.", "gauge", watching.means),
            Readings("assay_watch_outside_share", "Share of answers outside the known.", "gauge", watching.outside),
        )

    def ran(self, batch: BatchRun) -> None:
        self.tokens.add(batch.asked)
        self.distinct.add(batch.tokens)
        self.batch_rows.observe(batch.rows)
        self.batch_seconds.observe(batch.seconds)

    def text(self) -> str:
        counters = (self.requests, self.rows, self.tokens, self.distinct, self.gone, self.swaps)
        histograms = (self.batch_rows, self.batch_seconds, self.waited, self.took)
        return exposition([*counters, *histograms, *self._gauges, *self._watched])
