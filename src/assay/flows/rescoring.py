"""From an audit's pairs and its scorers to rewards of changed answers and of answers under other prompts.

1. What is to be scored is written down: partners' prompts, changed answers. 2. Each scorer is asked, every prompt once,
nothing twice, going on where an interrupted audit stopped. 3. Rewards are laid out beside the pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.audits.config import ProbeConfig
from assay.audits.probes.all_probes import PROMPT_SWAP, probe_names
from assay.audits.probes.probed_pairs import Changed, Drawn, changed_pairs, draw
from assay.audits.prompt_use.partners import NOBODY, partners
from assay.audits.rescored import Probed, Rescored, Swapped
from assay.records import NO_CATEGORY, Pair, Text, plain_text
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Reward, Scored, Scorer, unit_of
from assay.scorers.rescoring import rescore
from assay.scorers.reward_store import RewardStore, Row
from assay.stats.intervals import Array, Codes

STORE = "rescored.jsonl"
Rewards = Mapping[Row, Scored]
Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be scored. partner: place of each pair's partner, or None where no prompts are exchanged."""

    pairs: Sequence[Pair]
    partner: Codes | None
    drawn: Drawn
    changed: Mapping[str, Changed]

    @property
    def matched(self) -> list[int]:
        return [] if self.partner is None else np.flatnonzero(self.partner != NOBODY).tolist()

    def rows(self) -> list[Row]:
        """Every prompt and answer, those of one prompt not yet together."""
        found: list[Row] = []
        for place in self.matched:
            prompt, pair = self.other_prompt(place), self.pairs[place]
            found += [(prompt, pair.chosen), (prompt, pair.rejected)]
        for one in self.changed.values():
            for texts in one.texts.values():
                found += [(pair.prompt, text) for pair, text in zip(one.pairs, texts, strict=True)]
        return found

    def other_prompt(self, place: int) -> Text:
        assert self.partner is not None
        return self.pairs[int(self.partner[place])].prompt


def ask(pairs: Sequence[Pair], groups: Sequence[str], config: ProbeConfig) -> Asked:
    """What the options ask for, of pairs with a definite label. Raises ConfigError for a probe there is not."""
    names = probe_names(config.names)
    categories = [pair.category or NO_CATEGORY for pair in pairs]
    swap = PROMPT_SWAP in names
    drawn = draw(pairs, config) if set(names) - {PROMPT_SWAP} else Drawn(places=(), skipped=0)
    return Asked(
        pairs=pairs,
        partner=partners(groups, categories, seed=config.seed, most=config.swapped) if swap else None,
        drawn=drawn,
        changed=changed_pairs(pairs, groups, drawn, names, seed=config.seed),
    )


def rescored(
    scorers: Mapping[int, Scorer],
    pairs: Sequence[Pair],
    groups: Sequence[str],
    *,
    config: ProbeConfig,
    folder: Path | None = None,
    notify: Notify = lambda _line: None,
) -> Rescored | None:
    """What the options ask for, scored by every seed's scorer; None where they ask for nothing.

    pairs: with a definite label; groups: their prompt groups. folder: where rewards are kept (rescored.jsonl), so that
    an interrupted audit goes on. notify: gets a line on what it costs before anything is scored, and lines on how far
    it is. A scorer whose rewards hold within one pair only says why not in what it gives back.
    """
    names = probe_names(config.names)
    if not names:
        return None
    paired = next((scorer for scorer in scorers.values() if unit_of(scorer) == "pair"), None)
    if paired is not None:
        why = (
            f"{paired.name} has rewards of these pairs only, so changed answers and other prompts cannot be scored. "
            "Audit the scorer itself"
        )
        return Rescored(asked=names, why_not=why)
    asked = ask(pairs, groups, config)
    rows = asked.rows()
    distinct = len(set(rows))
    several = f" by each of {len(scorers)} seeds" if len(scorers) > 1 else ""
    notify(
        f"probes: {distinct:,} changed or exchanged answers to score{several}, beside {2 * len(pairs):,} of the audit"
    )
    found: dict[int, Rewards] = {}
    for seed, scorer in scorers.items():
        store = RewardStore(None if folder is None else folder / STORE, scorer.fingerprint)
        found[seed] = rescore(
            scorer, rows, store, notify=lambda done, all_: notify(f"probes: {done:,} of {all_:,} answers scored")
        )
        # Seeds are models of one size: all of them at once need several times the memory that trained each.
        if len(scorers) > 1 and isinstance(scorer, LocalScorer):
            scorer.forget()
    by_seed = [found[seed] for seed in sorted(found)]
    return Rescored(
        swapped=_swapped(asked, by_seed),
        probes={name: _probed(one, by_seed) for name, one in asked.changed.items()},
        asked=names,
        skipped=asked.drawn.skipped,
    )


def _swapped(asked: Asked, by_seed: Sequence[Rewards]) -> Swapped | None:
    if asked.partner is None:
        return None
    places = asked.matched
    sides = {
        side: _numbers([(asked.other_prompt(place), getattr(asked.pairs[place], side)) for place in places], by_seed)
        for side in ("chosen", "rejected")
    }
    return Swapped(
        pair_ids=tuple(asked.pairs[place].id for place in places),
        partners=tuple(asked.pairs[asked.partner[place]].id for place in places),
        chosen=sides["chosen"],
        rejected=sides["rejected"],
        unmatched=len(asked.pairs) - len(places),
    )


def _probed(changed: Changed, by_seed: Sequence[Rewards]) -> Probed:
    return Probed(
        pair_ids=tuple(pair.id for pair in changed.pairs),
        changed={
            side: _numbers([(pair.prompt, text) for pair, text in zip(changed.pairs, texts, strict=True)], by_seed)
            for side, texts in changed.texts.items()
        },
        texts={side: tuple(map(plain_text, texts)) for side, texts in changed.texts.items()},
        unchanged=changed.unchanged,
    )


def _numbers(rows: Sequence[Row], by_seed: Sequence[Rewards]) -> Array:
    """Rewards of rows by each seed, (S, M); not a number where there is none."""
    return np.array(
        [[one.value if isinstance(one := rewards[row], Reward) else math.nan for row in rows] for rewards in by_seed],
        dtype=np.float64,
    ).reshape(len(by_seed), len(rows))
