"""Length and style taken out together: planted worlds, terms by hand, folds that saw nothing, and the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from assay.audits.style.style_differences import density_difference
from assay.errors import ConfigError, InputError
from assay.records import Candidates, Pair, plain_text
from assay.scorers.answer_style import style_columns
from assay.scorers.corrected import CorrectedScorer, fit_correction, write_correction
from assay.scorers.function import FunctionScorer
from assay.scorers.joint_correction import (
    FOLDS,
    JointlyCorrectedScorer,
    Take,
    fit_joint_correction,
    fold_of,
)
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Scorer
from assay.scorers.scored_pairs import as_candidates, score_pairs
from assay.scorers.style_terms import RELATIVE, term_values, terms_of
from assay.simulate.style_worlds import style_world

WORTH: dict[str, float] = {}


def masked(count: int, *, seed: int, pays: float = 1.5) -> tuple[list[Pair], FunctionScorer]:
    """People go by worth alone; the reward pays for length and for bold, and the longer of two answers has less bold.

    So by itself neither moves the reward much: what length adds, the bold that long answers lack takes away.
    """
    rng = np.random.default_rng([seed, 5])
    rewards: dict[str, float] = {}
    pairs = []
    for n in range(count):
        worth, log = rng.normal(size=2), rng.normal(size=2)
        bold = 1.5 - log + rng.normal(scale=0.5, size=2)
        answers = []
        for k in range(2):
            words = int(np.exp(4 + 0.4 * log[k]))
            marks = max(round(words * np.exp(bold[k]) / 100), 0)
            answers.append(f"{n}.{k} " + "**so** " * marks + "word " * max(words - marks, 1))
        value = term_values(answers, [RELATIVE, "bold"])
        value = (value - [5.6, 1.5]) / [0.4, 1.0]
        rewards |= {a: float(worth[k] + pays * value[k].sum()) for k, a in enumerate(answers)}
        WORTH.update(zip(answers, map(float, worth), strict=True))
        up = int(rng.random() > 1 / (1 + np.exp(3 * (worth[1] - worth[0]))))
        pairs.append(Pair(id=str(n), prompt=f"q{n // 2}", chosen=answers[up], rejected=answers[1 - up]))
    return pairs, FunctionScorer(lambda _, a: [rewards[plain_text(one)] for one in a], fingerprint="masked")


def accuracy(scorer: Scorer, pairs: list[Pair]) -> float:
    return float(np.mean([found.margin > 0 for found in score_pairs(scorer, pairs) if found.margin is not None]))


def by_worth(pairs: list[Pair]) -> float:
    return float(np.mean([WORTH[plain_text(p.chosen)] > WORTH[plain_text(p.rejected)] for p in pairs]))


@pytest.mark.parametrize("take", ["overuse", "all"])
def test_together_restores_what_one_at_a_time_does_not(take: Take) -> None:
    pairs, scorer = masked(1200, seed=1)
    seen, held = pairs[:800], pairs[800:]
    best, raw = by_worth(held), accuracy(scorer, held)
    joint = fit_joint_correction(scorer, seen, named="masked", attributes=["length", "bold"], take=take)
    one: Scorer = scorer
    for attribute in ("characters", "bold"):
        one = CorrectedScorer(one, fit_correction(one, as_candidates(seen), named="x", attribute=attribute))  # type: ignore[arg-type]
    together, apart = accuracy(JointlyCorrectedScorer(scorer, joint), held), accuracy(one, held)
    assert raw < best - 0.08
    assert apart < best - 0.05
    assert together > best - 0.02
    bold = {term.term: term for term in joint.terms}["bold"]
    assert bold.share > 0.9
    assert bold.taken == pytest.approx([bold.reward * bold.share] * FOLDS, rel=0.2)


def in_a_world(count: int, **planted: dict[str, float]) -> tuple[list[Pair], FunctionScorer]:
    world = style_world(count, seed=3, **planted)  # type: ignore[arg-type]
    rewards: dict[str, float] = {}
    pairs = []
    for pair, score in zip(world.pairs, world.scores, strict=True):
        up, down = f"{pair.chosen} {pair.id} a", f"{pair.rejected} {pair.id} b"
        rewards |= {up: score.chosen, down: score.rejected}
        pairs.append(replace(pair, chosen=up, rejected=down))
    return pairs, FunctionScorer(lambda _, a: [rewards[plain_text(one)] for one in a], fingerprint="world")


def test_what_people_like_is_left_in_unless_all_is_asked_for() -> None:
    pairs, scorer = in_a_world(1000, people={"length": 0.7, "markdown": 0.5})
    raw = accuracy(scorer, pairs)
    found = {take: fit_joint_correction(scorer, pairs, named="w", attributes=["length", "style"], take=take)
             for take in ("overuse", "all")}  # fmt: skip
    assert accuracy(JointlyCorrectedScorer(scorer, found["overuse"]), pairs) == pytest.approx(raw, abs=0.01)
    assert accuracy(JointlyCorrectedScorer(scorer, found["all"]), pairs) < raw - 0.03
    assert any("people's choices follow length (more)" in note for note in found["all"].notes)
    assert any("left in, since fewer than 10 pairs differ in them: headers" in note for note in found["all"].notes)
    assert all(term.share == 1 for term in found["all"].terms)


def test_of_what_is_liked_and_overdone_the_rest_is_taken() -> None:
    """Half of the reward's taste is people's: taking out all loses it, taking out nothing overdoes it."""
    pairs, scorer = in_a_world(1000, people={"length": 0.5, "markdown": 0.3}, reward={"length": 0.7, "markdown": 0.7})
    joint = fit_joint_correction(scorer, pairs, named="w", attributes=["length", "style"])
    whole = fit_joint_correction(scorer, pairs, named="w", attributes=["length", "style"], take="all")
    over, everything = (accuracy(JointlyCorrectedScorer(scorer, one), pairs) for one in (joint, whole))
    assert over > accuracy(scorer, pairs) + 0.03
    assert over > everything + 0.02


def test_terms_differ_as_the_audit_s_differences_do() -> None:
    """tanh of half the difference of log(density + 1/2) is (a - b) / (a + b + 1)."""
    up, down = ["one **two** three **four**"], ["one two three **four** five six"]
    apart = (term_values(up, ["bold"]) - term_values(down, ["bold"]))[0, 0]
    audited = density_difference(style_columns(up), style_columns(down), "bold")[0]
    assert np.tanh(apart / 2) == pytest.approx(audited)
    assert term_values(["Well, yes", "No"], ["opens with “well”", "refuses"]).tolist() == [[1, 0], [0, 0]]
    assert terms_of(["length", "style"], ["well"])[:3] == ["relative length", "characters", "headers"]
    assert terms_of(["bold", "markdown", "openings"], ["well"]) == [
        "bold", "headers", "list items", "code", "opens with “well”",
    ]  # fmt: skip


def test_a_prompt_is_corrected_by_a_fit_that_never_saw_it() -> None:
    """Turning the rewards of one fold's pairs round moves every fit but that fold's own."""
    pairs, scorer = masked(400, seed=2)
    turned = FunctionScorer(
        lambda prompt, answers: [
            (-1 if fold_of(prompt) == 3 else 1) * r.value
            for r in scorer.score([Candidates(id="", prompt=prompt, answers=tuple(answers))])[0]
            if isinstance(r, Reward)
        ],
        fingerprint="turned",
    )
    one, other = (
        fit_joint_correction(it, pairs, named="x", attributes=["length", "bold"], take="all") for it in (scorer, turned)
    )
    for before, after in zip(one.terms, other.terms, strict=True):
        same = np.isclose(before.taken, after.taken, rtol=1e-9)
        assert same.tolist() == [False, False, False, True, False]


def test_it_stands_in_a_file_and_opens_again(tmp_path: Path) -> None:
    pairs, scorer = masked(300, seed=4)
    found = fit_joint_correction(
        scorer, pairs, named="baseline:random", attributes=["length", "bold"], fitted_on="here"
    )
    write_correction(found, tmp_path / "c.yaml")
    opened = open_scorer(f"corrected:{tmp_path / 'c.yaml'}")
    assert isinstance(opened, JointlyCorrectedScorer)
    assert opened.correction == found
    assert opened.name.endswith("without over-use of length, bold")
    ((reward, longer, longest),) = opened.score(
        [Candidates(id="a", prompt="q", answers=("word " * 30, "word " * 9000, "word " * 99999))]
    )
    assert isinstance(reward, Reward)
    assert isinstance(longer, Reward)
    assert isinstance(longest, Reward)
    # Beyond the longest answer that was seen nothing more is taken out.
    taken = [one.heads["uncorrected"] - one.value for one in (reward, longer, longest)]
    assert taken[1] == pytest.approx(taken[2])
    assert taken[0] < taken[1]
    values = yaml.safe_load((tmp_path / "c.yaml").read_text())
    values["terms"][0]["taken"].append(1.0)
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(ConfigError, match="one length for every term"):
        open_scorer(f"corrected:{tmp_path / 'c.yaml'}")


def test_what_cannot_be_fitted_is_refused() -> None:
    pairs, scorer = masked(300, seed=5)
    fit = {"named": "x", "attributes": ["length", "bold"]}
    with pytest.raises(InputError, match="too few to take out 3 terms"):
        fit_joint_correction(scorer, pairs[:20], **fit)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Take out less"):
        fit_joint_correction(open_scorer("baseline:longest"), pairs, **fit)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="the same for both answers"):
        fit_joint_correction(open_scorer("baseline:constant"), pairs, **fit)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Hardly a pair differs in headers"):
        fit_joint_correction(scorer, pairs, named="x", attributes=["headers"])
    with pytest.raises(InputError, match="there are length"):
        fit_joint_correction(scorer, pairs, named="x", attributes=["length", "words"])
    against = FunctionScorer(lambda _, answers: [-WORTH[plain_text(a)] for a in answers], fingerprint="against")
    with pytest.raises(InputError, match="--take all"):
        fit_joint_correction(against, pairs, **fit)  # type: ignore[arg-type]


@pytest.mark.parametrize(("odd", "told"), [
    (0, "taken out with the others, which tell it exactly: bold"),
    (12, "list items, bold: nearly told by the other terms"),
])  # fmt: skip
def test_terms_that_tell_each_other_are_named(odd: int, told: str) -> None:
    """Every list item is bold here, but for `odd` answers: which of the two a reward pays for cannot be known."""
    rng = np.random.default_rng(6)
    pairs = []
    for n in range(300):
        items = "\n- item **of** it" if n >= odd else "\n- item of it"
        one, two = (f"{n}{side}" + items * int(rng.integers(0, 9)) + " word" * 30 for side in "ab")
        pairs.append(Pair(id=str(n), prompt=f"q{n}", chosen=one, rejected=two))
    noisy = FunctionScorer(
        lambda _, answers: [len(plain_text(a)) / 40 + sum(map(ord, a)) % 7 for a in answers], fingerprint="noisy"
    )
    found = fit_joint_correction(noisy, pairs, named="x", attributes=["lists", "bold"], take="all")
    assert any(note.startswith(told) for note in found.notes)
