"""What every scorer is held against when it is called, and the one place where a number becomes no reward."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from assay.errors import InputError
from assay.records import Candidates
from assay.scorers.protocol import CHUNK, Reward, Scored, Unscored, score_groups, scored, unit_of


@dataclass
class Gives:
    """Gives these results, whatever it is asked."""

    results: list[tuple[Scored, ...]]
    name: str = "fixed"
    fingerprint: str = "1"

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        return self.results


GROUP = Candidates(id="g", prompt="p", answers=("a", "b"))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_a_number_that_is_not_finite_is_no_reward(value: float) -> None:
    found = scored(value)
    assert found == Unscored(f"the reward is not finite: {value}")
    assert found.not_finite
    assert scored(1.0, heads={"helpful": 2.0, "safe": value}) == found
    # Also where a scorer makes the Reward itself.
    ((_, results),) = score_groups(Gives([(Reward(value), Reward(1.0, heads={"safe": value}))]), [GROUP])
    assert results == (found, found)


def test_finite_numbers_are_rewards_as_they_are() -> None:
    assert scored(-1e300) == Reward(-1e300)
    rich = Reward(1.0, {"helpful": 2.0}, {"rationale": "short"})
    ((_, results),) = score_groups(Gives([(rich, Unscored("too long"))]), [GROUP])
    assert results == (rich, Unscored("too long"))
    assert not Unscored("too long").not_finite
    assert pickle.loads(pickle.dumps(rich)) == rich
    assert len({Reward(1.0), Reward(1.0), Unscored("x"), Unscored("x")}) == 2


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([], "fixed gave rewards for 0 of 1 groups"),
        ([(Reward(1),)], "fixed gave 1 rewards for the 2 candidates of g"),
        ([(Reward(1), 2.0)], r"fixed gave 2\.0 for an answer; a scorer gives Reward\(value\) or Unscored"),
    ],
)
def test_a_scorer_that_does_not_keep_its_promise_is_named(results: list[tuple[Scored, ...]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(score_groups(Gives(results), [GROUP]))


def test_groups_are_asked_for_in_chunks_and_in_order() -> None:
    asked: list[int] = []

    class Counts(Gives):
        def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
            asked.append(len(groups))
            return [(Reward(float(group.id)),) for group in groups]

    many = (Candidates(id=str(n), prompt="p", answers=("a",)) for n in range(CHUNK + 3))
    found = [(group.id, results[0]) for group, results in score_groups(Counts([]), many)]
    assert found == [(str(n), Reward(float(n))) for n in range(CHUNK + 3)]
    assert asked == [CHUNK, 3]
    assert unit_of(Counts([])) == "prompt"


def test_importing_scorers_and_commands_imports_no_torch() -> None:
    code = (
        "import sys, assay.scorers.open, assay.scorers.scores_file, assay.cli.models, assay.cli.score, assay.cli.audit;"
        "import assay.models.catalogue;"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
