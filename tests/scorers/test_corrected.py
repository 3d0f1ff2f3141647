"""A reward with length or style taken out: the curve by hand and against what was planted, and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.errors import ConfigError, InputError
from assay.records import Candidates, plain_text
from assay.scorers.corrected import ATTRIBUTES, CorrectedScorer, Correction, fit_correction, write_correction
from assay.scorers.function import FunctionScorer
from assay.scorers.local_regression import local_regression, within_groups
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward


def test_a_line_is_found_exactly_and_a_curve_nearly() -> None:
    x = np.linspace(0, 10, 200)
    line = local_regression(x, 3 * x + 1, span=0.5)
    assert [line.of(at) for at in (0.0, 5.0, 10.0)] == pytest.approx([1.0, 16.0, 31.0])
    assert line.of(-5.0) == pytest.approx(1.0)  # level beyond what was seen
    curve = local_regression(x, np.sin(x), span=0.15)
    assert np.abs(np.array([curve.of(at) for at in x]) - np.sin(x)).max() < 0.1


def test_tricube_weights_by_hand() -> None:
    """At 0 with three points at 0, 1, 2 and reach 2: weights 1, (1 - 1/8)^3 and 0: a line through two."""
    found = local_regression(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 9.0]), span=1.0)
    assert found.of(0.0) == pytest.approx(1.0, abs=1e-5)


def test_levels_of_prompts_are_not_taken_for_length() -> None:
    """Prompts with long answers are rewarded high, and within a prompt length does nothing: nothing to take out."""
    draw = np.random.default_rng(0)
    codes = np.repeat(np.arange(200), 4)
    level = draw.normal(0, 3, 200)
    x = 100 + 30 * level[codes] + draw.normal(0, 20, 800)
    found = within_groups(x, level[codes] + draw.normal(0, 0.3, 800), codes, span=0.5)
    assert np.ptp(found.value) < 0.5  # over a span in which the levels differ by 18


def planted(content: dict[str, float]) -> FunctionScorer:
    """Content plus a bent function of length."""
    return FunctionScorer(
        lambda _, answers: [content[plain_text(a)] + 2 * np.log(len(plain_text(a))) for a in answers],
        fingerprint="planted",
    )


def test_planted_length_is_taken_out_and_content_stays() -> None:
    draw = np.random.default_rng(1)
    content: dict[str, float] = {}
    groups = []
    for n in range(400):
        answers = tuple(f"{n}.{k}" + "x" * int(draw.integers(20, 600)) for k in range(2))
        content |= {answer: float(draw.normal()) for answer in answers}
        groups.append(Candidates(id=str(n), prompt=f"q{n}", answers=answers))
    found = CorrectedScorer(planted(content), fit_correction(planted(content), groups[:300], named="planted", span=0.4))
    left = [(len(a), r.value - content[a]) for g, rs in zip(groups[300:], found.score(groups[300:]), strict=True)
            for a, r in zip(g.answers, rs, strict=True) if isinstance(r, Reward)]  # fmt: skip
    length, rest = np.array(left).T
    before = 2 * np.log(length)
    assert np.std(rest) < 0.25 * np.std(before)


def test_it_stands_in_a_file_and_opens_again(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    groups = [
        Candidates(id=str(n), prompt=f"q{n}", answers=tuple("x" * int(draw.integers(1, 90)) + str(k) for k in range(2)))
        for n in range(60)
    ]
    found = fit_correction(open_scorer("baseline:longest"), groups, named="baseline:longest", fitted_on="made here")
    write_correction(found, tmp_path / "c.yaml")
    one = open_scorer(f"corrected:{tmp_path / 'c.yaml'}")
    ((reward,),) = one.score([Candidates(id="a", prompt="q", answers=("x" * 40,))])
    assert isinstance(reward, Reward)
    assert reward.heads == {"uncorrected": 40.0}
    # All of this reward is length: what is left is the mean, whatever the length.
    ((other,),) = one.score([Candidates(id="a", prompt="q", answers=("x" * 70,))])
    assert isinstance(other, Reward)
    assert reward.value == pytest.approx(other.value, abs=0.5)
    assert found.answers == 120
    again = CorrectedScorer(open_scorer("baseline:longest"), Correction(**{**found.model_dump(), "attribute": "words"}))
    assert again.fingerprint != one.fingerprint


def test_markdown_is_counted_per_hundred_words() -> None:
    """Marks: "# ", "- ", and ** twice: four in eight words."""
    assert ATTRIBUTES["markdown"]("# Title\n- one **two** three four five") == pytest.approx(100 * 4 / 8)
    assert ATTRIBUTES["markdown"]("one two") == 0.0


def test_too_little_to_fit_and_curves_that_are_none_are_refused(tmp_path: Path) -> None:
    few = [Candidates(id="a", prompt="q", answers=("x", "yy"))]
    with pytest.raises(InputError, match="too few"):
        fit_correction(open_scorer("baseline:longest"), few, named="baseline:longest")
    level = [Candidates(id=str(n), prompt=f"q{n}", answers=("ab", "cd")) for n in range(40)]
    with pytest.raises(InputError, match="the same in all"):
        fit_correction(open_scorer("baseline:random"), level, named="baseline:random")
    (tmp_path / "c.yaml").write_text("scorer: baseline:longest\nat: [2, 1]\nvalue: [0, 1]\n")
    with pytest.raises(ConfigError, match="at rises"):
        open_scorer(f"corrected:{tmp_path / 'c.yaml'}")


def test_style_is_counted_by_hand() -> None:
    """Ten words; one header, two list items, one bold run, one code span, three exclamation marks."""
    text = "# One\n- **two** three!\n- `four` five!!\nsix seven"
    counted = {name: ATTRIBUTES[name](text) * len(text.split()) / 100 for name in ATTRIBUTES}
    found = {name: round(counted[name]) for name in ("headers", "lists", "bold", "code", "exclamation")}
    assert found == {"headers": 1, "lists": 2, "bold": 1, "code": 1, "exclamation": 3}


@pytest.mark.parametrize(("attribute", "mark"), [("bold", "**so** "), ("lists", "\n- item "), ("exclamation", "! ")])
def test_planted_style_is_taken_out_and_content_stays(attribute: str, mark: str) -> None:
    """A reward that pays for one kind of mark, on answers of which most have none."""
    draw = np.random.default_rng(3)
    content: dict[str, float] = {}
    groups = []
    for n in range(400):
        answers = tuple(
            f"{n}.{k} " + mark * int(draw.integers(0, 6) * (draw.random() < 0.5)) + "plain word " * 20 for k in range(2)
        )
        content |= {answer: float(draw.normal(0, 0.5)) for answer in answers}
        groups.append(Candidates(id=str(n), prompt=f"q{n}", answers=answers))
    of = ATTRIBUTES[attribute]
    pays = FunctionScorer(
        lambda _, answers: [content[plain_text(a)] + 0.4 * of(a) for a in answers], fingerprint="pays"
    )
    fitted = fit_correction(pays, groups[:300], named="pays", attribute=attribute, span=0.4)  # type: ignore[arg-type]
    found = CorrectedScorer(pays, fitted)
    rows = [(of(a), r.value, content[plain_text(a)])
            for g, rs in zip(groups[300:], found.score(groups[300:]), strict=True)
            for a, r in zip(g.answers, rs, strict=True) if isinstance(r, Reward)]  # fmt: skip
    style, reward, worth = np.array(rows).T
    assert abs(np.corrcoef(style, reward)[0, 1]) < 0.2
    assert np.corrcoef(style, worth + 0.4 * style)[0, 1] > 0.8
    assert np.corrcoef(reward, worth)[0, 1] > 0.9
