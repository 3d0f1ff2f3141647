"""Answers after prompts: each prompt run once for all its answers, the answers of many prompts written side by side.

1) prompts sorted, so that one begins like the one before; 2) as long as there is room, a prompt is run and its answers
get lanes; 3) a pass runs the newest token of every lane, and each draws its next; 4) an answer that is finished is
handed out, and its lane goes to the next. An answer depends on its prompt and its seed, not on what is written beside
it (`lane_attention.py` says why). Models that cannot be run so are run plainly, for a reason that is said.

Knows rows of ids, seeds and limits; knows no text and no chat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad

from assay.engine.draw_tokens import next_tokens, uniforms
from assay.engine.generate_plainly import plainly
from assay.engine.generate_probe import refusal
from assay.engine.lane_attention import ROWS, KeyValue, Lanes, aligned, filling
from assay.engine.output_layer import OutputLayer, output_layer
from assay.engine.prefill import Prefill, Prefills
from assay.engine.trie import Ints, Row, sort_key
from assay.engine.trunk_calls import run_lanes
from assay.engine.written import Decoding, Wanted, Written
from assay.machine_size import memory_gib
from assay.models.device_and_mode import device_of, evaluating
from assay.models.limits import check_positions
from assay.models.wrappers import trunk_of

AT_ONCE, GPU_AT_ONCE = 64, 256  # answers side by side: more make a pass of a layer hardly cheaper a token
CACHE_BYTES = 4 * 2**30  # of keys and values on a CPU at most
BUCKET = 256  # tokens: prompts of very different length do not stand side by side, for all slots are as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much is written side by side; changes time and memory, not answers. None: what suits the device.

    at_once: answers. cache_tokens: places for keys and values; one prompt with one answer may take more.
    """

    at_once: int | None = None
    cache_tokens: int | None = None

    def answers_on(self, device: torch.device) -> int:
        return self.at_once or (AT_ONCE if device.type == "cpu" else GPU_AT_ONCE)

    def places_for(self, layers: Sequence[KeyValue]) -> int:
        """Places for keys and values like these: as asked for, else what a part of the memory holds."""
        if self.cache_tokens is not None:
            return self.cache_tokens
        a_token = sum(part.shape[1] * part.shape[3] * part.element_size() for layer in layers for part in layer)
        return max(1, cache_bytes(layers[0][0].device) // a_token)


def cache_bytes(device: torch.device) -> int:
    """Half of what is free on a GPU; on a CPU a quarter of the machine's memory, and CACHE_BYTES at most."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0]) // 2
    return min(int((memory_gib() or 0) * 2**30) // 4 or CACHE_BYTES, CACHE_BYTES)


def generate(
    model: nn.Module,
    wanted: Sequence[Wanted],
    decoding: Decoding,
    *,
    room: Room | None = None,
    stopped: Callable[[Sequence[int]], bool] | None = None,
    said: Callable[[str], None] = lambda _why: None,
) -> Iterator[tuple[int, Written]]:
    """Each wanted answer by its place in `wanted`, as soon as it is finished.

    stopped: whether an answer ends with the tokens it has now, asked after each. said: gets the reason where this model
    is run plainly. Raises InputError for a row that with `decoding.most` tokens is longer than the model's positions.
    """
    check_positions(model, [len(one.row) + decoding.most for one in wanted])
    if not wanted:
        return
    longest = max(len(one.row) for one in wanted) + decoding.most
    with evaluating(model):
        why = refusal(model, longest)
    if why is not None:
        said(why)
        yield from plainly(model, wanted, decoding, stopped=stopped)
        return
    writing = _Writing(model, wanted, decoding, room or Room(), stopped)
    while writing.goes_on():
        with evaluating(model):  # and not around the yield: the caller may do with the model as it likes
            finished = writing.step()
        yield from finished


@dataclass(slots=True, eq=False)
class _Answer:
    """An answer under way. place: in `wanted`. next: its newest token, not run yet."""

    place: int
    uniform: NDArray[np.float64]
    ids: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Asked:
    """A prompt that was run, with the answers that wait for a lane. under_way: its answers that have one."""

    slot: int
    logits_V: Tensor
    waiting: list[int]
    under_way: int = 0


class _Writing:
    def __init__(
        self,
        model: nn.Module,
        wanted: Sequence[Wanted],
        decoding: Decoding,
        room: Room,
        stopped: Callable[[Sequence[int]], bool] | None,
    ) -> None:
        self.wanted, self.decoding, self.stopped = wanted, decoding, stopped
        self.device = device_of(model)
        self.trunk, self.output = trunk_of(model), output_layer(model)
        self.room, self.at_once = room, room.answers_on(self.device)
        self.places = 0  # for keys and values; known when the first prompt was run
        self.lanes, self.prefills = Lanes(self.device), Prefills(model)
        self.answers: list[_Answer] = []  # by lane
        self.asked: dict[int, _Asked] = {}  # by slot
        self.queue = _in_order(wanted)

    def goes_on(self) -> bool:
        return bool(self.queue or self.asked)

    def step(self) -> list[tuple[int, Written]]:
        """Fills the lanes, runs one pass; the answers that ended."""
        finished = self._admit()
        if not self.answers:
            return finished
        self.lanes.begin()
        tokens = [answer.ids[-1] for answer in self.answers]
        places = self.lanes.positions()
        fill = filling(len(tokens))
        token_R, position_R = (
            pad(torch.tensor(numbers, device=self.device), (0, fill)) for numbers in (tokens, places)
        )
        hidden_RH = run_lanes(self.trunk, token_R, position_R, self.lanes)
        self.lanes.end()
        self._draw(self.answers, self.output.logits(hidden_RH)[: len(tokens)])
        return finished + self._retire()

    def _admit(self) -> list[tuple[int, Written]]:
        """Answers get lanes while there is room. A first token comes of the prompt itself, and may be all."""
        finished: list[tuple[int, Written]] = []
        while self._free_lanes() > 0:
            asked = next((one for one in self.asked.values() if one.waiting), None) or self._next_prompt()
            if asked is None:
                break
            room = self._free_lanes()  # of which a new prompt has taken some
            places, asked.waiting = asked.waiting[:room], asked.waiting[room:]
            fresh = [_Answer(place, uniforms(self.wanted[place].seed, self.decoding.most)) for place in places]
            self._draw(fresh, asked.logits_V.expand(len(fresh), -1))
            asked.under_way += len(fresh)
            for _ in fresh:
                self.lanes.open_lane(asked.slot)
            self.answers += fresh
            finished += self._retire()
        return finished

    def _next_prompt(self) -> _Asked | None:
        """The next prompt, run; None where there is none, or no room for its keys."""
        if not self.queue or not self._fits(len(self.queue[0][0])):
            return None
        ids, places = self.queue.popleft()
        prefill = self.prefills.run(ids)
        self.places = self.places or self.room.places_for(prefill.layers)
        asked = _Asked(self.lanes.open_slot(prefill.layers), _logits(self.output, prefill), places)
        self.asked[asked.slot] = asked
        return asked

    def _slot_places(self, *tokens: int) -> int:
        """Places of the slots in use and of further prompts; all slots have the places of the longest."""
        prompts = [*self.lanes.prompt.values(), *tokens]
        return aligned(max(prompts, default=0)) * len(prompts)

    def _fits(self, tokens: int) -> bool:
        """Whether a prompt more, with an answer at least, may stand beside those that do."""
        answers = (len(self.answers) + 1) * aligned(self.decoding.most)
        return not self.asked or self._slot_places(tokens) + answers <= self.places

    def _free_lanes(self) -> int:
        """Lanes that may be opened now; one is always had."""
        left = (self.places - self._slot_places()) // aligned(self.decoding.most) if self.places else self.at_once
        return min(self.at_once, max(1, left)) - len(self.answers)

    def _draw(self, answers: Sequence[_Answer], logits_MV: Tensor) -> None:
        uniform_M = torch.tensor(
            [float(answer.uniform[len(answer.ids)]) for answer in answers], dtype=torch.float64, device=self.device
        )
        drawn = next_tokens(
            logits_MV, uniform_M, temperature=self.decoding.temperature, top_p=self.decoding.top_p
        ).tolist()
        for answer, token in zip(answers, drawn, strict=True):
            answer.ids.append(token)

    def _retire(self) -> list[tuple[int, Written]]:
        ended = {
            lane: how for lane, one in enumerate(self.answers) if (how := self.decoding.ended(one.ids, self.stopped))
        }
        found = [
            (self.answers[n].place, Written(ids=tuple(self.answers[n].ids), finish=how)) for n, how in ended.items()
        ]
        for lane in ended:
            asked = self.asked[self.lanes.slot[lane]]
            asked.under_way -= 1
            if not asked.under_way and not asked.waiting:
                del self.asked[asked.slot]
                self.lanes.close_slot(asked.slot)
        self.answers = [self.answers[stood] for stood in self.lanes.close(list(ended))]
        return found


def _in_order(wanted: Sequence[Wanted]) -> deque[tuple[Ints, list[int]]]:
    """Each distinct prompt with the places of its answers: of about one length, and then as they begin."""
    places: dict[Row, list[int]] = {}
    for place, one in enumerate(wanted):
        places.setdefault(one.row, []).append(place)
    prompts = [(np.asarray(row, dtype=np.int64), of_row) for row, of_row in places.items()]
    # The longest first: memory that does not suffice shows at once.
    return deque(sorted(prompts, key=lambda prompt: (-(len(prompt[0]) // BUCKET), sort_key(prompt[0]))))


def _logits(output: OutputLayer, prefill: Prefill) -> Tensor:
    """Logits after a prompt, (1, V), from a product of as many rows as a pass has at least."""
    return output.logits(prefill.last_H.expand(ROWS, -1).contiguous())[:1]
