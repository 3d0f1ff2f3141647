"""What the words of two answers tell of the label without the prompt: a bag of words, fitted out of fold.

1. Words of each answer, once each. 2. The difference of the two answers, weighted so that a pair counts as one however
many words it has. 3. A logistic fit on the prompt groups of the other folds says which answer it takes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain

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
_MARKS = [chr(code) for code in range(128) if re.fullmatch(r"[^\w\s]", chr(code))]
SPACED = str.maketrans(dict.fromkeys(_MARKS, " "))
MARKS = str.maketrans(dict.fromkeys({*map(chr, range(128))} - {*_MARKS}))  # takes out all that is no mark
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
    apart: list[tuple[set[str], set[str]]] = []
    for pair in pairs:
        chosen, rejected = _words(pair.chosen), _words(pair.rejected)
        apart.append((chosen - rejected, rejected - chosen))
    count = Counter(chain.from_iterable(chain.from_iterable(apart)))
    frequent = [(-often, word) for word, often in count.items() if often >= FEWEST]
    # Words of one frequency in order of the alphabet: sets have another order in every process, and so would sums.
    words = [word for _, word in sorted(frequent)[:MOST_WORDS]]
    place = {word: number for number, word in enumerate(words)}
    columns: list[int] = []
    signs: list[float] = []
    starts = [0]
    for only in apart:
        up, down = ([place[word] for word in side if word in place] for side in only)
        scale = (len(up) + len(down)) ** -0.5 if up or down else 0.0
        columns += up + down
        signs += [scale] * len(up) + [-scale] * len(down)
        starts.append(len(columns))
    shape = (len(pairs), len(words))
    difference = sparse.csr_array(
        (np.asarray(signs, dtype=np.float64), np.asarray(columns, dtype=np.int32), np.asarray(starts, dtype=np.int32)),
        shape=shape,
    )
    difference.sort_indices()
    return words, difference


def _words(text: Text) -> set[str]:
    start = plain_text(text)[:CHARACTERS].lower()
    if not start.isascii():
        return set(WORD.findall(start))
    # The same for ASCII without a pattern, three times as fast: marks become spaces, and each is a word of its own.
    return {*start.translate(SPACED).split(), *start.translate(MARKS)}


def _sample(n: int, *, seed: int) -> Codes:
    """Places of at most MOST_PAIRS pairs, in order."""
    if n <= MOST_PAIRS:
        return np.arange(n)
    return np.sort(stream(seed, "answers alone").choice(n, MOST_PAIRS, replace=False))
