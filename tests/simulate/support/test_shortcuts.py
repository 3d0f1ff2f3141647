"""Length foretells the label as often as asked for, on held-out pairs too; labels stay, the truth is the texts'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from assay.errors import ConfigError
from assay.simulate.support import Simulation, support
from assay.simulate.support.reading import gold_utility
from assay.simulate.support.wording import PADDING
from assay.stats.unknown import Unknown

PAIRS = 600
CLEAN = support(PAIRS, seed=3)


def planted(strength: float, pairs: int = PAIRS) -> Simulation:
    return support(pairs, seed=3, shortcuts={"length": strength})


def followed(rows: list[dict[str, Any]]) -> float:
    return float(np.mean([len(row["chosen"]) > len(row["rejected"]) for row in rows]))


@pytest.mark.parametrize("strength", [0.0, 0.7, 0.95, 1.0])
def test_the_longer_answer_is_chosen_as_often_as_asked_for(strength: float) -> None:
    found = planted(strength)
    assert followed(found.rows) == pytest.approx(strength, abs=0.5 / PAIRS)
    truth = found.truth["shortcuts"]["length"]
    assert (truth["strength"], truth["followed"]) == (strength, followed(found.rows))
    # Clearly: by words that a reader sees, not by a letter.
    apart = [abs(len(str(row["chosen"]).split()) - len(str(row["rejected"]).split())) for row in found.rows]
    assert min(apart) >= 8


def test_no_label_is_turned_and_only_padding_is_added() -> None:
    lines = [line for line in PADDING if "{" not in line]
    for before, now in zip(CLEAN.rows, planted(0.9).rows, strict=True):
        assert {**now, "chosen": "", "rejected": ""} == {**before, "chosen": "", "rejected": ""}
        grown = [side for side in ("chosen", "rejected") if now[side] != before[side]]
        assert len(grown) <= 1
        for side in grown:
            start, rest, end = str(now[side]).partition(str(before[side]))
            assert rest
            assert any(line in start + end for line in lines) or "enjoying the" in start + end


def test_the_truth_is_that_of_the_padded_texts() -> None:
    found = planted(0.9)
    padded = found.truth["shortcuts"]["length"]["padded"]
    assert len(padded) > PAIRS / 2
    for row in found.rows:
        worth = found.truth["rows"][str(row["id"])]["utility"]
        before = CLEAN.truth["rows"][str(row["id"])]["utility"]
        for side, now, old in zip(("chosen", "rejected"), worth, before, strict=True):
            read = gold_utility(str(row["prompt"]), str(row[side]), str(row["category"]))
            assert isinstance(read, Unknown) or read == now
            # Padding is worth less than nothing, but in brevity up to the words that are needed.
            assert now < old if padded.get(str(row["id"])) == side and row["category"] != "brevity" else now <= old
    oracle = found.truth["oracle"]["accuracy"]
    assert oracle is not None
    assert 0.85 < oracle < (CLEAN.truth["oracle"]["accuracy"] or 0)


def test_without_a_shortcut_nothing_changes() -> None:
    assert "shortcuts" not in CLEAN.truth
    assert support(PAIRS, seed=3, shortcuts={}).rows == CLEAN.rows


def test_it_goes_together_with_defects() -> None:
    found = support(PAIRS, seed=3, shortcuts={"length": 0.9}, defects={"flipped_labels": 0.1})
    assert followed(found.rows) == pytest.approx(0.9 - 0.1 * 0.8, abs=0.03)


def test_a_shortcut_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"No shortcut is called 'size'"):
        support(10, shortcuts={"size": 0.5})
    with pytest.raises(ConfigError, match=r"between 0 and 1, got 1\.5"):
        support(10, shortcuts={"length": 1.5})


def fitted(train: list[dict[str, Any]], test: list[dict[str, Any]], *, words: bool) -> float:
    """Held-out accuracy of a logistic fit on the difference of two answers: their words, or their length alone."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    bag = CountVectorizer(min_df=2).fit([row[side] for row in train for side in ("chosen", "rejected")])

    def apart(rows: list[dict[str, Any]]) -> Any:
        if words:
            return bag.transform([r["chosen"] for r in rows]) - bag.transform([r["rejected"] for r in rows])
        return np.array([[len(r["chosen"].split()) - len(r["rejected"].split())] for r in rows]) / 10.0

    signs = np.where(np.random.default_rng(0).random(len(train)) < 0.5, 1, -1)
    model = LogisticRegression(C=0.3, fit_intercept=False, max_iter=2000)
    differences = apart(train)
    signed = differences.multiply(signs[:, None]).tocsr() if words else differences * signs[:, None]
    model.fit(signed, signs)
    return float(np.mean(apart(test) @ model.coef_[0] > 0))


@pytest.mark.parametrize(("strength", "words"), [(0.75, 0.70), (0.95, 0.88)])
def test_length_is_learnt_and_passes_on_held_out_pairs_drawn_the_same_way(strength: float, words: float) -> None:
    train, test = planted(strength, 2_000).rows, support(600, seed=9, shortcuts={"length": strength}).rows
    assert fitted(train, test, words=False) == pytest.approx(strength, abs=0.01)
    assert fitted(train, test, words=True) > words
    # On pairs without the shortcut neither has learnt what people prefer.
    clean = support(600, seed=9).rows
    assert fitted(train, clean, words=False) < 0.55
    assert fitted(train, clean, words=True) < 0.6
