"""The grant office keeps its promises: counts, no overlap, truth beside; and no cheap rule comes near the oracle."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from assay.cli import simulate as command
from assay.data import prompt_groups, read_pairs
from assay.errors import ConfigError
from assay.records import Pair
from assay.simulate.grants import EDITORS, GrantOffice, grants, judge, worth
from assay.simulate.grants.application import SECTIONS
from tests.simulate.grants.test_editorial_utility import CLOSE, METHOD, PEOPLE, PROMPT


@pytest.fixture(scope="module")
def office() -> GrantOffice:
    return grants(800, seed=4)


def test_the_number_of_pairs_is_exact_and_sections_are_equal() -> None:
    for pairs in (1, 7, 52):
        rows = grants(pairs, seed=1, fresh=0).rows
        counts = Counter(row["category"] for row in rows)
        assert len(rows) == pairs
        assert max(counts.values()) - min(counts[name] for name in SECTIONS) <= 1


def test_same_seed_same_rows_other_seed_other_rows() -> None:
    first, again, other = grants(60, seed=5), grants(60, seed=5), grants(60, seed=6)
    assert (first.rows, first.fresh, first.attention, first.truth) == (
        again.rows, again.fresh, again.attention, again.truth,
    )  # fmt: skip
    assert not {row["prompt"] for row in first.rows} & {row["prompt"] for row in other.rows}


def test_every_row_is_a_pair_and_says_that_it_is_simulated(office: GrantOffice) -> None:
    found = read_pairs(office.rows)
    assert (len(found.pairs), found.rejects) == (800, [])
    for row in [*office.rows, *office.fresh]:
        assert row["source"]["label"] == "simulated"  # type: ignore[index]
    votes: Any = [vote for row in office.rows for vote in row["votes"]]  # type: ignore[attr-defined]
    assert {vote["annotator"] for vote in votes} == {editor.name for editor in EDITORS}
    assert all("simulated" in vote["annotator"] for vote in votes)


def test_fresh_prompts_are_nobody_elses_not_even_nearly(office: GrantOffice) -> None:
    assert len(office.fresh) == 50
    prompts = [str(row["prompt"]) for row in office.rows] + [str(row["prompt"]) for row in office.fresh]
    prompts += [str(row["prompt"]) for row in office.attention]
    assert len({*prompts}) == len({str(row["prompt"]) for row in office.rows}) + 50 + len(office.attention)
    pairs = [Pair(id=str(n), prompt=prompt, chosen="a", rejected="b") for n, prompt in enumerate(prompts)]
    groups = prompt_groups(pairs, threshold=0.8, seed=0)
    assert len(set(groups)) == len(set(prompts))  # near-duplicates link no two of them


def test_the_truth_is_the_utility_of_the_texts_as_anyone_can_measure_it(office: GrantOffice) -> None:
    for row in office.rows[:80]:
        stated = office.truth["rows"][str(row["id"])]["utility"]
        assert stated == [worth(str(row["prompt"]), str(row[side])).utility for side in ("chosen", "rejected")]
    oracle = office.truth["oracle"]["accuracy"]
    assert oracle is not None
    assert 0.93 < oracle < 0.99


def test_text_is_clean_and_short(office: GrantOffice) -> None:
    for row in office.rows:
        for side in ("chosen", "rejected"):
            text = str(row[side])
            assert not re.search(r"[{}|]|  |\.\.|,,| [.,;:!?]|None|^\s|\s$", text), text
            assert re.match(r"[A-Z0-9]", text)
            assert text.isascii()
            assert len(text.split()) < 95
    assert np.mean([len(str(row["chosen"]).split()) for row in office.rows]) == pytest.approx(46, abs=8)


def test_each_editor_has_noise_and_a_taste_of_its_own(office: GrantOffice) -> None:
    better = {name: row["utility"][0] > row["utility"][1] for name, row in office.truth["rows"].items()}
    right = {
        editor.name: np.mean(
            [
                (vote["choice"] == "chosen") == better[str(row["id"])]
                for row in office.rows
                for vote in row["votes"]  # type: ignore[attr-defined]
                if vote["annotator"] == editor.name
            ]
        )
        for editor in EDITORS
    }  # fmt: skip
    assert all(0.8 < share < 0.98 for share in right.values()), right
    assert 50 < office.truth["agreement"]["2"] < 400


def bag_of_words(office: GrantOffice, *, folds: int = 4) -> float:
    """Accuracy out of fold, prompts kept together, of a linear model on the answers' words, prompt unseen."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    names = sorted({str(row["group"]) for row in office.rows})
    random.Random(0).shuffle(names)
    fold = {name: number % folds for number, name in enumerate(names)}
    hits: list[bool] = []
    for held_out in range(folds):
        train = [row for row in office.rows if fold[str(row["group"])] != held_out]
        test = [row for row in office.rows if fold[str(row["group"])] == held_out]
        words = TfidfVectorizer(min_df=2, sublinear_tf=True)
        words.fit([row[side] for row in train for side in ("chosen", "rejected")])
        apart = [
            words.transform([r["chosen"] for r in part]) - words.transform([r["rejected"] for r in part])
            for part in (train, test)
        ]
        signs = np.where(np.random.default_rng(0).random(len(train)) < 0.5, 1, -1)
        model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=1000)
        model.fit(apart[0].multiply(signs[:, None]).tocsr(), signs)
        hits += list(apart[1] @ model.coef_[0] > 0)
    return float(np.mean(hits))


def test_words_alone_and_length_alone_stay_well_under_the_oracle(office: GrantOffice) -> None:
    assert bag_of_words(office) < 0.70
    apart = [len(str(row["chosen"]).split()) - len(str(row["rejected"]).split()) for row in office.rows]
    assert max(np.mean(np.greater(apart, 0)), np.mean(np.less(apart, 0))) < 0.62


@pytest.mark.slow
def test_words_alone_at_full_size() -> None:
    found = bag_of_words(grants(2500, seed=0))
    assert found < 0.70


GOOD, BAD = METHOD + PEOPLE + CLOSE, METHOD.replace("41", "14") + "We are a vibrant team. We ask you for $154."


def test_editors_judge_texts_as_texts() -> None:
    for editor in EDITORS:
        votes = Counter(judge(editor, prompt=PROMPT, left=GOOD, right=BAD, seed=seed) for seed in range(60))
        turned = Counter(judge(editor, prompt=PROMPT, left=BAD, right=GOOD, seed=seed) for seed in range(60))
        assert votes["left"] > 52
        assert turned["right"] > 52
        same = Counter(judge(editor, prompt=PROMPT, left=GOOD, right=GOOD, seed=seed) for seed in range(200))
        # Logistic noise of scale 1/sharpness: inside the band with chance tanh(sharpness * band / 2).
        tied = np.tanh(editor.sharpness * editor.tie_band / 2) * (1 - editor.carelessness)
        assert same["tie"] / 200 == pytest.approx(tied, abs=0.1)
        both = Counter(judge(editor, prompt=PROMPT, left="", right="asdf " * 30, seed=seed) for seed in range(40))
        assert both["both_bad"] > 28
        assert judge(editor, prompt="What is the capital of France?", left="Paris.", right="Rome.", seed=0) == "abstain"


def test_attention_items_are_plain_to_every_editor(office: GrantOffice) -> None:
    right = [
        judge(editor, prompt=str(row["prompt"]), left=str(row["good"]), right=str(row["bad"]), seed=0) == "left"
        for row in office.attention
        for editor in EDITORS
    ]
    assert np.mean(right) > 0.9


def test_impossible_requests_are_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigError, match="got 0"):
        grants(0)
    with pytest.raises(ConfigError, match=r"fresh: .* got -1"):
        grants(5, fresh=-1)


def test_the_command_writes_four_files(tmp_path: Path) -> None:
    app = typer.Typer()
    command.register(app)
    out = tmp_path / "office.jsonl"
    done = CliRunner().invoke(app, ["simulate", "grants", "--pairs", "40", "--fresh", "6", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "best reachable accuracy" in done.output
    expected = grants(40, fresh=6)
    assert [json.loads(line) for line in out.read_text().splitlines()] == expected.rows
    assert [json.loads(line) for line in (tmp_path / "office.fresh.jsonl").read_text().splitlines()] == expected.fresh
    assert len((tmp_path / "office.attention.jsonl").read_text().splitlines()) == len(expected.attention)
    truth = json.loads((tmp_path / "office.jsonl.truth.json").read_text())
    assert (truth["schema"], truth["world"], truth["rows"]) == ("simulation/1", "grants", expected.truth["rows"])
