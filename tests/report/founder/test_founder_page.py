"""The founder's page in every state of a run: its first sentence is the answer, in plain words and short sentences."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.artifacts.files import read_jsonl, write_jsonl
from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError
from assay.report.founder import founder_page
from assay.report.founder.founder_answer import Preference, answer, outcome_of
from assay.report.founder.founder_kinds import kinds, kinds_unknown
from assay.report.founder.founder_samples import KINDS, samples
from assay.report.founder.founder_study import USUAL, chance_at
from assay.report.founder.told_run import read_told_run
from assay.stats.intervals import Interval
from assay.study.study_records import Editor, EditorKind
from tests.report.founder.made_policy_run import (
    as_policy_run,
    decided_on,
    with_answers,
    with_bad_texts,
    with_capability,
    with_study,
    with_votes,
)
from tests.study.simulated import PEOPLE, machine
from tests.support.made_run import make_run

PLAIN = set((Path(__file__).parent / "plain_words.txt").read_text(encoding="utf-8").split())
# Words of the trade. Some may stand where they are explained in the same breath; none is today.
JARGON = re.compile(
    r"\b(dpo|kl|logits?|log-prob\w*|p-values?|confidence|intervals?|benchmarks?|mmlu|rewards?|polic(?:y|ies)|"
    r"prompts?|seeds?|tokens?|epochs?|beta|lora|fine-tun\w*|checkpoints?|bound|mcnemar|alpha|win rates?|held-out|"
    r"significan\w*|variance|statistic\w*|baseline|inference|parameters?|accuracy|margins?|undecided)\b",
    re.IGNORECASE,
)
LONGEST, USUAL_LENGTH = 32, 14  # words of one sentence; of the mean sentence

Make = Callable[[RunFolder], RunFolder]
PROGRAMS = (machine("A", "simulated"), machine("B", "simulated"))
STATES: dict[str, tuple[Make, str]] = {
    "bare": (lambda run: run, "No editor has judged the new model yet; its general ability was not tested."),
    "study ready": (with_study, "No editor has judged the new model yet; its general ability was not tested."),
    "preferred": (
        lambda run: with_capability(with_votes(with_study(run, prompts=200), 0.75, prompts=200)),
        "Editors preferred the new model in 7.5 of 10 comparisons; we could not see a loss of general ability.",
    ),
    "preferred, at chance": (
        lambda run: with_capability(with_votes(with_study(run), 0.65), right=0.25),
        "Editors preferred the new model in 6.9 of 10 comparisons; this test cannot tell whether it lost general "
        "ability.",
    ),
    "preferred, lost": (
        lambda run: with_capability(with_votes(with_study(run), 0.7), drop=0.06),
        "Editors preferred the new model in 7.3 of 10 comparisons; but it lost general ability.",
    ),
    "undecided": (
        lambda run: with_capability(with_votes(with_study(run), 0.65, prompts=20), each=5),
        "Editors preferred the new model in 5.8 of 10 comparisons, which is too close to call; we cannot tell yet "
        "whether it lost general ability.",
    ),
    "no better": (
        lambda run: with_votes(with_study(run), 0.55),
        "Editors preferred the new model in 4.6 of 10 comparisons, so it does not look better than the old one; its "
        "general ability was not tested.",
    ),
    "better, goal open": (
        lambda run: with_votes(with_study(run), 0.6),
        "Editors preferred the new model in 5.9 of 10 comparisons, which is better, but not surely the 6 we asked for; "
        "its general ability was not tested.",
    ),
    "less than wanted": (
        lambda run: with_votes(with_study(run), 0.57, prompts=500),
        "Editors preferred the new model in 5.6 of 10 comparisons, which is better but less than the 6 we asked for; "
        "its general ability was not tested.",
    ),
    "worse": (
        lambda run: with_votes(with_study(run), 0.3),
        "Editors preferred the old model: the new one won 1.9 of 10 comparisons; its general ability was not tested.",
    ),
    "programs only": (
        lambda run: with_votes(with_study(run, judge="simulated"), 0.75, editors=PROGRAMS),
        "Simulated editors preferred the new model in 7.6 of 10 comparisons; its general ability was not tested.",
    ),
    "both bad": (
        lambda run: with_bad_texts(with_study(run)),
        "Editors preferred the new model in 5.1 of 10 comparisons, so it does not look better than the old one; its "
        "general ability was not tested.",
    ),
    "one task": (
        lambda run: with_votes(with_study(run), 0.6, prompts=1),
        "These votes do not tell which model editors prefer; its general ability was not tested.",
    ),
}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return as_policy_run(make_run(tmp_path_factory.mktemp("runs") / "grants"))


@pytest.fixture
def copy(tuned: RunFolder, tmp_path: Path) -> RunFolder:
    shutil.copytree(tuned.root, tmp_path / "grants")
    return RunFolder(tmp_path / "grants")


def text_of(page: Path) -> list[str]:
    """What a reader reads, block by block; texts of models and tasks left out."""
    body = page.read_text(encoding="utf-8").partition("<body>")[2]
    body = re.sub(r"<svg.*?</svg>", "", body, flags=re.DOTALL)
    body = re.sub(r'<div class="words".*?</div>', "", body, flags=re.DOTALL)
    blocks = re.split(r"</?(?:p|h\d|li|dt|dd|td|th|div|span|section|footer|a)\b[^>]*>", body)
    plain = (html.unescape(re.sub(r"<[^>]+>", " ", block)).strip() for block in blocks)
    return [re.sub(r"\s+", " ", block) for block in plain if block]


@pytest.mark.parametrize("state", STATES)
def test_every_state_in_plain_words(copy: RunFolder, state: str) -> None:
    make, first = STATES[state]
    run = make(copy)
    if run.path("conclusion/study/analysis.json").exists():
        decided_on(run)
    page = founder_page(run)
    blocks = text_of(page)
    assert blocks[1] == first
    told = " ".join(blocks)
    assert not (found := JARGON.findall(told)), found
    words = {word.lower().strip("'’") for word in re.findall(r"[A-Za-z][A-Za-z'’]*", told)}
    assert words - PLAIN == set(), f"not in plain_words.txt: {sorted(words - PLAIN)}"
    sentences = [one for block in blocks for one in re.split(r"(?<=[.?!:;])\s+", block)]
    lengths = [len(one.split()) for one in sentences]
    assert max(lengths) <= LONGEST, max(sentences, key=lambda one: len(one.split()))
    assert sum(lengths) / len(lengths) <= USUAL_LENGTH
    assert page.read_text(encoding="utf-8") == founder_page(run).read_text(encoding="utf-8")


@pytest.mark.parametrize(("judge", "editors"), [("human", PEOPLE), ("simulated", PROGRAMS)])
def test_it_says_where_both_texts_were_bad(copy: RunFolder, judge: EditorKind, editors: tuple[Editor, ...]) -> None:
    told = " ".join(text_of(founder_page(with_bad_texts(with_study(copy, judge=judge), editors=editors))))
    assert "In 9 of 10 comparisons both texts were bad." in told


def test_the_word_list_refuses_words_of_the_trade() -> None:
    assert not {word for word in PLAIN if JARGON.fullmatch(word)}
    for said in ("The DPO loss fell", "a confidence interval", "the KL", "p-value 0.03", "on this benchmark", "logit"):
        assert JARGON.search(said), said


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.61, 0.72, "as_wanted"),
        (0.52, 0.66, "better"),
        (0.51, 0.58, "less_than_wanted"),
        (0.45, 0.57, "no_better"),
        (0.45, 0.66, "undecided"),
        (0.60, 0.72, "better"),  # on the bar is not above it, as for the gate
        (0.30, 0.49, "worse"),
    ],
)
def test_what_is_said_follows_from_the_interval(low: float, high: float, outcome: str) -> None:
    bounds = Interval(low=low, high=high, level=0.95, method="by hand")
    assert outcome_of(bounds, 0.6) == outcome
    said = answer(Preference(outcome=outcome, judges="people", wanted=0.6, rate=0.55, bounds=bounds), "kept")  # type: ignore[arg-type]
    assert said.endswith("; we could not see a loss of general ability.")
    assert ("preferred the old model" in said) == (outcome == "worse")


def test_three_editors_and_fifty_tasks_rarely_decide(copy: RunFolder) -> None:
    """The numbers of `assay plan --win-rate 0.65 --prompts 50` for a win rate above 60%."""
    row = chance_at(0.65, USUAL, 0.6)
    assert row.chance == pytest.approx(0.18, abs=0.02)
    assert row.prompts == 311
    assert chance_at(0.65, USUAL, 0.6).votes == 3 * 311
    page = founder_page(with_study(copy)).read_text(encoding="utf-8")
    assert "this study shows it in only 18 of 100 cases. About 310 tasks would show it in 80 of 100 cases." in page


def test_samples_follow_the_rule_and_not_a_hand(copy: RunFolder) -> None:
    told = read_told_run(with_votes(with_study(copy), 0.6))
    rule, shown = samples(told)
    assert all(f"one where {said}" in rule for said, _ in KINDS)
    assert [one.votes for one in shown][:2] == ["Votes: 3 for the new text.", "Votes: 3 for the old text."]
    assert "for the new text" in shown[2].votes
    assert "for the old text" in shown[2].votes
    assert samples(told) == (rule, shown)


def test_a_kind_that_is_missing_is_said_and_drawn_for(copy: RunFolder) -> None:
    told = read_told_run(with_votes(with_study(copy, prompts=3), 0.95, prompts=3))
    rule, shown = samples(told)
    assert "There was no task where all editors preferred the old text" in rule
    assert len(shown) == 3


def test_without_texts_the_page_says_so(copy: RunFolder) -> None:
    with_answers(copy)  # which nothing names: no study was written of them
    assert samples(read_told_run(copy)) == ("No texts of both models lie in the run folder.", [])


def test_hostile_texts_stay_texts(copy: RunFolder) -> None:
    run = with_study(copy)
    path = run.path("answers/tuned.jsonl")
    path.write_text(path.read_text().replace("lack", "<script>alert(1)</script>\\u202e lack"), encoding="utf-8")
    page = founder_page(run).read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "⟨U+202E⟩" in page


def test_other_runs_and_stale_verdicts_are_refused(copy: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="trained a reward model"):
        founder_page(make_run(tmp_path / "reward", pairs=60, seeds=1))
    run = decided_on(with_votes(with_study(copy), 0.7))
    path = run.path("conclusion/study/analysis.json")
    path.write_text(path.read_text().replace('"ours"', '"ours" '), encoding="utf-8")
    with pytest.raises(ArtifactError, match="Conclude again"):
        founder_page(run)


def test_kinds_of_tasks_are_told_apart_where_there_are_enough(copy: RunFolder) -> None:
    """Tasks are of two kinds in turn: 25 of each are told by the figures of the study, 5 of each are too few."""
    told = read_told_run(with_votes(with_study(copy), 0.7))
    rows, reading = kinds(told)
    assert told.analysis is not None
    assert [(row.name, row.tasks) for row in rows] == [("delivery", "25"), ("refunds", "25")]
    for row in rows:
        found = told.analysis.find("win_rate", f"category={row.name}")
        assert found is not None
        assert found.known is not None
        assert row.rate == f"{10 * found.known:.1f}".removesuffix(".0") + " of 10"
    assert "by luck alone" in reading
    assert kinds_unknown(told) == []
    few = read_told_run(with_votes(copy, 0.7, prompts=10))
    assert kinds(few) == ([], "")
    assert kinds_unknown(few) == [
        "Whether it is better on each of the 2 kinds of tasks. Each kind had too few tasks to say."
    ]


def test_texts_that_the_limit_cut_are_said(copy: RunFolder) -> None:
    """Else a reader takes a broken end for how the model writes."""
    run = with_study(copy)
    assert "cut off at a set length" not in samples(read_told_run(run))[0]
    path = run.path("answers/tuned.jsonl")
    sampling = {"max_tokens": 8, "temperature": 1.0, "top_p": 1.0, "seed": 0, "stop": []}
    made = {"policy": "tuned", "fingerprint": "sha256:1", "template": "none", "sampling": sampling}
    rows = [{**row, "made": made, "finish": "length", "tokens": 8, "seed": 1} for row in read_jsonl(path)]
    write_jsonl(path, rows)
    assert samples(read_told_run(run))[0].endswith("in the middle of a sentence, it was cut off at a set length.")
    words = {word.lower() for word in re.findall(r"[A-Za-z]+", samples(read_told_run(run))[0])}
    assert words - PLAIN == set()
