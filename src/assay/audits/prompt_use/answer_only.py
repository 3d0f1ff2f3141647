"""What the words of two answers tell of the label without the prompt: a bag of words, fitted out of fold.

1. Words of each answer, once each. 2. The difference of the two answers, weighted so that a pair counts as one however
many words it has. 3. A logistic fit on the prompt groups of the other folds says which answer it takes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from assay.audits.part import Found, Given
from assay.audits.prompt_use.prompt_meanings import ANSWER_ONLY
from assay.findings.finding import measured, unknown
from assay.records import Pair, Text, plain_text
from assay.stats.draws import stream
from assay.stats.intervals import Codes, cluster_wilson
from assay.stats.sparse_logistic import out_of_fold

WORD = re.compile(r"\w+|[^\w\s]")
CHARACTERS = 4_000  # of an answer that are read: its words repeat, and a book costs as much as ten answers
FEWEST = 3  # pairs a word must tell apart, or it is a name
MOST_WORDS, MOST_PAIRS = 20_000, 8_000
FEWEST_GROUPS = 10


def answer_only(given: Given) -> Found:
    """`answer_only_accuracy`, out of fold; ties of the rule count half, since a coin would do as well."""
    aligned = given.aligned
    places = _sample(aligned.n, seed=given.config.seed)
    groups = aligned.groups[places]
    if len(set(groups.tolist())) < FEWEST_GROUPS:
        reason = f"{len(set(groups.tolist()))} prompt groups are too few to fit words on some and read them on others"
        return Found(findings=[unknown(ANSWER_ONLY, f"{reason} ({FEWEST_GROUPS} at least)", n=len(places))])
    words, difference = word_differences([aligned.pairs[place] for place in places])
    if not words:
        return Found(findings=[unknown(ANSWER_ONLY, "no word tells answers of several pairs apart", n=len(places))])
    logit = out_of_fold(difference, groups, seed=given.config.seed)
    values = 0.5 + 0.5 * np.sign(logit)
    detail = {"words": len(words), "pairs_of": aligned.n, "clusters": len(set(groups.tolist()))}
    interval = cluster_wilson(values, groups, level=given.config.level)
    return Found(
        findings=[measured(ANSWER_ONLY, float(values.mean()), n=len(places), interval=interval, detail=detail)]
    )


def word_differences(pairs: Sequence[Pair]) -> tuple[list[str], sparse.csr_array]:
    """The words that tell answers apart, and for each pair +1 where only chosen has one, -1 where only rejected has.

    Rows have length 1, or 0 where no such word is left; (N, K).
    """
    apart = [_apart(pair) for pair in pairs]
    count = Counter(word for only in apart for word in only)
    words = [word for word, often in count.most_common(MOST_WORDS) if often >= FEWEST]
    place = {word: number for number, word in enumerate(words)}
    rows, columns, signs = [], [], []
    for row, only in enumerate(apart):
        kept = [(place[word], sign) for word, sign in only.items() if word in place]
        scale = len(kept) ** -0.5 if kept else 0.0
        rows += [row] * len(kept)
        columns += [column for column, _ in kept]
        signs += [sign * scale for _, sign in kept]
    shape = (len(pairs), len(words))
    return words, sparse.csr_array((np.asarray(signs, dtype=np.float64), (rows, columns)), shape=shape)


def _apart(pair: Pair) -> dict[str, float]:
    chosen, rejected = _words(pair.chosen), _words(pair.rejected)
    return dict.fromkeys(chosen - rejected, 1.0) | dict.fromkeys(rejected - chosen, -1.0)


def _words(text: Text) -> set[str]:
    return set(WORD.findall(plain_text(text)[:CHARACTERS].lower()))


def _sample(n: int, *, seed: int) -> Codes:
    """Places of at most MOST_PAIRS pairs, in order."""
    if n <= MOST_PAIRS:
        return np.arange(n)
    return np.sort(stream(seed, "answers alone").choice(n, MOST_PAIRS, replace=False))
