"""Regularisers by hand and against references: text loss, consistency, correlations with their slopes, right angles."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from assay.errors import ConfigError
from assay.records import Pair, Vote
from assay.train.config import LossConfig
from assay.train.losses import regularisers
from assay.train.losses.preference import bradley_terry_losses, smooth, unflipped
from assay.train.losses.targets import pair_losses, target_of


def test_the_text_loss_is_what_grm_states() -> None:
    logprob = torch.tensor([-3.0, -40.0], requires_grad=True)
    found = regularisers.text_losses(logprob, beta=0.5)
    # -log(1 / (1 + e^1.5)) and -log(1 / (1 + e^20))
    assert found.tolist() == pytest.approx([math.log1p(math.exp(1.5)), math.log1p(math.exp(20.0))])
    found.sum().backward()
    assert logprob.grad is not None
    # d/dx -log sigmoid(b x) = -b (1 - sigmoid(b x))
    assert logprob.grad.tolist() == pytest.approx([-0.5 / (1 + math.exp(-1.5)), -0.5 / (1 + math.exp(-20.0))])


def test_the_correlation_is_pearsons_and_that_of_what_does_not_vary_is_none() -> None:
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 50, generator=draw)
    assert float(regularisers.correlation(x, y)) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-6)
    assert float(regularisers.correlation(torch.ones(5), torch.arange(5.0))) == 0.0
    penalty = regularisers.length_penalty(x, y, y)
    assert float(penalty) == pytest.approx(abs(stats.pearsonr(x, y).statistic) + 1 - 1, abs=1e-6)


def test_slopes_are_the_gradient_and_constant_rewards_have_finite_ones() -> None:
    draw = torch.Generator().manual_seed(1)
    quality, length, tokens = torch.randn(3, 20, generator=draw, dtype=torch.float32)
    found = regularisers.length_slopes(quality, length, tokens)
    step = 1e-3
    for number in (0, 7, 19):
        for which, slope in enumerate((found.quality_N, found.length_N)):
            moved = [quality.clone().double(), length.clone().double()]
            values = []
            for sign in (1, -1):
                at = [one.clone() for one in moved]
                at[which][number] += sign * step
                # in float64, by scipy: float32 differences would be all rounding
                q, r = (stats.pearsonr(one, tokens.double()).statistic for one in at)
                values.append(abs(q) + 1 - r)
            assert float(slope[number]) == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-4)
    flat = regularisers.length_slopes(torch.zeros(4), torch.zeros(4), torch.arange(4.0))
    assert torch.isfinite(flat.quality_N).all()
    assert torch.isfinite(flat.length_N).all()


def test_while_rewards_hardly_differ_their_slopes_are_as_small_as_they_are() -> None:
    draw = torch.Generator().manual_seed(2)
    quality, length, tokens = torch.randn(3, 30, generator=draw)
    quality, length = 3 * quality / quality.std(unbiased=False), length / length.std(unbiased=False)
    published = regularisers.length_slopes(quality, length, tokens)
    for scale in (1e-3, 0.1, 0.5, 5.0):
        eased = regularisers.length_slopes(scale * quality, scale * length, tokens, spread=2.0)
        assert float(eased.value) == pytest.approx(float(published.value), abs=1e-6)
        # The slope of a correlation is that at scale 1 over the scale; eased it does not grow as the scale shrinks.
        for ours, theirs, deviation in (
            (eased.quality_N, published.quality_N, 3.0), (eased.length_N, published.length_N, 1.0)
        ):  # fmt: skip
            expected = theirs / scale * min(1.0, scale * deviation / 2.0)
            torch.testing.assert_close(ours, expected, atol=1e-6, rtol=1e-4)
    same = regularisers.length_slopes(quality, length, tokens, spread=0.5)
    torch.testing.assert_close(same.quality_N, published.quality_N)
    flat = regularisers.length_slopes(torch.zeros(4), torch.zeros(4), torch.arange(4.0), spread=1.0)
    assert not flat.quality_N.any()
    assert not flat.length_N.any()


def test_orthogonality_is_the_cosine_and_does_not_pay_for_small_weights() -> None:
    one, other = torch.tensor([3.0, 4.0]), torch.tensor([4.0, 3.0])
    assert float(regularisers.orthogonality(one, other)) == pytest.approx(24 / 25)
    assert float(regularisers.orthogonality(one, -other / 1000)) == pytest.approx(24 / 25)
    assert float(regularisers.orthogonality(one, torch.tensor([-4.0, 3.0]))) == pytest.approx(0.0)


def test_the_correction_undoes_flips_in_the_mean_and_is_rdpo() -> None:
    margin = torch.tensor([2.0, -0.5, 0.0])
    share = 0.2
    clean = bradley_terry_losses(margin)
    turned = bradley_terry_losses(-margin)
    corrected = bradley_terry_losses(margin, target_B=unflipped(torch.ones(3), share))
    assert corrected.tolist() == pytest.approx((((1 - share) * clean - share * turned) / (1 - 2 * share)).tolist())
    of_flipped = bradley_terry_losses(margin, target_B=unflipped(torch.zeros(3), share))
    assert ((1 - share) * corrected + share * of_flipped).tolist() == pytest.approx(clean.tolist(), abs=1e-6)
    target = torch.tensor([[0.7, 0.2, 0.1]])
    assert unflipped(smooth(target, share), share)[0].tolist() == pytest.approx(target[0].tolist())
    with pytest.raises(ConfigError, match=r"at 0\.5 or above"):
        unflipped(torch.ones(1), 0.5)


@pytest.mark.parametrize("kind", ["bradley_terry", "rao_kupper"])
def test_pairs_are_corrected_under_either_loss(kind: str) -> None:
    votes = tuple(Vote(choice=one) for one in ("chosen", "chosen", "tie", "rejected"))
    pair = Pair(id="a", prompt="Hi", chosen="x", rejected="y", votes=votes)
    options = {"kind": kind, "targets": "votes", "centring": 0.0}
    plain, noisy = LossConfig.build(options), LossConfig.build({**options, "flip_share": 0.1})
    target = target_of(pair, plain)
    one, other = torch.tensor([1.3]), torch.tensor([0.2])
    straight = pair_losses(one, other, [target], plain)
    turned = pair_losses(other, one, [target], plain)
    found = pair_losses(one, other, [target], noisy)
    assert float(found) == pytest.approx(float((0.9 * straight - 0.1 * turned) / 0.8), abs=1e-6)


def test_correcting_for_flips_and_learning_from_them_do_not_go_together() -> None:
    with pytest.raises(ConfigError, match="take one of them"):
        LossConfig.build({"flip_share": 0.1, "label_smoothing": 0.1})
    assert "flip_share" not in LossConfig().model_dump()
    assert LossConfig(flip_share=0.1).model_dump()["flip_share"] == 0.1
