"""Several scorers as one: the rules by hand, scales that are fixed, and what is said of a member that gives nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from assay.artifacts.files import write_jsonl
from assay.errors import ConfigError, InputError
from assay.records import Candidates
from assay.scorers.baseline import baseline
from assay.scorers.ensemble import EnsembleScorer, measured_scale
from assay.scorers.function import FunctionScorer
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Unscored

GROUP = Candidates(id="one", prompt="May I?", answers=("yes", "no, never"))


def fixed(name: str, *values: float) -> FunctionScorer:
    return FunctionScorer(lambda _, answers: list(values[: len(answers)]), name=name, fingerprint=f"{name}{values}")


def members(**values: tuple[float, ...]) -> Mapping[str, FunctionScorer]:
    return {name: fixed(name, *several) for name, several in values.items()}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("mean", (2.0, 5.0)),
        ("worst", (1.0, 5.0)),
        ("uncertainty", (2.0 - 0.5 * 2 / 3, 5.0)),  # the variance of 1, 2, 3 is 2/3
    ],
)
def test_the_rules_by_hand(rule, expected: tuple[float, float]) -> None:
    one = EnsembleScorer(members(a=(1.0, 5.0), b=(2.0, 5.0), c=(3.0, 5.0)), rule=rule, penalty=0.5)
    ((first, second),) = one.score([GROUP])
    assert isinstance(first, Reward)
    assert isinstance(second, Reward)
    assert (first.value, second.value) == pytest.approx(expected)
    assert first.heads == {"a": 1.0, "b": 2.0, "c": 3.0}


def test_a_member_that_gives_nothing_is_named() -> None:
    refuses = FunctionScorer(lambda _, answers: [Unscored("too long"), 1.0], name="b", fingerprint="b")
    broken = fixed("c", 1.0, math.nan)
    ((first, second),) = EnsembleScorer({"a": fixed("a", 1.0, 1.0), "b": refuses, "c": broken}).score([GROUP])
    assert first == Unscored("b: too long")
    assert isinstance(second, Unscored)
    assert second.reason.startswith("c: ")
    # A member that failed is a failed reward, wrong in an audit; one that could not read sets the answer aside.
    assert (first.not_finite, second.not_finite) == (False, True)


def test_scales_are_measured_within_prompts_and_do_not_depend_on_what_is_scored(tmp_path: Path) -> None:
    """Two prompts, answers of 1 and 3 characters, then 101 and 105: within them the variance is 1 and 4, (2 x 1 + 2 x
    4) / 2 degrees of freedom."""
    write_jsonl(
        tmp_path / "pairs.jsonl",
        [
            {"prompt": "one", "chosen": "a", "rejected": "b" * 3},
            {"prompt": "another", "chosen": "c" * 105, "rejected": "d" * 101},
        ],
    )
    scale = measured_scale("longest", baseline("longest"), tmp_path / "pairs.jsonl")
    assert scale.mean == pytest.approx(52.5)
    assert scale.sd == pytest.approx(math.sqrt(5))
    (tmp_path / "e.yaml").write_text(
        f"members: ['baseline:longest', 'baseline:random']\nscale_on: {tmp_path / 'pairs.jsonl'}\n"
    )
    one = open_scorer(f"ensemble:{tmp_path / 'e.yaml'}")
    assert "standardised on" in one.name
    more = Candidates(id="two", prompt="May I?", answers=("x" * 5000, "y"))
    assert one.score([GROUP])[0] == one.score([GROUP, more])[0]
    with pytest.raises(InputError, match="no different rewards"):
        measured_scale("constant", baseline("constant"), tmp_path / "pairs.jsonl")


def test_the_fingerprint_is_of_members_rule_penalty_and_scale(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "pairs.jsonl", [{"prompt": "one", "chosen": "a", "rejected": "bbb"}])
    a, b, c = fixed("a", 1.0), fixed("b", 1.0), fixed("b", 2.0)
    several = [
        EnsembleScorer({"a": a, "b": b}),
        EnsembleScorer({"a": a, "b": c}),
        EnsembleScorer({"a": a, "b": b}, rule="worst"),
        EnsembleScorer({"a": a, "b": b}, rule="uncertainty"),
        EnsembleScorer({"a": a, "b": b}, rule="uncertainty", penalty=2.0),
        EnsembleScorer({"a": a, "b": b}, scale_on=tmp_path / "pairs.jsonl"),
    ]
    assert len({one.fingerprint for one in several}) == len(several)
    assert EnsembleScorer({"a": a, "b": b}).fingerprint == several[0].fingerprint


def test_what_one_member_finds_wanting_comes_after_all_that_all_find_good(tmp_path: Path) -> None:
    """Lengths 2 and 4, and their negatives: means 3 and -3, spread within the prompt sqrt(2) for both members."""
    path = tmp_path / "pairs.jsonl"
    write_jsonl(path, [{"prompt": "one", "chosen": "aa", "rejected": "bbbb"}])
    three = Candidates(id="one", prompt="May I?", answers=("xx", "yyy", "zzzzzzz"))
    one = EnsembleScorer(
        {
            "long": baseline("longest"),
            "three": FunctionScorer(lambda _, a: [6 - len(t) for t in a], name="s", fingerprint="s"),
        },
        rule="good_with_all",
        threshold=-0.5,
        scale_on=path,
    )
    values = [result.value for result in one.score([three])[0] if isinstance(result, Reward)]
    # On scale: -1/s, 0, 4/s and 1/s, 0, -4/s with s = sqrt 2; -1/s is under -0.5, 0 is not, -4/s is.
    assert values == pytest.approx([-1 / math.sqrt(2), 0.0, -4 / math.sqrt(2)])
    assert max(values) == values[1]
    assert (
        one.fingerprint != EnsembleScorer(one.members, rule="good_with_all", threshold=0.1, scale_on=path).fingerprint
    )
    with pytest.raises(InputError, match="Name a file of pairs as scale_on"):
        EnsembleScorer(one.members, rule="good_with_all")
    (tmp_path / "e.yaml").write_text(
        f"members: ['baseline:longest', 'baseline:shortest']\nrule: good_with_all\nthreshold: 0.5\nscale_on: {path}\n"
    )
    assert open_scorer(f"ensemble:{tmp_path / 'e.yaml'}").name.startswith(
        "mean where all reach 0.5, else the least, of"
    )
    (tmp_path / "e.yaml").write_text("members: ['baseline:longest', 'baseline:shortest']\nthreshold: 0.5\n")
    with pytest.raises(InputError, match="the rule is mean"):
        open_scorer(f"ensemble:{tmp_path / 'e.yaml'}")


def test_it_opens_from_the_command_line_and_from_a_file(tmp_path: Path) -> None:
    one = open_scorer("ensemble:baseline:longest,baseline:shortest")
    assert one.score([GROUP])[0][0] == Reward(0.0, {"baseline:longest": 3.0, "baseline:shortest": -3.0})
    (tmp_path / "e.yaml").write_text("members: ['baseline:longest', 'baseline:shortest']\nrule: worst\n")
    ((first, _),) = open_scorer(f"ensemble:{tmp_path / 'e.yaml'}").score([GROUP])
    assert isinstance(first, Reward)
    assert first.value == -3.0


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("baseline:longest", "Name two scorers"),
        ("", "members"),
        ("baseline:longest,baseline:longest", "stands twice"),
        ("nowhere.yaml", "cannot be read"),
    ],
)
def test_what_is_no_ensemble_is_refused(argument: str, said: str) -> None:
    with pytest.raises((InputError, ConfigError), match=said):
        open_scorer(f"ensemble:{argument}")
