"""Keys and values of answers that are being written, and attention over them: each prompt's once, each answer's own.

A lane is one answer; a slot is one prompt, whose keys and values all its lanes look at without a copy. A pass runs the
newest token of every lane. Attention is two products: the lanes of a slot stand side by side as the queries of one
product with the prompt's keys, and each lane has one with its own; one softmax runs over both. Knows keys and values;
knows no token.

Why an answer's bits do not depend on the lanes beside it. Every product here and in the layers has a row, or a block of
rows, for each lane; the sums of a row run over what the lane sees, in an order that its places decide. What others add
is further rows, and masked places at the end of a part, whose length is a multiple of ALIGNED, so that they join no
vector of it: they add exact zeros. What a matrix library must keep to for that is that a row's bits do not depend on
the number of rows. MKL keeps to it from LEAST rows on; with fewer it takes kernels whose order of sums depends even on
where in memory the rows lie. So nothing here has fewer. And torch computes an exponential by vectors, but what is left
at the end of a tensor one by one and with other last bits: a pass has a multiple of ROWS rows, so that nothing is left.

Letters: M lanes, P slots, W lanes of a slot at most, H heads, K key-value heads, G = H / K, D head size, T places for a
prompt's tokens, S places for an answer's own, X = T + S.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

ALIGNED = 16  # places: at least the floats of one vector register
LEAST = 4  # rows of a product, below which a row's bits depend on more than the row
ROWS = 8  # a pass has a multiple of them
KeyValue = tuple[Tensor, Tensor]


def filling(lanes: int) -> int:
    """How many rows fill up a pass of so many lanes."""
    return -lanes % ROWS


def aligned(places: int) -> int:
    """`places`, or the next multiple of ALIGNED."""
    return -(-places // ALIGNED) * ALIGNED


@dataclass(slots=True, eq=False)
class _Layer:
    """One layer's keys and values: of slots (P, K, T, D), of lanes (M, K, S, D); what is not filled is zero or old."""

    slots: list[Tensor] = field(default_factory=list)
    lanes: list[Tensor] = field(default_factory=list)


class Lanes:
    """All lanes of a model. `calls` counts the attention calls that used them."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.calls = device, 0
        self.slot: list[int] = []  # of each lane
        self.own: list[int] = []  # tokens of each lane whose keys and values are kept
        self.prompt: dict[int, int] = {}  # tokens of each slot in use
        self._layers: list[_Layer] = []
        self._pass: _Pass | None = None

    def open_slot(self, layers: Sequence[KeyValue]) -> int:
        """A slot for a prompt with these keys and values, each (1, K, tokens, D)."""
        tokens = layers[0][0].shape[2]
        slot = next(n for n in range(len(self.prompt) + 1) if n not in self.prompt)
        self.prompt[slot] = tokens
        self._layers = self._layers or [_Layer() for _ in layers]
        places = aligned(max(self.prompt.values()))
        for layer, parts in zip(self._layers, layers, strict=True):
            layer.slots = [_grown(kept, part, slot + 1, places) for kept, part in _beside(layer.slots, parts)]
            for kept, part in zip(layer.slots, parts, strict=True):
                kept[slot, :, :tokens] = part[0]
        return slot

    def open_lane(self, slot: int) -> None:
        """One more lane, the last, of this slot."""
        self.slot.append(slot)
        self.own.append(0)

    def close(self, gone: Sequence[int]) -> list[int]:
        """Lanes leave, and the last ones take their places: the lane that stood where each lane stands now."""
        stood = list(range(len(self.slot)))
        for lane in sorted(gone, reverse=True):
            last = len(self.slot) - 1
            for layer in self._layers if lane != last else ():
                for kept in layer.lanes:
                    kept[lane, :, : self.own[last]] = kept[last, :, : self.own[last]]
            for of_lane in (self.slot, self.own, stood):
                of_lane[lane] = of_lane[last]
                of_lane.pop()
        return stood

    def close_slot(self, slot: int) -> None:
        del self.prompt[slot]
        if not self.prompt:  # what a long prompt took is given back
            self._layers = []

    def positions(self) -> list[int]:
        """The place of each lane's newest token in its row."""
        return [self.prompt[slot] + own for slot, own in zip(self.slot, self.own, strict=True)]

    def begin(self) -> None:
        """Before a pass: what its attention calls share is worked out once."""
        self._pass = _Pass(self)
        places = self._pass.own_places
        for layer in self._layers:
            layer.lanes = [
                _grown(kept, part, len(self.slot), places) for kept, part in _beside(layer.lanes, layer.slots)
            ]

    def end(self) -> None:
        """After a pass: its tokens are kept."""
        self.own = [own + 1 for own in self.own]

    def attention(
        self, module: nn.Module, query: Tensor, key: Tensor, value: Tensor, options: dict[str, Any]
    ) -> Tensor:
        """Attention of the newest tokens: query (1, H, R, D), key and value (1, K, R, D) -> (1, R, H, D).

        R: lanes and rows that fill up the pass, which get zeros.
        """
        assert self._pass is not None
        self.calls += 1
        return self._pass.attention(self._layers[module.layer_idx], query, key, value, options)  # type: ignore[index]


class _Pass:
    """What one pass's attention calls share: where each lane stands, and what it sees."""

    def __init__(self, lanes: Lanes) -> None:
        device = lanes.device
        places: dict[int, list[int]] = {slot: [] for slot in range(max(lanes.prompt) + 1)}
        where = []
        for lane, slot in enumerate(lanes.slot):
            where.append((slot, len(places[slot])))
            places[slot].append(lane)
        self.lanes, self.slots = len(lanes.slot), len(places)
        self.wide = max(len(of_slot) for of_slot in places.values())
        grid = [[*of_slot, *[0] * (self.wide - len(of_slot))] for of_slot in places.values()]
        # Usually the lanes of a slot are neighbours, all slots have as many, and nothing needs to be moved.
        self.in_order = [lane for of_slot in grid for lane in of_slot] == list(range(self.lanes))
        self.grid_PW = torch.tensor(grid, device=device)
        self.at_M = torch.tensor([slot * self.wide + place for slot, place in where], device=device)
        self.own_M = torch.tensor(lanes.own, device=device)
        self.index_M = torch.arange(self.lanes, device=device)
        self.prompt_M = torch.tensor([lanes.prompt[slot] for slot in lanes.slot], device=device)
        self.prompt_places = aligned(max(lanes.prompt.values()))
        self.own_places = aligned(max(lanes.own) + 1)
        self._masks: dict[tuple[int | None, torch.dtype], Tensor] = {}

    def mask(self, window: int | None, dtype: torch.dtype) -> Tensor:
        """0 where a lane sees a place and -inf where it does not, shape (M, 1, 1, X)."""
        if (window, dtype) not in self._masks:
            prompt = torch.arange(self.prompt_places, device=self.own_M.device)
            own = torch.arange(self.own_places, device=self.own_M.device)
            prompt_M1, own_M1 = self.prompt_M[:, None], self.own_M[:, None]
            seen_MT, seen_MS = prompt < prompt_M1, own <= own_M1
            if window is not None:  # a token sees itself and the window - 1 before it
                first_M1 = prompt_M1 + own_M1 - window + 1
                seen_MT, seen_MS = seen_MT & (prompt >= first_M1), seen_MS & (prompt_M1 + own >= first_M1)
            seen_MX = torch.cat([seen_MT, seen_MS], dim=1)
            mask_MX = torch.zeros(seen_MX.shape, dtype=dtype, device=seen_MX.device).masked_fill_(~seen_MX, -torch.inf)
            self._masks[window, dtype] = mask_MX[:, None, None]
        return self._masks[window, dtype]

    def attention(self, layer: _Layer, query: Tensor, key: Tensor, value: Tensor, options: dict[str, Any]) -> Tensor:
        heads, rows, size = query.shape[1:]
        shared = key.shape[1]
        group, lanes = heads // shared, self.lanes
        for kept, new in zip(layer.lanes, (key, value), strict=True):
            kept[self.index_M, :, self.own_M] = new[0, :, :lanes].transpose(0, 1)
        slots_k, slots_v = (part[: self.slots, :, : self.prompt_places] for part in layer.slots)
        lanes_k, lanes_v = (part[:lanes, :, : self.own_places] for part in layer.lanes)
        query_MKGD = query[0].transpose(0, 1)[:lanes].reshape(lanes, shared, group, size)
        scores_MKGX = torch.cat(
            [
                self._by_lane(self._by_slot(query_MKGD) @ slots_k.transpose(-1, -2), group),
                (_filled(query_MKGD) @ lanes_k.transpose(-1, -2))[:, :, :group],
            ],
            dim=-1,
        )
        scaling = options.get("scaling")
        scores_MKGX = scores_MKGX.float().mul_(size**-0.5 if scaling is None else float(scaling))
        scores_MKGX += self.mask(options.get("sliding_window"), scores_MKGX.dtype)
        weight_MKGX = scores_MKGX.softmax(dim=-1).to(value.dtype)
        to_prompt_MKGT, to_own_MKGS = torch.split(weight_MKGX, [self.prompt_places, self.own_places], dim=-1)
        out_MKGD = self._by_lane(self._by_slot(to_prompt_MKGT) @ slots_v, group)
        out_MKGD = out_MKGD + (_filled(to_own_MKGS) @ lanes_v)[:, :, :group]
        return pad(out_MKGD.reshape(lanes, heads, size), (0, 0, 0, 0, 0, rows - lanes))[None]

    def _by_slot(self, parts_MKGN: Tensor) -> Tensor:
        """(M, K, G, N) -> (P, K, W G, N), filled up to LEAST rows: all lanes of a slot as rows of one product."""
        _, shared, group, last = parts_MKGN.shape
        parts = parts_MKGN if self.in_order else parts_MKGN[self.grid_PW.flatten()]
        parts_PKWGN = parts.view(self.slots, self.wide, shared, group, last).transpose(1, 2)
        return _filled(parts_PKWGN.reshape(self.slots, shared, self.wide * group, last))

    def _by_lane(self, parts_PKRN: Tensor, group: int) -> Tensor:
        """(P, K, W G, N) -> (M, K, G, N): what `_by_slot` did, undone."""
        shared, last = parts_PKRN.shape[1], parts_PKRN.shape[3]
        parts_PKWGN = parts_PKRN[:, :, : self.wide * group].reshape(self.slots, shared, self.wide, group, last)
        parts_NKGN = parts_PKWGN.transpose(1, 2).reshape(self.slots * self.wide, shared, group, last)
        return parts_NKGN if self.in_order else parts_NKGN[self.at_M]


def _filled(rows: Tensor) -> Tensor:
    """Rows of zeros behind the rows (second dimension from the end), so that there are LEAST."""
    missing = LEAST - rows.shape[-2]
    return pad(rows, (0, 0, 0, missing)) if missing > 0 else rows


def _beside(kept: Sequence[Tensor], like: Sequence[Tensor]) -> list[tuple[Tensor | None, Tensor]]:
    return [(kept[n] if kept else None, part) for n, part in enumerate(like)]


def _grown(kept: Tensor | None, like: Tensor, rows: int, places: int) -> Tensor:
    """`kept`, or its content in zeros of at least (rows, K, places, D): half as much again, so that it is rare."""
    if kept is not None and kept.shape[0] >= rows and kept.shape[2] >= places:
        return kept
    old = (0, 0) if kept is None else (kept.shape[0], kept.shape[2])
    rows = old[0] if rows <= old[0] else max(rows, old[0] * 3 // 2)
    places = old[1] if places <= old[1] else max(places, aligned(old[1] * 3 // 2))
    grown = like.new_zeros((rows, like.shape[1], places, like.shape[3]))
    if kept is not None:
        grown[: old[0], :, : old[1]] = kept
    return grown
