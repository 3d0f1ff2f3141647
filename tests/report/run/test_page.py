"""The page as a reader and as a parser see it."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

import assay.report
from assay.artifacts.files import read_json
from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError
from assay.gate import decide_run
from assay.records import PairScore
from assay.report import render
from assay.report.finding_text import label
from assay.train.reward_config import RewardConfig
from tests.support.made_run import begun_body, make_pairs, make_run

XHTML = "{http://www.w3.org/1999/xhtml}"


def tree(run: RunFolder) -> ElementTree.Element:
    return ElementTree.fromstring(render(run).read_text(encoding="utf-8"))


def text_of(element: ElementTree.Element) -> str:
    return re.sub(r"\s+", " ", " ".join(element.itertext()))


def by_id(root: ElementTree.Element, name: str) -> ElementTree.Element:
    return next(element for element in root.iter() if element.get("id") == name)


def edit(run: RunFolder, name: str, change) -> None:
    """Change an artifact; the gate decides again if it was decided on it."""
    path = run.path(name)
    body = orjson.loads(path.read_bytes())
    change(body)
    path.write_bytes(orjson.dumps(body))
    if name == "audit.json":
        decide_run(run)


def test_is_well_formed_and_complete(whole):
    root = tree(whole)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    wanted = [a.get("href") for a in by_nav(root)]
    assert {link.removeprefix("#") for link in wanted} <= set(ids)
    assert [h.tag for h in root.iter(f"{XHTML}h1")] == [f"{XHTML}h1"]
    for svg in root.iter(f"{XHTML}svg"):
        assert svg.get("aria-label") or svg.get("aria-hidden") == "true"
    for table in root.iter(f"{XHTML}table"):
        assert all(th.get("scope") for th in table.iter(f"{XHTML}th"))


def by_nav(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [a for nav in root.iter(f"{XHTML}nav") for a in nav.iter(f"{XHTML}a")]


def test_loads_nothing_and_runs_nothing(whole):
    text = render(whole).read_text(encoding="utf-8")
    body = text.replace("http://www.w3.org/1999/xhtml", "")
    assert not re.search(
        r"https?:|//[a-z]|url\(|@import|<script|<link|<img|\son\w+=|javascript:|src=", body, re.IGNORECASE
    )
    assert "default-src 'none'" in text


def test_says_no_nan_and_no_none(whole):
    said = text_of(tree(whole))
    assert not re.search(r"\b(nan|inf|None|null|undefined)\b", said)


def test_every_finding_appears_with_its_value(whole):
    rows = list(by_id(tree(whole), "findings").iter(f"{XHTML}tr"))[1:]
    findings = read_json(whole.path("audit.json"), "audit/1")["findings"]
    assert len(rows) == len(findings) > 50
    for row, finding in zip(rows, findings, strict=True):
        said = text_of(row)
        assert label(finding["name"]) in said
        assert finding["slice"].removeprefix("category=") in said
        if finding["unit"] == "share":
            assert ("unknown" if finding["value"] is None else f"{100 * finding['value']:.1f}%") in said


def test_verdict_comes_first_with_every_criterion(whole):
    root = tree(whole)
    gate = read_json(whole.path("gate.json"), "gate/2")
    header = by_id(root, "verdict")
    said = text_of(header)
    assert gate["verdict"].capitalize() in said
    for criterion in gate["criteria"]:
        assert criterion["text"] in said
    overall = next(row for row in gate["criteria"] if row["text"].startswith("overall"))
    low, high = overall["interval"]["low"], overall["interval"]["high"]
    assert f"{100 * overall['value']:.1f}%" in said
    assert f"{100 * low:.1f} to {100 * high:.1f}%" in said
    assert "72.0%" in said


def test_summary_is_three_sentences_from_the_evidence(whole):
    root = tree(whole)
    summary = next(e for e in root.iter(f"{XHTML}div") if e.get("class") == "summary")
    lines = [text_of(p) for p in summary.iter(f"{XHTML}p")]
    assert len(lines) == 3
    findings = read_json(whole.path("audit.json"), "audit/1")["findings"]
    accuracy = {f["slice"]: f["value"] for f in findings if f["name"] == "accuracy" and f["seed"] is None}
    worst = min((k for k in accuracy if k != "overall"), key=accuracy.get)
    assert f"{100 * accuracy['overall']:.1f}% of 300 held-out pairs" in lines[0]
    assert f"weakest on {worst.removeprefix('category=')} with {100 * accuracy[worst]:.1f}%" in lines[1]


def test_figure_by_category_is_told_in_words(whole):
    """Each category's accuracy and its own length baseline, in the figure's label."""
    findings = read_json(whole.path("audit.json"), "audit/1")["findings"]
    plots = [svg.get("aria-label") or "" for svg in by_id(tree(whole), "accuracy").iter(f"{XHTML}svg")]
    assert sum("refusals" in label for label in plots) == 2  # wide and narrow
    value = {(f["name"], f["slice"]): f["value"] for f in findings if f["seed"] is None}
    for name in ("brevity", "refusals", "tone"):
        accuracy, longest = (100 * value[kind, f"category={name}"] for kind in ("accuracy", "length_baseline"))
        assert re.search(rf"{name} {accuracy:.1f}% \([^)]*\), longest wins {longest:.1f}%", plots[-1])


def test_self_checks_say_what_failed_first(whole):
    rows = [text_of(row) for row in by_id(tree(whole), "seeds").iter(f"{XHTML}tr")][1:]
    assert "passed reload equal (exact), batch invariance (within 2.4e-07)" in rows[0]
    assert "failed" not in rows[0]
    assert rows[1].index("failed swap mirrors (Something looks at which side") < rows[1].index("passed")


def test_data_contract_is_told(whole):
    """Nine hundred pairs and four bad rows went in: two duplicates, an empty answer, a row that is none."""
    said = text_of(by_id(tree(whole), "data"))
    for words in ("Rows read 904", "Pairs kept 900", "Rows rejected 4", "duplicate 2", "empty_candidate 1"):
        assert words in said
    assert "Unanimous share 0.0%" in said  # two against one in every row
    assert "Picked left share unknown: no vote says which answer stood on the left" in said
    assert "bad_json" not in said  # no row was rejected for it
    assert "Shared groups 0" in said
    assert "Pairs held out 300" in said


def test_same_artifacts_same_bytes(whole):
    first = render(whole).read_bytes()
    assert render(whole).read_bytes() == first


def test_simulated_data_are_announced_and_real_are_not(whole, tmp_path):
    assert "Simulated data." in text_of(tree(whole))
    assert "93.0%" in text_of(by_id(tree(whole), "accuracy"))
    real = make_run(tmp_path / "real", pairs=60, seeds=1, simulated=False)
    said = text_of(tree(real))
    assert "Simulated data." not in said
    assert "Oracle" not in said


HOSTILE = '</style><script>alert(1)</script><img src=x onerror="x"> & {{ 7*7 }} \x00\u202e'


def test_hostile_text_stays_text(tmp_path):
    pairs = [
        replace(pair, prompt=HOSTILE, chosen=HOSTILE + str(i), rejected=f"{i}" + HOSTILE, category=HOSTILE)
        for i, pair in enumerate(make_pairs(40, np.random.default_rng(1)))
    ]
    run = make_run(tmp_path / "hostile", pairs=pairs, seeds=1)
    edit(run, "run.json", lambda body: body.update(name=HOSTILE, command=HOSTILE))
    text = render(run).read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<img" not in text
    root = ElementTree.fromstring(text)  # no NUL, no stray tag
    assert "</style><script>alert(1)</script>" in text_of(by_id(root, "mistakes"))
    assert "{{ 7*7 }}" in text_of(by_id(root, "mistakes"))
    assert "⟨U+202E⟩" in text_of(by_id(root, "mistakes"))
    assert "\u202e" not in text


def constant(pairs, _):
    return [PairScore(pair_id=pair.id, chosen=0.5, rejected=0.5) for pair in pairs]


def broken(pairs, _):
    return [PairScore(pair_id=pair.id, chosen=float("nan"), rejected=0.5) for pair in pairs]


def perfect(pairs, rng):
    return [PairScore(pair_id=pair.id, chosen=3 + rng.random(), rejected=-3 - rng.random()) for pair in pairs]


@pytest.mark.parametrize(
    ("score", "word", "said"),
    [
        (constant, "Fail", "every answer gets the reward 0.5"),
        (broken, "Fail", "300 rewards are not finite numbers"),
        (perfect, "Pass", "The gate passes: all 5 criteria are met."),
    ],
)
def test_scores_of_all_kinds_are_drawn(tmp_path, score, word, said):
    run = make_run(tmp_path / "run", pairs=300, seeds=2, score=score)
    text = text_of(tree(run))
    assert word in text
    assert said in text
    assert not re.search(r"\b(nan|inf|None)\b", text)


def test_pairs_without_categories_and_with_odd_ones(tmp_path):
    pairs = make_pairs(40, np.random.default_rng(0), categories=False)
    said = text_of(tree(make_run(tmp_path / "none", pairs=pairs, seeds=2)))
    assert "the pairs name no categories, so there is no gap to measure" in said
    long = [replace(pair, category=f"a very long category name, number {i % 12}") for i, pair in enumerate(pairs)]
    said = text_of(tree(make_run(tmp_path / "long", pairs=long, seeds=2)))
    assert "a very long category name, number 11" in said


def test_unknown_comes_with_its_reason(tmp_path):
    run = make_run(tmp_path / "single", pairs=60, seeds=1)
    edit(run, "audit.json", lambda body: body["tables"].update(calibration=None))
    said = text_of(tree(run))
    assert "Spread between seeds unknown these are rewards of one seed, so its luck is unknown" in said

    def forget(body):
        for row in body["findings"]:
            if row["name"] == "accuracy" and row["slice"] == "overall":
                row.update(value=None, interval=None, reason="the scores were lost", verdict=None)

    edit(run, "audit.json", forget)
    root = tree(run)
    assert "the scores were lost" in text_of(by_id(root, "verdict"))
    key = next(e for e in root.iter(f"{XHTML}dl") if e.get("class") == "keys").find(f"{XHTML}div")
    assert text_of(key).split() == ["Held-out", "accuracy", "unknown", "the", "scores", "were", "lost"]


@pytest.mark.parametrize("name", ["run.json", "audit.json", "gate.json"])
def test_a_report_without_evidence_is_refused(run, name):
    run.path(name).unlink()
    with pytest.raises(ArtifactError, match=re.escape(name)):
        render(run)
    assert not run.path("report.html").exists()


@pytest.mark.parametrize("name", ["run.json", "gate.json", "contract.json", "split.json", "seed-0/train.json"])
def test_another_schema_is_refused(run, name):
    edit(run, name, lambda body: body.update(schema="other/9"))
    with pytest.raises(ArtifactError, match="other/9"):
        render(run)


def test_a_verdict_on_other_evidence_is_refused(run):
    path = run.path("audit.json")
    path.write_bytes(path.read_bytes().replace(b"accuracy", b"accuracy ", 1))
    with pytest.raises(ArtifactError, match=r"gate\.json was decided on"):
        render(run)


@pytest.mark.parametrize(
    "name", ["contract.json", "seed-0/metrics.jsonl", "seed-1/scores.jsonl", "seed-0/train.json", "split.json"]
)
def test_a_missing_optional_artifact_is_said(run, name):
    run.path(name).unlink()
    decide_run(run)
    assert f"{name} is missing from the run folder" in text_of(by_id(tree(run), "limits"))


def test_reads_a_run_that_says_no_more_than_at_its_start(run):
    """Only what is required, and in run.json only what stands there from the first minute on, and the seeds."""
    for name in ("contract.json", "split.json"):
        run.path(name).unlink()
    for seed in (0, 1):
        for name in ("train.json", "metrics.jsonl", "scores.jsonl"):
            (run.seed(seed) / name).unlink()
    decide_run(run)
    begun_body("small", RewardConfig()).with_more(seeds=(0, 1)).write(run.path("run.json"))
    said = text_of(tree(run))
    for words in ("contract.json is missing", "base model unknown", "Data unknown", "Base fingerprint unknown"):
        assert words in said
    assert not re.search(r"\b(nan|None)\b", said)


def test_a_run_json_made_by_hand_is_refused_in_a_sentence(run):
    run.path("run.json").write_bytes(b'{"schema": "run/1", "seeds": [0, 1]}')
    with pytest.raises(ArtifactError, match=r"run\.json says it is run/1, but name is not .* with another --out\.$"):
        render(run)


def test_colours_have_contrast():
    """WCAG AA: 4.5 to 1 for text against what it stands on, in light, dark and print."""
    css = Path(assay.report.__file__).with_name("templates").joinpath("report.css").read_text()
    themes = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)
    ]
    assert len(themes) == 3
    for theme in themes:
        pairs = [(ink, "page") for ink in ("ink", "soft", "link", "pass", "fail", "open", "model", "other")]
        pairs += [(tone, f"{tone}-soft") for tone in ("pass", "fail", "open")]
        pairs += [("ink", f"{tone}-soft") for tone in ("pass", "fail", "open")]
        for ink, ground in pairs:
            assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground, theme[ink], theme[ground])


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
