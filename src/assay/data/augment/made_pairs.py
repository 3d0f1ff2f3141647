"""Training pairs -> more training pairs, made of their own texts without a model.

1. Against verbosity: the chosen answer beside itself made longer and no better, which is rejected.
2. RRM's triples (Liu et al. 2024, 2409.13156): under a prompt, an answer that was given to it beside one that was given
   to another, which is rejected however good it is there; and two answers to other prompts, which are tied.
3. Against the confidently wrong answer (adversarial augmentation): the chosen answer, the same with other figures in it
and said without doubt, and "I don't know": the chosen one beats both, and to abstain beats to be wrong.
Every made pair has the prompt, the prompt group, the category and the weight of the pair it is made from, and says in
`source` what it is. Only training pairs may come in here, after the split. Knows texts and groups; knows no loss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from assay.data.augment.longer_and_worse import KINDS, Material
from assay.data.augment.wrong_facts import ABSTENTIONS, CERTAIN, without_doubt, wrong_facts
from assay.data.config import AugmentConfig
from assay.data.groups.overlap import OBJECTIVE
from assay.data.made_mark import made_kind, mark
from assay.data.objectives import objective_of
from assay.data.text_rules import alike, trimmed
from assay.records import Label, Pair, PairSide, Text, plain_text
from assay.stats.draws import stream

TRIES = 64  # draws of a pair with another prompt group before it is looked for one by one
TIE = "foreign_foreign"
# Of two answers under a prompt: which side of the pair itself, and which of a pair of another prompt.
OWN_AND_FOREIGN: Mapping[str, tuple[PairSide, PairSide]] = {
    "chosen_chosen": ("chosen", "chosen"),
    "chosen_rejected": ("chosen", "rejected"),
    "rejected_chosen": ("rejected", "chosen"),
    "rejected_rejected": ("rejected", "rejected"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Pairs that were made, the prompt group of each, and how many of each kind; wanted: how many were asked for."""

    pairs: list[Pair]
    groups: list[str]
    by_kind: Mapping[str, int]
    wanted: int


def made_pairs(pairs: Sequence[Pair], groups: Sequence[str], config: AugmentConfig, *, ties: bool) -> Made:
    """What `config` asks for, made from these training pairs; the same for the same pairs and seed.

    groups: the prompt group of each. ties: whether the loss learns from ties; without, none are made. Fewer are made
    than wanted where pairs allow no more: one prompt group has no foreign answers, an answer no second sentence.
    """
    sources = Sources(pairs, groups, config)
    kinds = [kind for kind in config.rrm_kinds if ties or kind != TIE]
    rounds: list[tuple[str, float, Sequence[str], Maker]] = [
        ("verbosity", config.verbosity, config.verbosity_kinds, sources.longer),
        ("rrm", config.rrm, kinds, sources.triple),
        ("confidently wrong", config.confidently_wrong, config.confidently_wrong_kinds, sources.wrong),
    ]
    found: list[tuple[int, Pair]] = []
    wanted = 0
    for name, share, some, maker in rounds:
        many = round(share * len(pairs))
        wanted += many
        found += _first(many, sources.drawn(name, some), maker)
    found.sort(key=lambda one: one[0])
    return Made(
        pairs=[pair for _, pair in found],
        groups=[groups[place] for place, _ in found],
        by_kind=dict(sorted(Counter(made_kind(pair) or "" for _, pair in found).items())),
        wanted=wanted,
    )


Maker = Callable[[int, str], Pair | None]


def _first(many: int, drawn: Iterator[tuple[int, str]], maker: Maker) -> list[tuple[int, Pair]]:
    """The first `many` pairs that could be made, with the place of the pair each was made from."""
    found: list[tuple[int, Pair]] = []
    while len(found) < many and (one := next(drawn, None)) is not None:
        made = maker(*one)
        if made is not None:
            found.append((one[0], made))
    return found


@dataclass(frozen=True, slots=True)
class Sources:
    """The pairs from which others are made. What is drawn for a pair depends on its id and the seed alone."""

    pairs: Sequence[Pair]
    groups: Sequence[str]
    config: AugmentConfig

    def drawn(self, name: str, kinds: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Every pair that was judged, with every kind, in an order drawn from the seed."""
        judged = [place for place, pair in enumerate(self.pairs) if pair.label == "chosen" and made_kind(pair) is None]
        if not kinds:
            return
        for number in stream(self.config.seed, f"augment {name}").permutation(len(judged) * len(kinds)):
            place, kind = divmod(int(number), len(kinds))
            yield judged[place], kinds[kind]

    def longer(self, place: int, kind: str) -> Pair | None:
        """The chosen answer beside itself made longer; None where that kind cannot be made of it."""
        pair = self.pairs[place]
        random = stream(self.config.seed, f"augment {kind} {pair.id}")
        other = self.foreign(place, f"longer {kind}")
        if kind == "foreign" and other is None:
            return None
        words = pair.chosen if isinstance(pair.chosen, str) else pair.chosen[-1].content
        material = Material(
            foreign="" if other is None else plain_text(other.chosen), growth=self.config.verbosity_growth
        )
        longer = KINDS[kind](words, material, random)
        if longer is None:
            return None
        rejected = _in_place(pair.chosen, longer)
        origins = (pair, other) if kind == "foreign" and other is not None else (pair,)
        return _made(pair, f"verbosity {kind}", (pair.chosen, rejected), origins)

    def wrong(self, place: int, kind: str) -> Pair | None:
        """Two of the chosen answer, its wrong twin and an abstention; None for answers without a figure or a date."""
        pair = self.pairs[place]
        # One draw a pair and not a kind: all kinds of a pair speak of the same wrong answer.
        random = stream(self.config.seed, f"augment wrong {pair.id}")
        words = pair.chosen if isinstance(pair.chosen, str) else pair.chosen[-1].content
        wrong = wrong_facts(words, plain_text(pair.prompt), random)
        if wrong is None:
            return None
        answers: Mapping[str, Text] = {
            "chosen": pair.chosen,
            "wrong": _in_place(pair.chosen, without_doubt(wrong, CERTAIN[int(random.integers(len(CERTAIN)))])),
            "abstention": _in_place(pair.chosen, ABSTENTIONS[int(random.integers(len(ABSTENTIONS)))]),
        }
        better, worse = kind.split("_")
        return _made(pair, f"confidently_wrong {kind}", (answers[better], answers[worse]), (pair,))

    def triple(self, place: int, kind: str) -> Pair | None:
        """One of RRM's pairs; None where all other pairs have the same prompt, or the two answers are the same."""
        pair, first = self.pairs[place], self.foreign(place, f"rrm {kind}")
        if first is None:
            return None
        if kind == TIE:
            second = self.foreign(place, f"rrm {kind} second", but=first)
            # Which sides they were on elsewhere does not matter here: one of each is the hardest to call equal.
            if second is None:
                return None
            return _made(pair, f"rrm {kind}", (first.chosen, second.rejected), (pair, first, second), label="tie")
        own, theirs = OWN_AND_FOREIGN[kind]
        return _made(pair, f"rrm {kind}", (getattr(pair, own), getattr(first, theirs)), (pair, first))

    def foreign(self, place: int, use: str, *, but: Pair | None = None) -> Pair | None:
        """A pair of another prompt group, and not `but`; None if there is none."""
        random = stream(self.config.seed, f"augment {use} {self.pairs[place].id}")
        for drawn in map(int, random.integers(len(self.pairs), size=TRIES)):
            if self.groups[drawn] != self.groups[place] and self.pairs[drawn] is not but:
                return self.pairs[drawn]
        # One group has nearly all pairs, or all: chance would take long to find the others.
        others = [
            pair
            for pair, group in zip(self.pairs, self.groups, strict=True)
            if group != self.groups[place] and pair is not but
        ]
        return others[int(random.integers(len(others)))] if others else None


def _in_place(answer: Text, words: str) -> Text:
    """The answer with other words; of a conversation, the last message has them."""
    return words if isinstance(answer, str) else (*answer[:-1], replace(answer[-1], content=words))


def _made(
    pair: Pair, kind: str, sides: tuple[Text, Text], origins: Sequence[Pair], *, label: Label = "chosen"
) -> Pair | None:
    """The pair with other answers and the mark of what it is; None if the two answers are the same."""
    if trimmed(sides[0]) == trimmed(sides[1]):
        return None
    prompt, chosen, rejected = alike(pair.prompt, *sides)
    return Pair(
        id=f"{pair.id}/{kind.replace(' ', '-')}",
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        label=label,
        category=pair.category,
        group=pair.group,
        weight=pair.weight,
        source={**mark(kind, *origins), **_objective(pair)},
        where=pair.where,
    )


def _objective(pair: Pair) -> dict[str, str]:
    """By what the pair is judged: a pair made of it is judged by the same."""
    named = objective_of(pair)
    return {} if named is None else {OBJECTIVE: named}
