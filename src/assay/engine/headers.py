"""Keep what all rows begin with (few-shot examples, a policy, a system prompt) as keys and values from pack to pack.

Inside one pack a header is shared by the trie already; this spares running it again for every further pack. Groups of
rows come in, packs of groups go out, each with the header to run it with. Inference only. Knows rows of token ids and
transformers' caches; knows no head and no label.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from transformers import DynamicCache

from assay.engine.can_share import ability
from assay.engine.pass_rules import rope_switch
from assay.engine.trie import Ints, Row, common_beginning, common_prefix, distinct_tokens, plan, sort_key
from assay.engine.trunk_calls import run_header
from assay.models.transformers_types import Cache
from assay.models.wrappers import trunk_of

SHORTEST = 64  # tokens below which a header is not worth keeping


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """The tokens all rows begin with, and their keys and values layer by layer, each (1, K, len(ids), D)."""

    ids: Ints
    layers: tuple[tuple[Tensor, Tensor], ...]

    def cache(self) -> Cache:
        """A transformers cache that may be written to."""
        cache: Cache = DynamicCache()
        for number, (key, value) in enumerate(self.layers):
            cache.update(key, value, number)
        return cache


class Headers:
    """The header last used with one model; inference only, and only while the model's weights stay as they are."""

    def __init__(self, model: nn.Module, *, shortest: int = SHORTEST) -> None:
        self._model = model
        self._shortest = shortest
        self._last: Header | None = None
        self.computed = 0  # headers run so far

    def of(self, rows: Sequence[Row], following: Sequence[Row] = ()) -> Header | None:
        """The header to run `rows` with: the one kept if they begin with it, or a new one if `following` shares it.

        None when the model cannot share, nothing long enough is common, or the length of a pass decides its positions.
        """
        if not self.possible():
            return None
        common = common_beginning(rows)
        kept = self._last
        if kept is not None and len(kept.ids) <= len(common) and common_prefix(kept.ids, common) == len(kept.ids):
            return kept
        if not following:
            return None
        ids = common[: common_prefix(common, common_beginning(following))]
        if len(ids) < self._shortest:
            return None
        return self.run(ids)

    def possible(self) -> bool:
        """Whether this model can keep headers: it shares, and the length of a pass does not decide its positions."""
        return ability(self._model).refusal is None and rope_switch(self._model) is None

    @property
    def kept(self) -> Ints | None:
        """The tokens of the header that is kept, or None."""
        return None if self._last is None else self._last.ids

    def run(self, ids: Ints) -> Header:
        """The header of these tokens, run now and kept."""
        self._last = self._run(ids)
        return self._last

    def _run(self, ids: Ints) -> Header:
        cache: Cache = DynamicCache()
        run_header(trunk_of(self._model), ids, cache)
        self.computed += 1
        return Header(ids, tuple((layer.keys, layer.values) for layer in cache.layers))


def packs_with_headers(
    model: nn.Module, groups: Sequence[Sequence[Row]], *, token_budget: int, headers: Headers | None = None
) -> Iterator[tuple[list[int], Header | None]]:
    """Packs of group indices as `trie.plan` makes them, each with the header to run it with. Inference only.

    Of groups whose common beginning is over half the budget, only what follows it counts against the budget: else a
    header as long as the budget would leave room for one row a pack. So no pass has more distinct tokens than the
    budget, but for a longer header, run by itself, and a row that is longer.
    """
    headers = headers or Headers(model)
    families = _families(groups, token_budget) if headers.possible() else []
    for family in families:
        header = headers.run(common_beginning([row for group in family for row in groups[group]]))
        own = [[row[len(header.ids) :] for row in groups[group]] for group in family]
        for members in plan(own, token_budget=token_budget):
            yield [family[place] for place in members], header
    others = sorted(set(range(len(groups))).difference(*families))
    if families and not others:
        return
    packs = plan([groups[group] for group in others], token_budget=token_budget)
    packs = [[others[place] for place in members] for members in packs]
    rows = [[row for group in members for row in groups[group]] for members in packs]
    for number, members in enumerate(packs):
        yield members, headers.of(rows[number], rows[number + 1] if number + 1 < len(packs) else ())


def _families(groups: Sequence[Sequence[Row]], token_budget: int) -> list[list[int]]:
    """Groups with more than half the budget of leading tokens in common, as far as they are too many for one pack."""
    shortest = max(SHORTEST, token_budget // 2)
    beginnings = [common_beginning(group) for group in groups]
    # Sorted, so that groups with a long beginning in common are neighbours.
    order = sorted(range(len(groups)), key=lambda group: sort_key(beginnings[group]))
    families: list[list[int]] = []
    for group in order:
        if families and common_prefix(beginnings[families[-1][-1]], beginnings[group]) > shortest:
            families[-1].append(group)
        else:
            families.append([group])
    alike = (family for family in families if len(family) > 1)
    return [f for f in alike if distinct_tokens([row for group in f for row in groups[group]]) > token_budget]
