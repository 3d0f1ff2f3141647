"""A reward model behind an HTTP endpoint as a Scorer.

Each distinct row is sent once; what the cache knows is not sent at all. A row whose request fails is Unscored with the
reason, and so is all that is left once the budget is spent or the server is given up. Order, batches and concurrency
change nothing but time. The parts: `row_rendering` (what is sent), `formats` (how), `asking` (results); how a server is
asked, whatever it is asked for, stands in `endpoints/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from assay.artifacts.files import sha256_json
from assay.endpoints.budget import Budget
from assay.endpoints.calls import CallLimits, Calls, Line
from assay.endpoints.credential import credential_from
from assay.endpoints.failure import ImpossibleError
from assay.endpoints.kept_answers import Keeping, KeptAnswers, content_key, opened_answers
from assay.endpoints.server_health import ANY_FAULT, ServerHealth
from assay.errors import ConfigError, InputError
from assay.models.catalogue import cache_folder
from assay.records import Candidates
from assay.scorers.protocol import Reward, Scored, Unscored
from assay.scorers.remote.activated import RewardRange, passed_an_activation
from assay.scorers.remote.asking import Asking
from assay.scorers.remote.config import OFF, Kind, RemoteConfig
from assay.scorers.remote.formats import Sent, find_format
from assay.scorers.remote.row_rendering import RowRendering
from assay.scorers.remote.served_model import served_model

if TYPE_CHECKING:
    from assay.findings.finding import Finding

T = TypeVar("T")
FORM = 1  # of what is sent and read: another number scores anew
SAMPLE = 3  # rows asked for a second time, to see what a server does
MOST_BYTES = 64 * 2**20  # of one answer: nothing that holds rewards is larger
REWARDS: Keeping[float] = Keeping(
    file="rewards-1.sqlite",
    table="rewards",
    column="reward",
    kind=float,
    way_out="name another folder with --set remote.cache=FOLDER, or do without: --set remote.cache=off",
)
DRIFT = 0.05  # by how much a reward may differ when asked for again, beside 5% of it: batches and kernels do that


@dataclass(frozen=True, slots=True)
class Row:
    """A row and the key of its content in the cache."""

    key: bytes
    sent: Sent


class RemoteScorer:
    """Scores by one route of one server. config.kind and config.url must be set.

    The server is first asked for the fingerprint or scores, which raise ConfigError for options that contradict.
    """

    keeps_replies = True

    def __init__(self, config: RemoteConfig) -> None:
        if config.kind is None or config.url is None:
            raise ConfigError("remote: kind and url are needed, such as kind: vllm and url: http://host:8000.")
        self.kind, self.url, self.config = config.kind, config.url.rstrip("/"), config
        self.form = find_format(config.kind, config.route)
        self.budget = Budget(
            requests=config.max_requests, tokens=config.max_tokens, seconds=config.max_seconds, option="remote."
        )
        self.health = ServerHealth(config.give_up, ANY_FAULT, option="remote.give_up")
        self.range = RewardRange()
        self._sample: list[tuple[Sent, float]] = []  # a few rows with their rewards: see noticed
        self._checked = False  # whether the cache was held against the server

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.url}" + (f"/{self.config.model}" if self.config.model else "")

    @cached_property
    def rows(self) -> RowRendering:
        """How rows are sent. Looked at when it is needed: options may still come to an address that was opened."""
        if self.config.max_tokens is not None and not (self.form.tells_tokens or self.config.tokenizer):
            raise ConfigError(
                f"remote.max_tokens: {self.kind} does not say how many tokens it read. Name remote.tokenizer, or set "
                "max_requests or max_seconds."
            )
        return RowRendering(self.config, self.form)

    @property
    def rendering(self) -> str:
        """With what prompts and answers become text, in words, for the record."""
        return self.rows.words

    @cached_property
    def identity(self) -> Mapping[str, object]:
        """What the server says it serves; empty where it has no route for that. Raises as `served_model`."""
        wanted, form, name = self.config.model, self.form, self.name
        # Of its own budget and health: what is served may be told where rewards are not given.
        health = ServerHealth(1, frozenset())
        return self._run(
            lambda calls: served_model(calls, form, model=wanted, name=name), budget=Budget(), health=health
        )

    @property
    def model(self) -> str | None:
        """The model's name in requests: the one given, or the only one served."""
        told = self.identity.get("id")
        return self.config.model or (str(told) if told else None)

    @property
    def fingerprint(self) -> str:
        """Of the address, what the server says it serves, the rendering, and the options that decide rewards.

        Weights changed behind an unchanged name cannot be seen in it: say so with `revision`.
        """
        limit = self.config.row_tokens
        return self._space if limit is None else sha256_json({"space": self._space, "row_tokens": limit})

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Each answer's reward, or why it has none.

        Raises ConfigError where the server refuses every request (credentials, no such route or model), InputError if
        it is not there, or no longer gives the rewards that the cache holds.
        """
        texts = list(dict.fromkeys((group.prompt, answer) for group in groups for answer in group.answers))
        if not texts:
            return [() for _ in groups]
        of_text: dict[object, Row | Unscored] = {}
        for text, sent in zip(texts, self.rows.sent(texts), strict=True):
            if isinstance(sent, Unscored):
                of_text[text] = sent
            else:
                of_text[text] = Row(content_key(self._space, [sent.how, sent.value]), sent)
        # Two texts may be one row once rendered: it is asked for once.
        found = self._results({row.key: row.sent for row in of_text.values() if isinstance(row, Row)})
        results = {text: found[row.key] if isinstance(row, Row) else row for text, row in of_text.items()}
        return [tuple(results[group.prompt, answer] for answer in group.answers) for group in groups]

    def noticed(self) -> list[Finding]:
        """What the rewards given so far show of the server: whether they passed an activation.

        Where all lie between 0 and 1 and the server has a switch, a few rows are asked for with the activation on: if
        that gives other numbers, the rewards were raw after all.
        """
        cleared = self.range.suspect and self.form.switch and self._differ_when_activated()
        finding = self.range.finding(cleared=bool(cleared), way_out=self.form.way_out)
        return [] if finding is None else [finding]

    @cached_property
    def _space(self) -> str:
        """What a row's reward depends on beside the row."""
        rendering = self.rows.fingerprint  # its faults cost no request
        return sha256_json({
            "form": FORM, "kind": self.kind, "path": self.form.path, "url": self.url, "model": self.model,
            "identity": dict(self.identity), "revision": self.config.revision, "label": self.config.label,
            "rendering": rendering,
        })  # fmt: skip

    def _results(self, rows: Mapping[bytes, Sent]) -> dict[bytes, Scored]:
        with ExitStack() as stack:
            cache = None
            if self.config.cache != OFF:
                folder = Path(self.config.cache or cache_folder() / "remote").expanduser()
                cache = stack.enter_context(opened_answers(folder, REWARDS))
            had = {} if cache is None else cache.known(list(rows))
            missing = {key: sent for key, sent in rows.items() if key not in had}
            found: dict[bytes, Scored] = {key: Reward(reward) for key, reward in had.items()}
            if had and missing and not self._checked:
                self._refuse_other_weights([(rows[key], reward) for key, reward in had.items()][:SAMPLE])
            if missing:
                self._run(lambda calls: self._fetch(calls, missing, found, cache))
        given = {key: one.value for key, one in found.items() if isinstance(one, Reward)}
        self.range.add(given.values())
        self._sample += [(rows[key], reward) for key, reward in given.items()][: SAMPLE - len(self._sample)]
        return found

    def _fetch(
        self,
        calls: Calls,
        rows: Mapping[bytes, Sent],
        found: dict[bytes, Scored],
        cache: KeptAnswers[float] | None,
    ) -> None:
        """Asks for all rows; each result goes into `found`, each reward into the cache as soon as it is there."""
        pending, size = list(rows.items()), self.config.batch
        batches = [pending[start : start + size] for start in range(0, len(pending), size)]
        asking = self._asking

        async def ask(line: Line, batch: Sequence[tuple[bytes, Sent]]) -> list[Scored]:
            return await asking.ask(line, [sent for _, sent in batch])

        with calls.each(batches, ask) as answers:
            for place, results in answers:
                for (key, _), result in zip(batches[place], results, strict=True):
                    found[key] = result
                    if cache is not None and isinstance(result, Reward):
                        cache.add(key, result.value)

    def _refuse_other_weights(self, had: Sequence[tuple[Sent, float]]) -> None:
        """Raises InputError if the server now gives other rewards than it gave: the cache is of other weights."""
        self._checked = True
        now = self._again([sent for sent, _ in had])
        pairs = [(reward, new) for (_, reward), new in zip(had, now, strict=True) if new is not None]
        if pairs and median(abs(new - old) - DRIFT * (1 + abs(old)) for old, new in pairs) > 0:
            old, new = pairs[0]
            raise InputError(
                f"{self.name} gives {new:.4g} for a row for which it gave {old:.4g} before: other weights stand behind "
                "the address now. Name them, so that all is scored anew: --set remote.revision=NAME."
            )

    def _differ_when_activated(self) -> bool:
        """Whether the server gives other numbers with its activation on: those without are then raw."""
        now = self._again([sent for sent, _ in self._sample], activated=True)
        pairs = [(raw, new) for (_, raw), new in zip(self._sample, now, strict=True) if new is not None]
        return any(not passed_an_activation(raw, new) for raw, new in pairs)

    def _again(self, rows: Sequence[Sent], *, activated: bool = False) -> list[float | None]:
        """What the server gives for rows it was asked for before; None where it gives nothing now."""
        asking = self._asking

        async def ask(line: Line, row: Sent) -> Scored:
            return (await asking.ask(line, [row], activated=activated))[0]

        def all_of_them(calls: Calls) -> list[float | None]:
            with calls.each(rows, ask) as answers:
                found = dict(answers)
            return [one.value if isinstance(one, Reward) else None for _, one in sorted(found.items())]

        return self._run(all_of_them)

    @property
    def _asking(self) -> Asking:
        return Asking(self.form, model=self.model, label=self.config.label, budget=self.budget)

    def _run(
        self, work: Callable[[Calls], T], *, budget: Budget | None = None, health: ServerHealth | None = None
    ) -> T:
        """What `work` gives. Raises ConfigError with the way out where no request can succeed."""
        config = self.config
        limits = CallLimits(
            concurrency=config.concurrency, seconds=config.timeout, retries=config.retries, backoff=config.backoff,
            longest_wait=config.longest_wait, most_bytes=MOST_BYTES, option="remote.",
        )  # fmt: skip
        credential = credential_from(names_for(self.kind))
        calls = Calls(
            self.url, limits, credential=credential, health=health or self.health, budget=budget or self.budget
        )
        try:
            return work(calls)
        except ImpossibleError as error:
            if error.status in {401, 403}:
                way_out = f"Put a token it takes into the environment: {' or '.join(names_for(self.kind))}."
            elif error.status is not None and error.status < 400:
                way_out = "A redirect is not followed: give the address it leads to."
            else:
                way_out = (
                    f"Is it {self.kind}, of a version that has {self.form.path}, with a reward model by that name?"
                )
            raise ConfigError(f"{self.name}: {error}. {way_out}") from None


def names_for(kind: Kind) -> tuple[str, str]:
    """The variables that may hold a credential, the first one first."""
    return f"ASSAY_{kind.upper()}_TOKEN", "ASSAY_REMOTE_TOKEN"
