"""Which pairs each probe is tried on, and what their answers then say. Texts in, texts out; nothing is scored here.

The rules are English and know Latin script: pairs in others are passed over and counted, never changed wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assay.audits.config import ProbeConfig
from assay.audits.probes.additions import Beside
from assay.audits.probes.all_probes import PROBES
from assay.audits.prompt_use.partners import NOBODY, partners
from assay.data.latin_script import latin
from assay.records import NO_CATEGORY, Message, Pair, Text, plain_text
from assay.stats.draws import stream
from assay.stats.intervals import Codes, Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """pairs: those the probe changes. texts: what the answers then say, by side, one a pair. unchanged: the others."""

    pairs: tuple[Pair, ...]
    texts: Mapping[str, tuple[Text, ...]]
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """places: of the pairs drawn. skipped: how many were passed over for their script."""

    places: tuple[int, ...]
    skipped: int


def draw(pairs: Sequence[Pair], config: ProbeConfig) -> Drawn:
    """Up to config.pairs pairs whose answers the rules fit, in an order drawn by seed."""
    found: list[int] = []
    skipped = 0
    for place in stream(config.seed, "probes").permutation(len(pairs)):
        if len(found) == config.pairs:
            break
        pair = pairs[place]
        if latin(plain_text(pair.chosen)) and latin(plain_text(pair.rejected)):
            found.append(int(place))
        else:
            skipped += 1
    return Drawn(places=tuple(sorted(found)), skipped=skipped)


def changed_pairs(
    pairs: Sequence[Pair], groups: Names, drawn: Drawn, names: Sequence[str], *, seed: int
) -> dict[str, Changed]:
    """What each named probe makes of the pairs drawn."""
    categories = [pair.category or NO_CATEGORY for pair in pairs]
    partner = partners(groups, categories, seed=seed)
    return {name: _changed(name, pairs, partner, drawn, seed) for name in names if name in PROBES}


def _changed(name: str, pairs: Sequence[Pair], partner: Codes, drawn: Drawn, seed: int) -> Changed:
    probe = PROBES[name]
    kept: list[Pair] = []
    texts: dict[str, list[Text]] = {side: [] for side in probe.sides}
    for place in drawn.places:
        pair = pairs[place]
        other = None if partner[place] == NOBODY else plain_text(pairs[partner[place]].chosen)
        sides = changed_sides(name, pair, other, seed=seed)
        # One side that changes is a change; none is none, as where there is no list to turn round.
        if all(text == getattr(pair, side) for side, text in sides.items()):
            continue
        kept.append(pair)
        for side, text in sides.items():
            texts[side].append(text)
    return Changed(
        pairs=tuple(kept),
        texts={side: tuple(several) for side, several in texts.items()},
        unchanged=len(drawn.places) - len(kept),
    )


def changed_sides(name: str, pair: Pair, other: str | None = None, *, seed: int) -> dict[str, Text]:
    """What a probe makes of the answers it changes, by side. other: an answer to another prompt, for some."""
    probe = PROBES[name]
    beside = Beside(prompt=_last_said(pair.prompt), other=other)
    if probe.rival is not None:
        return _two_of_one(name, pair, beside, seed)
    found: dict[str, Text] = {}
    for side in probe.sides:
        answer: Text = getattr(pair, side)
        random = stream(seed, f"probe {name} {pair.id} {side}")
        found[side] = _with_words(answer, probe.rule(_last_said(answer), beside, random))
    return found


def _two_of_one(name: str, pair: Pair, beside: Beside, seed: int) -> dict[str, Text]:
    """The changed answer as chosen, its rival as rejected; the pair's own where there is nothing to change."""
    probe, said = PROBES[name], _last_said(pair.chosen)
    assert probe.rival is not None
    changed = probe.rule(said, beside, stream(seed, f"probe {name} {pair.id} chosen"))
    if changed == said:
        return {"chosen": pair.chosen, "rejected": pair.rejected}
    rival = probe.rival(said, beside, stream(seed, f"probe {name} {pair.id} rejected"))
    return {"chosen": _with_words(pair.chosen, changed), "rejected": _with_words(pair.chosen, rival)}


def _last_said(text: Text) -> str:
    return text if isinstance(text, str) else (text[-1].content if text else "")


def _with_words(text: Text, words: str) -> Text:
    """The text with other words; of a conversation, the last message has them."""
    if isinstance(text, str) or not text:
        return words
    last: Message = replace(text[-1], content=words)
    return (*text[:-1], last)
