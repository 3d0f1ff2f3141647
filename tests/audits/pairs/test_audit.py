"""The audit as a whole: its artifact, its tables, its refusals, and that order and options do what they should."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from assay.artifacts.files import dumps
from assay.artifacts.run_folder import RunFolder
from assay.audits import Audit
from assay.audits.audit_figures import AUDIT_FIGURES
from assay.audits.config import AuditConfig
from assay.audits.part import Evidence
from assay.audits.scored_group import ScoredGroup
from assay.errors import ArtifactError, EmptyBatchError, InputError
from assay.findings.finding import DESCRIBES
from assay.records import Candidates, Message, Pair, PairScore, Vote
from tests.audits.planted import QUICK, audited, healthy, make_pairs

PAIRS = make_pairs(120)
SCORES = {seed: healthy(PAIRS, seed=seed) for seed in (0, 1)}


def test_written_and_read_back_it_is_the_same(tmp_path):
    found = audited(SCORES, PAIRS, inputs={"data": "sha256:0"})
    found.write(RunFolder(tmp_path))
    again = Audit.read(RunFolder(tmp_path))
    assert again.findings == found.findings
    assert again.to_dict()["tables"].keys() == found.to_dict()["tables"].keys()
    assert again.inputs == {"data": "sha256:0"}


def test_an_audit_that_says_what_none_says_is_refused_by_place(tmp_path):
    path = RunFolder(tmp_path).path("audit.json")
    for change, place in (
        ({"pairs": "many"}, "pairs"),
        ({"tables": {}}, "tables.distribution"),
        ({"more": 1}, "more"),
        ({"findings": [{"name": "accuracy"}]}, "findings.0.value"),
    ):
        body = audited(SCORES, PAIRS).to_dict() | change
        path.write_bytes(dumps({"schema": "audit/1", **body}))
        with pytest.raises(ArtifactError, match=rf"says it is audit/1, but {place} is not"):
            Audit.read(RunFolder(tmp_path))


def test_reasons_of_audits_written_with_a_prefix_are_read_without_it(tmp_path):
    body = audited(SCORES, PAIRS).to_dict()
    row = next(row for row in body["findings"] if row["name"] == "reward_sd")
    said = row["reason"]
    assert row["interval"] is None
    row["reason"] = f"no interval: {said}"
    RunFolder(tmp_path).path("audit.json").write_bytes(dumps({"schema": "audit/1", **body}))
    assert Audit.read(RunFolder(tmp_path)).find("reward_sd").reason == said


def test_every_finding_says_why_it_matters_and_has_an_interval_or_a_reason():
    for finding in audited(SCORES, PAIRS).findings:
        assert 40 < len(finding.why) < 320
        assert finding.bounds is not None or finding.reason, finding.name
        assert finding.known is None or finding.interval != DESCRIBES, finding.name
        assert finding.known is None or math.isfinite(finding.known)


def test_the_order_of_the_pairs_changes_no_figure():
    shuffled = random.Random(3).sample(PAIRS, len(PAIRS))
    before, after = audited(SCORES, PAIRS), audited(SCORES, shuffled)
    for one, other in zip(before.findings, after.findings, strict=True):
        assert one.name == other.name
        if one.known is not None:
            assert other.value == pytest.approx(one.value, abs=1e-9), one.name
        if one.bounds is not None:
            assert other.interval.low == pytest.approx(one.interval.low, abs=1e-6), one.name


def test_tables_add_up():
    tables = audited(SCORES, PAIRS).tables
    for side in ("chosen", "rejected", "margin"):
        assert sum(tables["distribution"]["seeds"][0][side]) == 120
        assert sum(tables["distribution"]["pooled"][side]) == 240
    assert sum(row["n"] for row in tables["length"]["bins"]) == 120
    assert sum(row["n"] for row in tables["categories"]) == 120
    assert sum(row["n"] for row in tables["calibration"]["bins"]) == 240
    assert len(tables["length"]["points"]) == 120


def test_mistakes_come_most_agreed_first_then_widest():
    pairs = PAIRS[:4]
    margins = {0: [-1.0, -9.0, 2.0, -0.5], 1: [-1.0, 0.1, 2.0, -2.0]}
    scores = {
        seed: [PairScore(pair_id=p.id, chosen=m, rejected=0.0) for p, m in zip(pairs, row, strict=True)]
        for seed, row in margins.items()
    }
    found = audited(scores, pairs).tables["mistakes"]
    assert [(row["pair_id"], row["seeds_wrong"]) for row in found] == [("p3", 2), ("p0", 2), ("p1", 1)]
    assert found[0]["margin"] == -1.25
    assert found[0]["chosen"] == pairs[3].chosen


def test_mistakes_show_votes_and_who_speaks():
    pair = Pair(
        id="a",
        prompt=(Message(role="system", content="Be kind."), Message(role="user", content="Hi")),
        chosen=(Message(role="assistant", content="Hello"),),
        rejected="No",
        votes=(Vote(choice="chosen"), Vote(choice="chosen"), Vote(choice="tie")),
    )
    found = audited([PairScore(pair_id="a", chosen=0.0, rejected=1.0)], [pair]).tables["mistakes"][0]
    assert found["prompt"] == "system: Be kind.\n\nuser: Hi"
    assert found["chosen"] == "Hello"
    assert found["votes"] == {"chosen": 2, "tie": 1}


@pytest.mark.parametrize(
    ("change", "look"),
    [
        ({"level": 0.8}, lambda a: a.find("accuracy").interval),
        ({"resamples": 100}, lambda a: a.find("reward_length_correlation").interval),
        ({"seed": 9}, lambda a: a.find("reward_length_correlation").interval),
        ({"length_tolerance": 0.5}, lambda a: a.find("length_matched_accuracy").n),
        ({"mistakes": 3}, lambda a: len(a.tables["mistakes"])),
    ],
)
def test_every_option_is_read(change, look):
    assert set(AuditConfig.model_fields) == {"level", "resamples", "length_tolerance", "mistakes", "seed"}
    changed = QUICK.model_copy(update=change)
    assert look(audited(SCORES, PAIRS)) != look(audited(SCORES, PAIRS, config=changed))


@pytest.mark.parametrize(
    ("scores", "pairs", "error", "words"),
    [
        ({}, PAIRS, EmptyBatchError, "no scores"),
        (SCORES[0], [], EmptyBatchError, "no pair"),
        (SCORES[0][:-1], PAIRS, InputError, "no score for 1 of 120 pairs"),
        ([*SCORES[0], SCORES[0][0]], PAIRS, InputError, "twice"),
        ([*SCORES[0], PairScore(pair_id="z", chosen=1, rejected=0)], PAIRS, InputError, "'z', which is not among"),
        (SCORES[0], [*PAIRS, PAIRS[0]], InputError, "its own id"),
    ],
)
def test_scores_and_pairs_that_do_not_match_are_refused(scores, pairs, error, words):
    with pytest.raises(error, match=words):
        audited(scores, pairs)


def test_all_scores_broken_still_gives_an_audit():
    broken = [PairScore(pair_id=p.id, chosen=math.nan, rejected=math.nan) for p in PAIRS]
    assert (
        audited([PairScore(pair_id=p.id, chosen=None, rejected=None) for p in PAIRS], PAIRS).find("accuracy").value == 0
    )
    found = audited(broken, PAIRS)
    assert found.find("accuracy").value == 0
    assert "non_finite" in found.find("degenerate").detail["problems"]
    assert found.find("separation").known is None


def test_a_single_pair_is_audited_without_pretending():
    found = audited(SCORES[0][:1], PAIRS[:1])
    assert found.find("accuracy").n == 1
    assert found.find("accuracy").bounds is None
    assert found.find("degenerate").known is None


def test_every_name_is_used():
    tokens = {pair.id: (len(pair.chosen), len(pair.rejected)) for pair in PAIRS}
    voted = [replace(pair, votes=(Vote(choice="chosen"), Vote(choice="rejected"))) for pair in PAIRS]
    one = Candidates(id="c", prompt="q", answers=("a", "bb", "ccc"), ranks=(1.0, 2.0, 3.0))
    group = ScoredGroup(candidates=one, rewards=dict.fromkeys(SCORES, (3.0, 1.0, 2.0)), cluster="q")
    found = audited(SCORES, voted, tokens=tokens, evidence=Evidence(candidates=[group]))
    names = {finding.name for finding in found.findings}
    asked_for = {row.name for row in AUDIT_FIGURES.values() if row.where_given} - {"length_baseline_tokens"}
    assert names >= set(AUDIT_FIGURES) - asked_for


def test_calibrated_margins_are_called_so_and_overconfident_ones_not():
    rng = np.random.default_rng(0)
    pairs = make_pairs(1500)
    margin = rng.normal(0, 1.2, 1500)
    margin = np.where(rng.random(1500) < 1 / (1 + np.exp(-margin)), margin, -margin)  # right as often as stated
    honest = [PairScore(pair_id=p.id, chosen=m, rejected=0.0) for p, m in zip(pairs, margin, strict=True)]
    loud = [PairScore(pair_id=s.pair_id, chosen=6 * s.chosen, rejected=0.0) for s in honest]
    sound, bold = audited(honest, pairs), audited(loud, pairs)
    for name in ("calibration_error", "calibration_slope"):
        assert (sound.find(name).verdict, bold.find(name).verdict) == ("ok", "warning")
    assert bold.find("calibration_slope").detail["direction"] == "over-confident"
    assert bold.find("temperature").value == pytest.approx(6 * sound.find("temperature").value)
    after = bold.find("calibration_error_after_temperature")
    assert after.value == pytest.approx(sound.find("calibration_error_after_temperature").value, abs=1e-6)
