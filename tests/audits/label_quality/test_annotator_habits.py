"""How far one reader falls short of the others: a test that does not hide behind the spread it makes itself."""

import numpy as np
import pytest
from scipy import special

from assay.audits.label_quality.annotator_habits import ask
from assay.audits.label_quality.label_votes import LabelVotes


def three_readers(together: int, alone: int, torn: int) -> LabelVotes:
    """Reader 0 with two others a pair: all agree, reader 0 stands alone, the two others disagree."""
    says = [(0, 0, 0)] * together + [(1, 0, 0)] * alone + [(0, 0, 1)] * torn
    pairs = len(says)
    # Two readers of eight beside reader 0, in turn, so that nobody else is always with him.
    who = [(0, 1 + 2 * (pair % 4), 2 + 2 * (pair % 4)) for pair in range(pairs)]
    return LabelVotes(
        pair_V=np.repeat(np.arange(pairs), 3),
        says_V=np.array(says).ravel(),
        place_V=np.zeros(3 * pairs, dtype=np.intp),
        annotator_V=np.array(who).ravel(),
        names=tuple("abcdefghi"),
        pairs=pairs,
    )


def test_the_error_is_that_of_who_falls_short_by_what_is_tolerated():
    votes = three_readers(40, 40, 20)
    asked = ask(votes, np.ones(100), np.arange(100)).agreement
    # Own less beside: 0 where all agree, -1 alone, 1/2 - 0 where the others are torn. Mean (-40 + 10) / 100.
    assert asked.mean_A[0] == pytest.approx(-0.30)
    assert asked.square_A[0] == pytest.approx(0.45)  # (40 + 20 / 4) / 100
    assert asked.turn_A[0] == pytest.approx(1.0)  # from -1 to 0
    # 0.2 beyond the tolerated 0.1: were a fifth of the votes turned, squares of 0.25 around a mean of -0.1.
    eased = 0.45 - 0.20 - 0.01
    error = np.sqrt(eased / 99)
    assert asked.below(0.10)[0] == pytest.approx(float(special.stdtr(99, -0.20 / error)))
    assert asked.below(0.10)[0] < special.stdtr(99, -0.20 / asked.error_A[0])


def test_who_is_not_beyond_what_is_tolerated_keeps_his_own_error():
    votes = three_readers(60, 20, 20)
    asked = ask(votes, np.ones(100), np.arange(100)).agreement
    assert asked.mean_A[0] == pytest.approx(-0.10)
    assert asked.below(0.10)[0] == pytest.approx(0.5)
    assert asked.below(0.15)[0] == pytest.approx(float(special.stdtr(99, 0.05 / asked.error_A[0])))
