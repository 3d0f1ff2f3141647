"""What answers alone tell: words that give the label away are found out of fold, and noise is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assay.audits.prompt_use.answer_only import word_differences
from assay.records import Pair
from assay.stats.sparse_logistic import fit_differences, out_of_fold
from tests.audits.planted import audited, healthy, make_pairs
from tests.audits.written import written_pairs


def test_rows_hold_the_words_that_tell_apart_at_length_one() -> None:
    pairs = [Pair(id=str(i), prompt="q", chosen="Yes it works.", rejected="No it works.") for i in range(3)]
    words, difference = word_differences(pairs)
    assert set(words) == {"yes", "no"}  # "it" and "works" are in both
    row = dict(zip(words, difference.toarray()[0], strict=True))
    assert row == {"yes": 2**-0.5, "no": -(2**-0.5)}


def test_answers_that_tell_and_answers_that_do_not() -> None:
    pairs = written_pairs(300, label_noise=0.0)
    scores = healthy(pairs)
    told = [replace(pair, chosen=f"{pair.chosen} Certainly.") for pair in pairs]
    assert audited(scores, told).find("answer_only_accuracy").value > 0.95
    silent = audited(scores, pairs).find("answer_only_accuracy")
    assert silent.bounds.low < 0.5 < silent.bounds.high


def test_memory_of_a_prompt_does_not_help() -> None:
    """Every prompt has its own word in the good answer, three times: known within a prompt, useless beyond it."""
    pairs = [
        Pair(id=str(i), prompt=f"ask {i // 4}", chosen=f"word{i // 4} fine", rejected=f"fine {i}") for i in range(160)
    ]
    found = audited(healthy(pairs), pairs).find("answer_only_accuracy")
    assert found.value == 0.5


def test_too_few_prompts_are_said() -> None:
    pairs = make_pairs(10)
    assert "too few" in audited(healthy(pairs), pairs).find("answer_only_accuracy").reason


def test_the_sparse_fit_is_at_its_maximum() -> None:
    from scipy import sparse

    rng = np.random.default_rng(0)
    design = sparse.csr_array(rng.normal(size=(200, 4)) + 0.3)
    weights = fit_differences(design, ridge=2.0)
    lost = 1 / (1 + np.exp(design @ weights))
    assert np.abs(design.T @ lost - 2.0 * weights).max() < 1e-2
    logit = out_of_fold(design, np.arange(200).astype(str), folds=5, seed=1)
    assert logit.shape == (200,)
    assert (logit != design @ weights).all()  # no row is read by a fit that saw it
