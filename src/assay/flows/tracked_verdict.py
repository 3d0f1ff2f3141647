"""The end of a run to its trackers: where its seeds are tracked into run.json, and verdict and report as artifacts.

The place of the verdict is known before the report is written, which names it with run.json's hash; the files follow
once they are there. A tracker that fails is said, and the run ends as it would have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from assay.artifacts.files import sha256_json
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.tracking_body import TRACKING, TrackedBody, TrackingBody
from assay.flows.run_record import RunRecord
from assay.gate.verdict import Verdict
from assay.tracking.all_trackers import Trackers, ours
from assay.tracking.tracker import TrackedRun

KEPT = ("report.html", "founder.html", "MODEL_CARD.md", "gate.json", "audit.json")


@contextmanager
def tracked_verdict(
    record: RunRecord, verdict: Verdict, names: Sequence[str], *, say: Callable[[str], None]
) -> Iterator[None]:
    """Put down where the run is tracked; once its pages are written inside, give trackers them and the verdict."""
    run, asked = record.run, ours(names)
    if not names:
        yield
        return
    name = run.root.resolve().name
    told = TrackedRun(
        name=f"{name}-verdict",
        group=name,
        key=sha256_json([record.body.key, str(run.root.resolve()), "verdict"]).removeprefix("sha256:")[:16],
        folder=run.root,
        options={"command": record.body.command, "run": name},
    )
    trackers = Trackers(asked, told, say=lambda line: say(f"tracking   {line}"))
    record.add(tracked=(*of_seeds(run, record.body.seeds), *trackers.told(None)))
    try:
        yield
        trackers.keep(words_of(verdict), [path for file in KEPT if (path := run.path(file)).is_file()])
    finally:
        trackers.close()  # also where a page could not be written: an open run of a server looks as if it went on
    for one in trackers.told(None):
        if one.failed is None:
            say(f"tracking   {one.tracker}: {one.place}")


def of_seeds(run: RunFolder, seeds: Sequence[int]) -> tuple[TrackedBody, ...]:
    """Where each seed says that it is tracked; seeds trained without a tracker say nothing."""
    paths = [run.seed(seed) / TRACKING for seed in seeds]
    return tuple(one for path in paths if path.is_file() for one in TrackingBody.read(path).tracked)


def words_of(verdict: Verdict) -> dict[str, str]:
    """The verdict and each criterion's, as they are shown beside curves."""
    criteria = {f"criterion: {one.text}": f"{one.verdict}: {one.reason}" for one in verdict.to_body().criteria}
    return {"verdict": verdict.verdict, **criteria}
