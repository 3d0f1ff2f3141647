"""From any scorer and a published suite to its figures: `assay bench`. Knows the order of the steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.bench_body import BenchBody, StandingBody, UnscoredBody
from assay.artifacts.files import write_jsonl
from assay.artifacts.finding_body import IntervalBody
from assay.errors import InputError
from assay.questions.task import Answered
from assay.report.bench.bench_page import render_bench
from assay.scorers.open import AnyScorer, as_scorer, open_scorer
from assay.scorers.protocol import Scorer, Unscored
from assay.scorers.scores_file import PromptRow, prompt_rows
from assay.scorers.unfinished_rows import unfinished_rows
from assay.stats.intervals import Interval
from assay.stats.unknown import Unknown
from assay.suites.open import open_suite
from assay.suites.standing import Standing, standings
from assay.suites.suite import Suite
from assay.suites.suite_rows import hashes
from assay.version import __version__, versions

BENCH, SCORES, PAGE = "bench.json", "scores.jsonl", "bench.html"
UNFINISHED = "unfinished.jsonl"  # rewards while a bench is under way; gone when it is done
PACKAGES = ("numpy", "scipy", "torch", "transformers")


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """split: of a hub data set, in place of the published ones. threshold: below which a step is wrong (processbench).

    level: of the intervals. template: for a model that others published without one.
    """

    split: str | None = None
    threshold: float | None = None
    level: float = 0.95
    template: str | None = None


def bench(
    scorer: AnyScorer,
    suite: str,
    sources: Sequence[str],
    out: Path,
    *,
    options: BenchOptions | None = None,
    command: str = "",
) -> BenchBody:
    """Hold a scorer on a suite against longest, shortest and chance; the folder `out` gets the artifact and its page.

    suite, sources: see open_suite. Written: bench.json, scores.jsonl (every reward, by the item's id) and bench.html.
    Killed anywhere, the same call goes on from unfinished.jsonl with the same figures.
    Raises InputError where `out` is a run's folder, and what reading the suite and scoring raise.
    """
    told = options or BenchOptions()
    if (out / "run.json").exists():
        raise InputError(f"{out} is the folder of a run. Give another --out.")
    opened = open_suite(suite, sources, split=told.split, threshold=told.threshold)
    one = open_scorer(scorer, template=told.template) if isinstance(scorer, str | Path) else as_scorer(scorer)
    fingerprint = one.fingerprint
    answered: list[Answered] = []
    write_jsonl(out / SCORES, kept(unfinished_rows(one, opened.groups, out / UNFINISHED), answered))
    found = standings(opened, answered, rules_to_beat(opened), level=told.level)
    body = BenchBody(
        suite=opened.name,
        title=opened.about.title,
        source=opened.about.source,
        rule=opened.about.rule,
        over_long=opened.about.over_long,
        scorer=one.name,
        items=len(opened.groups),
        level=told.level,
        standings=tuple(map(standing_body, found)),
        unscored=tuple(unscored(opened, answered)),
        notes=opened.notes,
        inputs={**hashes(sources), "scorer": fingerprint},
        assay_version=__version__,
        versions=versions(PACKAGES),
        command=command,
    )
    body.write(out / BENCH)
    render_bench(body, out / PAGE)
    # Last: whatever is killed before this finds every reward again.
    (out / UNFINISHED).unlink(missing_ok=True)
    return body


def kept(rows: Iterable[PromptRow], answered: list[Answered]) -> Iterator[PromptRow]:
    """The rows as they pass by; `answered` gets their rewards: NaN for what is not finite, Unknown for none."""
    for row in rows:
        reasons = row.get("reasons") or [None] * len(row["scores"])
        answered.append([_value(score, reason) for score, reason in zip(row["scores"], reasons, strict=True)])
        yield row


def _value(score: float | None, reason: str | None) -> float | Unknown:
    if score is not None:
        return score
    return math.nan if reason is None or Unscored(reason).not_finite else Unknown(reason)


def rules_to_beat(suite: Suite) -> dict[str, list[Answered]]:
    """Rewards of the suite's baselines over its groups."""
    found: dict[str, list[Answered]] = {}
    for name in suite.about.baselines:
        rule: Scorer = open_scorer(name)
        list(kept(prompt_rows(rule, suite.groups), found.setdefault(name, [])))
    return found


def unscored(suite: Suite, answered: Sequence[Answered]) -> Iterator[UnscoredBody]:
    """Every item with an answer that was not scored, by name, and why."""
    for group, given in zip(suite.groups, answered, strict=True):
        for place, value in enumerate(given, 1):
            if isinstance(value, Unknown):
                why = f"answer {place}: {value.reason}"
                yield UnscoredBody(id=group.id, part=str(group.category), why=why)
                break


def standing_body(found: Standing) -> StandingBody:
    """A figure as it stands in bench.json."""
    unknown = next((one for one in (found.value, found.interval) if isinstance(one, Unknown)), None)
    interval = IntervalBody(**found.interval.to_dict()) if isinstance(found.interval, Interval) else None
    return StandingBody(
        name=found.name, kind=found.kind, value=None if isinstance(found.value, Unknown) else found.value,
        interval=interval, reason=unknown.reason if unknown else None, n=found.n, unscored=found.unscored,
        if_wrong=found.if_wrong, if_right=found.if_right, others=dict(found.others), rule=found.rule,
        ahead=found.ahead, p=found.p, p_holm=found.p_holm, verdict=found.verdict, also=found.also,
    )  # fmt: skip
