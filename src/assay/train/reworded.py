"""Answers worded another way by rule, as rows beside a pair's own: what consistency of the reward is asked on.

The rules are the audit's probes that keep what is said (audits/probes/surface.py): one for each pair, drawn by seed,
the same in every epoch. Knows pairs, probes and the encoder; knows no loss.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.audits.probes.probed_pairs import changed_sides
from assay.data.latin_script import latin
from assay.errors import ConfigError
from assay.records import Pair, Text, plain_text
from assay.render.encoder import Encoded, Renderer
from assay.stats.draws import stream
from assay.train.pair_examples import Reworded


def reworded_rows(
    pairs: Sequence[Pair], renderer: Renderer, *, rules: Sequence[str], max_tokens: int, seed: int
) -> list[Reworded]:
    """One for each pair, in order. Raises ConfigError where no answer of any pair is changed by the rules."""
    texts: list[tuple[int, str, Text]] = []
    for number, pair in enumerate(pairs):
        texts += [(number, side, text) for side, text in _changed(pair, rules, seed).items()]
    rows = renderer.encode_many([(pairs[number].prompt, text) for number, _, text in texts])
    found = [dict[str, Encoded]() for _ in pairs]
    for (number, side, _), row in zip(texts, rows, strict=True):
        if len(row.ids) <= max_tokens:
            found[number][side] = row
    if pairs and not any(found):
        raise ConfigError(
            f"regularise.consistency: {', '.join(rules)} change no answer of these pairs within the token limit. Name "
            "other rules, or leave regularise.consistency out."
        )
    return [Reworded(**one) for one in found]


def _changed(pair: Pair, rules: Sequence[str], seed: int) -> dict[str, Text]:
    """The answers that the first rule, in an order drawn for this pair, changes."""
    if not (latin(plain_text(pair.chosen)) and latin(plain_text(pair.rejected))):
        return {}
    for place in stream(seed, f"consistency {pair.id}").permutation(len(rules)):
        sides = changed_sides(rules[place], pair, seed=seed)
        changed = {side: text for side, text in sides.items() if text != getattr(pair, side)}
        if changed:
            return changed
    return {}
