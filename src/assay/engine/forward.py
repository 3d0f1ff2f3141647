"""Rows of token ids to hidden states of chosen tokens, each shared token computed once where the model allows it.

1) refuse rows the model has no positions for; 2) ask whether these rows may share on this model; 3) if so, pack them
and run the pack, else run one padded batch; 4) pick the chosen tokens. Knows trunks and rows; knows no head, no loss
and no label. Callers that bring their own rectangles of ids, TRL's trainers among them, come in by
`drop_in.shared_prefixes`.

Letters: N rows, T tokens of the longest row, L packed tokens, P chosen tokens, H hidden size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from assay.engine import kept_prompt
from assay.engine.can_share import ability
from assay.engine.headers import Header
from assay.engine.pass_rules import rope_refusal, rope_sides, window_refusal
from assay.engine.trie import Ints, Row, Trie, pack
from assay.engine.trunk_calls import run_packed, run_padded
from assay.errors import EmptyBatchError, InputError
from assay.models.limits import check_positions
from assay.models.wrappers import trunk_of


def last_hidden(model: nn.Module, rows: Sequence[Row]) -> Tensor:
    """Hidden state of each row's last token, shape (N, H), rows in the order given; differentiable.

    model: a decoder of transformers, with any head, with or without PEFT. Every distinct token of `rows` runs once; a
    model that cannot share runs one right-padded batch. Raises EmptyBatchError without rows, InputError for an empty
    row or one longer than the model's positions.
    """
    lengths_N = np.array([len(row) for row in rows], dtype=np.int64)
    return hidden_at(model, rows, row_P=np.arange(len(rows)), place_P=lengths_N - 1)


def hidden_at(
    model: nn.Module, rows: Sequence[Row], *, row_P: Ints, place_P: Ints, header: Header | None = None
) -> Tensor:
    """Hidden states of chosen tokens, shape (P, H): token place_P[p] of row row_P[p]; otherwise as `last_hidden`.

    header: what `headers.Headers` keeps of a beginning that all rows have; not used if a chosen token lies in it.
    """
    check_positions(model, [len(row) for row in rows])
    if refusal(model, rows) is not None:
        return plain_hidden_at(model, rows, row_P=row_P, place_P=place_P)
    other = kept_prompt.in_charge()
    found = None if other is None else other.hidden_at(model, rows, row_P=row_P, place_P=place_P)
    if found is not None:  # their prompt was run in an earlier pass of the step
        return found
    # The header's own hidden states are not kept, only its keys and values.
    if header is not None and place_P.min() < len(header.ids):
        header = None
    if header is not None:
        rows, place_P = [row[len(header.ids) :] for row in rows], place_P - len(header.ids)
    trie = pack(rows)
    hidden_LH = packed_hidden(model, trie, header=header)
    return hidden_LH.index_select(0, torch.from_numpy(trie.index(row_P, place_P)).to(hidden_LH.device))


def packed_hidden(model: nn.Module, trie: Trie, *, header: Header | None = None) -> Tensor:
    """Hidden states of every packed token, shape (L, H), for callers that have packed themselves."""
    kernel = ability(model).kernel
    assert kernel is not None, "ask refusal() first"
    return run_packed(trunk_of(model), trie, kernel, header=None if header is None else header.cache())


def refusal(model: nn.Module, rows: Sequence[Row]) -> str | None:
    """One plain sentence why `rows` cannot share their prefixes on `model`, or None if they can."""
    lengths = [len(row) for row in rows]
    return ability(model).refusal or window_refusal(model, max(lengths, default=0)) or rope_refusal(model, lengths)


def plain_hidden_at(model: nn.Module, rows: Sequence[Row], *, row_P: Ints, place_P: Ints) -> Tensor:
    """What `hidden_at` gives, without sharing: one right-padded batch through the trunk, shape (P, H)."""
    if not rows:
        raise EmptyBatchError("There are no rows to run. Give at least one row of token ids.")
    lengths_N = np.array([len(row) for row in rows])
    if not lengths_N.all():
        raise InputError(f"row {int(lengths_N.argmin())} is empty: a row is a sequence of at least one token id.")
    sides = rope_sides(model, lengths_N.tolist())
    if sides is not None:
        return _each_side(model, rows, sides, row_P=row_P, place_P=place_P)
    hidden_NTH = run_padded(trunk_of(model), rows)
    device = hidden_NTH.device
    return hidden_NTH[torch.from_numpy(row_P).to(device), torch.from_numpy(place_P).to(device)]


def _each_side(
    model: nn.Module, rows: Sequence[Row], sides: tuple[Ints, Ints], *, row_P: Ints, place_P: Ints
) -> Tensor:
    """`plain_hidden_at` with short rows in one pass and long ones in another, so that neither changes the other."""
    parts, order = [], []
    for side in sides:
        chosen = np.flatnonzero(np.isin(row_P, side))
        among_P = np.searchsorted(side, row_P[chosen])
        parts.append(plain_hidden_at(model, [rows[n] for n in side], row_P=among_P, place_P=place_P[chosen]))
        order.append(chosen)
    back = torch.from_numpy(np.argsort(np.concatenate(order))).to(parts[0].device)
    return torch.cat(parts).index_select(0, back)
