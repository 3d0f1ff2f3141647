"""A scorer with length and style taken out of its reward together: the linear kind of `corrected:FILE.yaml`.

1) Each term's partial effect on the margin is fitted, all others held, as the audit's part on style does.
2) `take: all` takes these effects off. `take: overuse` takes of each the share that people's choices do not back:
   P(chosen) = sigmoid(s margin - sum of a x what the term moves the margin by), a / s held within 0 and 1, so that no
   term is ever given more weight than it had. A reward that likes length as people do loses nothing.
3) Fits are made five times, each without a fifth of the prompts; a prompt belongs to a fifth by its own text. So the
   pairs it was fitted on may be scored without having been seen, and a reward never depends on what is scored beside.

Knows pairs and margins; knows no model. Shapes: N pairs, A answers, F terms, K families, V folds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from assay.artifacts.files import sha256_json
from assay.config import StageConfig
from assay.data.text_ids import encoded
from assay.errors import InputError
from assay.records import Candidates, Pair, Text, plain_text
from assay.scorers.answer_style import first_word, frequent_openings
from assay.scorers.made_of import MadeOf
from assay.scorers.protocol import Reward, Scored, Scorer, score_groups, scored
from assay.scorers.scored_pairs import score_pairs
from assay.scorers.style_terms import family, term_values, terms_of
from assay.stats.intervals import Array, Codes
from assay.stats.logistic import fit_logistic
from assay.stats.multiplicity import holm
from assay.stats.partial_effects import Effects, columns_that_add, effects_on_people, least_squares
from assay.stats.unknown import Unknown

FOLDS = 5
FEWEST, A_TERM = 60, 10  # pairs, in all and for each term: a line through fewer is a guess
ALL_OF_IT = 0.99  # of the squared margins: beyond it nothing but style is in the reward
ALIKE = 0.9  # R squared of a term on those of other families, from which on their effects are shared out by luck
SHARE_RIDGE = 1e-4
SURE = 0.05  # p by Holm, from which on people are said to follow a term
Take = Literal["overuse", "all"]


class Term(StageConfig):
    """What is taken off for one side of length or style. Effects are of a usual difference, in the reward's unit."""

    term: str = Field(description="headers, relative length, ...")
    size: float = Field(gt=0, description="a usual difference between two answers: root mean square")
    seen: tuple[float, float] = Field(description="least and most of an answer; beyond them it counts as there")
    reward: float = Field(description="what such a difference moves the margin by, all others held")
    people: float | None = Field(None, description="what it moves people's log odds by, all others held")
    share: float = Field(ge=0, le=1, description="of the reward's effect that is taken out, mean of the fits")
    taken: list[float] = Field(min_length=1, description="what is taken off, by each fit")


class JointCorrection(StageConfig):
    """A file of `corrected:FILE.yaml` that takes out several terms together."""

    scorer: str = Field(description="the scorer that is corrected, as on the command line")
    attributes: list[str] = Field(min_length=1, description="what is taken out, as it was named")
    take: Take = Field("overuse", description="overuse: what people's choices do not back; all: the whole effect")
    terms: list[Term] = Field(min_length=1, description="one an attribute, two for length")
    fitted_on: str | None = Field(None, description="what it was fitted on, for the record")
    pairs: int | None = Field(None, description="pairs it was fitted on")
    notes: list[str] = Field(default_factory=list, description="what to know before it is used")

    @model_validator(mode="after")
    def _has_as_many_fits_everywhere(self) -> JointCorrection:
        if len({len(one.taken) for one in self.terms}) > 1:
            raise ValueError("taken is a list of one length for every term: what each fit found")
        return self


class JointlyCorrectedScorer(MadeOf):
    """`scorer` less the terms of `correction`; the reward as it was stands in `heads`."""

    def __init__(self, scorer: Scorer, correction: JointCorrection) -> None:
        self.scorer, self.correction = scorer, correction
        self._names = [one.term for one in correction.terms]
        self._low, self._high = np.array([one.seen for one in correction.terms]).T
        self._slopes_VF = np.array([one.taken for one in correction.terms]).T / [one.size for one in correction.terms]

    @property
    def name(self) -> str:
        what = "over-use of " if self.correction.take == "overuse" else ""
        return f"{self.scorer.name} without {what}{', '.join(self.correction.attributes)}"

    @property
    def parts(self) -> Mapping[str, Scorer]:
        return {self.scorer.name: self.scorer}

    @cached_property
    def fingerprint(self) -> str:
        terms = [{"term": one.term, "size": one.size, "seen": one.seen, "taken": one.taken}
                 for one in self.correction.terms]  # fmt: skip
        return sha256_json({"scorer": self.scorer.fingerprint, "terms": terms})

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        return [self._less(group, results) for group, results in score_groups(self.scorer, groups)]

    def _less(self, group: Candidates, results: Sequence[Scored]) -> tuple[Scored, ...]:
        values = term_values([plain_text(answer) for answer in group.answers], self._names)
        slopes = self._slopes_VF[fold_of(group.prompt, len(self._slopes_VF))]
        taken_A = np.clip(values, self._low, self._high) @ slopes
        return tuple(
            scored(result.value - float(taken), heads={"uncorrected": result.value}, detail=result.detail)
            if isinstance(result, Reward)
            else result
            for result, taken in zip(results, taken_A, strict=True)
        )


def fold_of(prompt: Text, folds: int = FOLDS) -> int:
    """The fit that never saw this prompt, told by its text alone."""
    return int.from_bytes(blake2b(encoded(prompt), digest_size=8).digest(), "big") % folds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Pairs with a margin. values: terms of (chosen, rejected), (2, N, F); prompts: by number."""

    terms: list[str]
    values: Array
    margin: Array
    prompts: Codes
    folds: Codes

    @property
    def differences(self) -> Array:
        return np.asarray(self.values[0] - self.values[1])

    def only(self, columns: Sequence[int]) -> _Known:
        return _Known(
            terms=[self.terms[at] for at in columns],
            values=self.values[:, :, columns],
            margin=self.margin,
            prompts=self.prompts,
            folds=self.folds,
        )


def fit_joint_correction(
    scorer: Scorer,
    pairs: Sequence[Pair],
    *,
    named: str,
    attributes: Sequence[str],
    take: Take = "overuse",
    fitted_on: str | None = None,
) -> JointCorrection:
    """Partial effects of length and style on a scorer's margins, and what of them is to be taken out.

    named: the scorer as the command line names it. attributes: of `style_terms.NAMED`. Pairs without two rewards are
    left out. Raises InputError for too few pairs, terms in which no pair differs, a reward that is nothing but style,
    and, for `overuse`, one that does not foretell these choices, so that its scale is unknown.
    """
    known, notes = _that_vary(_known(scorer, pairs, attributes))
    size_F = np.sqrt(np.square(known.differences).mean(axis=0))
    x_NF = known.differences / size_F
    spread = float(np.sqrt(np.square(known.margin).mean()))
    m_N = known.margin / spread
    effect_F = least_squares(x_NF, m_N)
    left = float(np.square(m_N - x_NF @ effect_F).mean())
    if left < 1 - ALL_OF_IT:
        raise InputError(
            f"{', '.join(attributes)} foretell {1 - left:.1%} of this reward's margins: without them nothing is left "
            "to score by. Take out less."
        )
    shares, taken = [], []
    for fold in range(FOLDS):
        seen = known.folds != fold
        slopes = least_squares(x_NF[seen], m_N[seen])
        share = np.ones(len(slopes)) if take == "all" else _unbacked(x_NF[seen], m_N[seen], slopes, known.terms)
        shares.append(share)
        taken.append(share * slopes * spread)
    people = effects_on_people(x_NF, known.prompts)
    notes += _alike(known.terms, x_NF)
    if not isinstance(people, Unknown):
        notes += _followed(known.terms, people, take)
    low_F, high_F = known.values.min(axis=(0, 1)), known.values.max(axis=(0, 1))
    terms = [
        Term(
            term=term, size=float(size_F[at]), seen=(float(low_F[at]), float(high_F[at])),
            reward=float(effect_F[at]) * spread,
            people=None if isinstance(people, Unknown) else float(people.value[at]),
            share=float(np.mean([share[at] for share in shares])), taken=[float(one[at]) for one in taken],
        )
        for at, term in enumerate(known.terms)
    ]  # fmt: skip
    return JointCorrection(
        scorer=named, attributes=list(attributes), take=take, terms=terms, fitted_on=fitted_on,
        pairs=known.margin.size, notes=notes,
    )  # fmt: skip


def _known(scorer: Scorer, pairs: Sequence[Pair], attributes: Sequence[str]) -> _Known:
    both = [(pair, found.margin) for pair, found in zip(pairs, score_pairs(scorer, pairs), strict=True)
            if pair.label == "chosen"]  # fmt: skip
    used = [(pair, margin) for pair, margin in both if margin is not None]
    sides = [[plain_text(pair.chosen) for pair, _ in used], [plain_text(pair.rejected) for pair, _ in used]]
    openings = frequent_openings([first_word(text) for side in sides for text in side])
    terms = terms_of(attributes, openings)
    if len(used) < max(FEWEST, A_TERM * len(terms)):
        raise InputError(
            f"{len(used)} pairs with two rewards are too few to take out {len(terms)} terms together (at least "
            f"{max(FEWEST, A_TERM * len(terms))}). Give more pairs, or name fewer attributes."
        )
    prompts: dict[Text, int] = {}
    return _Known(
        terms=terms,
        values=np.stack([term_values(side, terms) for side in sides]),
        margin=np.array([margin for _, margin in used]),
        prompts=np.array([prompts.setdefault(pair.prompt, len(prompts)) for pair, _ in used], dtype=np.intp),
        folds=np.array([fold_of(pair.prompt) for pair, _ in used], dtype=np.intp),
    )


def _that_vary(known: _Known) -> tuple[_Known, list[str]]:
    """Without terms in which hardly a pair differs: in one of the fits there might be none."""
    if not (known.margin != 0).any():
        raise InputError("The reward is the same for both answers of every pair, so nothing can be taken out of it.")
    counts = (known.differences != 0).sum(axis=0)
    kept = [at for at, count in enumerate(counts) if count >= A_TERM]
    if not kept:
        raise InputError(f"Hardly a pair differs in {', '.join(known.terms)}, so nothing of it can be taken out.")
    rare = [term for at, term in enumerate(known.terms) if at not in kept]
    known = known.only(kept)
    # Two that repeat each other have no effects of their own; the first stands for both, as in the audit.
    adding = columns_that_add(known.differences)
    same = [term for at, term in enumerate(known.terms) if at not in adding]
    notes = [f"left in, since fewer than {A_TERM} pairs differ in them: {', '.join(rare)}"] if rare else []
    notes += [f"taken out with the others, which tell it exactly: {', '.join(same)}"] if same else []
    return known.only(adding), notes


def _unbacked(x_NF: Array, margin_N: Array, slopes_F: Array, terms: Sequence[str]) -> Array:
    """Of each term's effect on the margin, the share within 0 and 1 that these choices do not back; (F,)."""
    families = list(dict.fromkeys(map(family, terms)))
    member_FK = np.array([[family(term) == one for one in families] for term in terms], dtype=np.float64)
    moved_NK = (x_NF * slopes_F) @ member_FK
    size_K = np.sqrt(np.square(moved_NK).mean(axis=0))
    size_K = np.where(size_K > 0, size_K, 1.0)
    design = np.column_stack([margin_N, -moved_NK / size_K])
    fit = fit_logistic(design, np.ones(margin_N.size), ridge=SHARE_RIDGE)
    # Style beyond s explains the rest of people's choices; without an s there is no scale to tell "beyond" on.
    if isinstance(fit, Unknown) or fit.coefficients[0] <= 0:
        raise InputError(
            "Beside length and style this reward does not foretell these choices, so what it pays beyond people's "
            "taste is unknown. --take all takes out the whole effect."
        )
    return np.asarray(member_FK @ np.clip(fit.coefficients[1:] / size_K / fit.coefficients[0], 0.0, 1.0))


def _alike(terms: Sequence[str], x_NF: Array) -> list[str]:
    """Terms that those of other families tell together: what each is said to do is then shared out by luck."""
    told = []
    for at, term in enumerate(terms):
        others = [place for place, other in enumerate(terms) if family(other) != family(term)]
        if others:
            left = x_NF[:, at] - x_NF[:, others] @ least_squares(x_NF[:, others], x_NF[:, at])
            told += [term] if float(np.square(left).mean()) < 1 - ALIKE else []
    why = "nearly told by the other terms: how an effect is shared out among them is luck, only the sum means something"
    return [f"{', '.join(told)}: {why}"] if told else []


def _followed(terms: Sequence[str], people: Effects, take: Take) -> list[str]:
    """That people's own choices follow some terms, and what the correction does with that part."""
    places: dict[str, list[int]] = {}
    for at, term in enumerate(terms):
        places.setdefault(family(term), []).append(at)
    sure = holm(np.array([people.p_together(some) for some in places.values()])) < SURE
    named = [f"{one} ({'more' if people.value[places[one]].sum() > 0 else 'less'})"
             for one, certain in zip(places, sure, strict=True) if certain]  # fmt: skip
    if not named:
        return []
    done = "that part is left in; if it is a fault of the labels, --take all takes it out as well"
    if take == "all":
        done = "--take all takes out that part too, and accuracy on such labels falls; --take overuse leaves it in"
    return [f"people's choices follow {', '.join(named)}, all others held: {done}"]


def shown(found: JointCorrection) -> Iterable[tuple[str, str, str, str]]:
    """A row a term for people: name, what the reward pays, what people do, what is taken out of it."""
    yield "for a usual difference in", "the reward pays", "people's log odds", "taken out"
    for one in sorted(found.terms, key=lambda term: -abs(term.reward)):
        people = "-" if one.people is None else f"{one.people:+.2f}"
        yield one.term, f"{one.reward:+.3g}", people, f"{one.share:.0%}"
