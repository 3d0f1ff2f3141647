"""Log-probabilities of the choices of questions that begin alike: the beginning once, each question once, each choice.

1) what all rows begin with (a few-shot header) is run by itself and its keys and values kept; 2) questions go into
packs, in which choices share their question; 3) hidden states before each choice's tokens, each distinct one once (four
letters after one prompt are four labels of one state); 4) the output layer. Knows rows of tokens; knows no subject and
no right answer. Inference only.

Letters: P distinct positions, L labels, H hidden size.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from assay.engine.forward import hidden_at, refusal
from assay.engine.headers import Header, Headers
from assay.engine.logprobs import label_logprobs
from assay.engine.micro_batches import micro_batches, pass_tokens
from assay.engine.trie import Row, common_beginning, distinct_tokens, plan
from assay.models.device_and_mode import device_of, evaluating

WORTH_KEEPING = 16  # tokens of a beginning that several packs share


class Choices(NamedTuple):
    """One question: its tokens up to where choices begin, and each choice's own tokens, at least one."""

    context: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]

    @property
    def run(self) -> tuple[tuple[int, ...], ...]:
        """The rows a model has to read: all but each last token, which is only asked for. Distinct ones."""
        return tuple(dict.fromkeys(self.context + one[:-1] for one in self.continuations))


def choice_logprobs(
    model: nn.Module,
    questions: Sequence[Choices],
    *,
    micro_tokens: int | None = None,
    known: Collection[int] = (),
) -> Iterator[tuple[list[int], list[tuple[float, ...]]]]:
    """Packs of questions as they are done: their places, and for each the summed log-probability, in nats, per choice.

    micro_tokens: distinct tokens of one pass; None: what suits the device. known: places whose figures are not needed;
    a pack is left out only as a whole, so that packs, and with them the bits of every figure, are the same in a run
    that goes on. Raises InputError for a row longer than the model's positions.
    """
    if not questions:
        return
    budget = pass_tokens(micro_tokens, device_of(model).type, "shared")
    rows = [one.run for one in questions]
    with evaluating(model), torch.inference_mode():
        for members, header in _packs(model, rows, budget, known):
            yield members, _values(model, [questions[n] for n in members], header)


def _packs(
    model: nn.Module, rows: Sequence[Sequence[Row]], budget: int, known: Collection[int]
) -> Iterator[tuple[list[int], Header | None]]:
    every = [row for group in rows for row in group]
    if refusal(model, every) is not None:
        # Padded: a question counts as all of its rows at the width of its longest.
        widths = [len(group) * max(map(len, group)) for group in rows]
        packs, header_of = micro_batches(widths, budget), None
    else:
        headers = Headers(model)
        beginning = common_beginning(every)
        alone = len(rows) == 1 or len(beginning) < WORTH_KEEPING or not headers.possible()
        if alone or distinct_tokens(every) <= budget:  # one pack, which shares its beginning by itself
            packs, header_of = plan(rows, token_budget=budget), None
        else:
            own = [[row[len(beginning) :] for row in group] for group in rows]
            packs, header_of = plan(own, token_budget=budget), headers
    header: Header | None = None
    for members in packs:
        if all(n in known for n in members):
            continue
        if header_of is not None and header is None:  # only now: a run that goes on may need none of it
            header = header_of.run(beginning)
        yield members, header


def _values(model: nn.Module, questions: Sequence[Choices], header: Header | None) -> list[tuple[float, ...]]:
    rows: dict[tuple[int, ...], int] = {}
    states: dict[tuple[int, ...], tuple[int, int]] = {}  # tokens read so far -> row and place
    state_L: list[int] = []
    label_L: list[int] = []
    numbers: dict[tuple[int, ...], int] = {}
    for question in questions:
        for one in question.continuations:
            row = question.context + one[:-1]
            place = rows.setdefault(row, len(rows))
            for n, label in enumerate(one):
                read = question.context + one[:n]
                states.setdefault(read, (place, len(read) - 1))
                state_L.append(numbers.setdefault(read, len(numbers)))
                label_L.append(label)
    row_P, place_P = (np.array(column, dtype=np.int64) for column in zip(*states.values(), strict=True))
    hidden_PH = hidden_at(model, list(rows), row_P=row_P, place_P=place_P, header=header)
    found_L = label_logprobs(model, hidden_PH, state_L, label_L).double().cpu().numpy()
    values, start = [], 0
    for question in questions:
        sums = []
        for one in question.continuations:
            sums.append(float(found_L[start : start + len(one)].sum()))
            start += len(one)
        values.append(tuple(sums))
    return values
