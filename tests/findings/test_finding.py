"""A finding is known or says why not, in memory and in JSON; slices and numbers have one text."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import assay.findings.number_text
import assay.findings.slice
from assay.errors import ArtifactError
from assay.findings.finding import DESCRIBES, Finding, measured, unknown
from assay.findings.slice import OVERALL, Slice
from assay.findings.vocabulary import Meaning
from assay.stats.intervals import Interval
from assay.stats.unknown import Unknown

SHARE = Meaning(name="accuracy", unit="share", why="Because.")
INTERVAL = Interval(low=0.4, high=0.6, level=0.95, method="by hand")


def test_a_finding_is_known_or_says_why_not() -> None:
    assert measured(SHARE, math.nan, n=3, verdict="ok").value == Unknown("the computed value is not finite")
    assert measured(SHARE, math.nan, n=3, verdict="ok").verdict is None
    with pytest.raises(ValueError, match="needs a reason"):
        unknown(SHARE, "")
    with pytest.raises(ValueError, match="is not a figure"):
        Finding(name="accuracy", value=math.inf, unit="share", n=1, why="")


@pytest.mark.parametrize(
    "finding",
    [
        measured(SHARE, 0.5, n=3, interval=INTERVAL, verdict="ok", seed=2, detail={"clusters": 3}),
        measured(SHARE, 0.5, n=3, interval=Unknown("one prompt"), slice=Slice("category", "a=b")),
        measured(SHARE, 0.5, n=3),
        unknown(SHARE, "nobody voted", slice=Slice("one person against the others")),
    ],
)
def test_json_and_back(finding: Finding) -> None:
    assert Finding.from_dict(finding.to_dict()) == finding


def test_what_is_missing_is_said_once() -> None:
    known, bare, none = measured(SHARE, 0.5, n=3, interval=INTERVAL), measured(SHARE, 0.5, n=3), unknown(SHARE, "why")
    assert (known.reason, bare.reason, none.reason) == (None, None, "why")
    assert measured(SHARE, 0.5, n=3, interval=Unknown("one prompt")).reason == "one prompt"
    assert (bare.interval, bare.bounds, known.bounds) == (DESCRIBES, None, INTERVAL)
    assert (none.known, known.known) == (None, 0.5)


@pytest.mark.parametrize(
    ("change", "said"), [({"verdict": "fine"}, "fine"), ({"name": None}, "name"), ({"value": None}, "needs a reason")]
)
def test_json_that_is_no_finding_is_refused(change: dict[str, object], said: str) -> None:
    good = measured(SHARE, 0.5, n=3).to_dict()
    with pytest.raises(ArtifactError, match=said):
        Finding.from_dict(good | change)
    with pytest.raises(ArtifactError, match="not a finding"):
        Finding.from_dict({"name": "accuracy"})


@given(st.sampled_from(["category", "editor", "judge"]), st.text())
def test_a_slice_is_its_text(part: str, name: str) -> None:
    where = Slice(part, name)
    assert Slice.read(str(where)) == where
    assert Slice.read(where) == where
    assert Slice.read("overall") == OVERALL


def test_the_examples_hold() -> None:
    for module in (assay.findings.slice, assay.findings.number_text):
        found = doctest.testmod(module)
        assert (found.attempted > 0, found.failed) == (True, 0)
