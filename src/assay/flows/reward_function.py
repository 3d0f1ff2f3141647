"""A gated reward as the function that TRL's GRPOTrainer calls: prompts and completions in, a raw reward each out.

1. `reward_function` opens a run behind its gate; one that no gate passed is refused, or carries that in its name.
2. A call gathers the completions of equal prompts, reads them as `assay score` reads rows, and scores all in one go,
   each prompt once. What cannot be scored is None, which TRL keeps out of the policy's update; why is logged once.
Works without TRL: whatever calls `reward(prompts, completions, **columns)` can use it.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from assay.data.layouts.texts import UnfitError, after_prompt, as_text, blank
from assay.errors import InputError
from assay.flows.gated_scorer import GatedScorer, gated_scorer
from assay.policies.protocol import EMPTY
from assay.records import Candidates, Text
from assay.scorers.local import Passes
from assay.scorers.protocol import Reward, Scored, Unscored, score_groups

_log = logging.getLogger(__name__)
SAID = 5  # reasons without a reward that are logged, once each; a run of days must not fill its log


class RunReward:
    """`reward(prompts, completions)`: a number for each, raw, or None where the answer cannot be scored.

    The model is loaded at the first call. May be pickled, and then loads it again. Other columns are taken and unused.
    """

    def __init__(self, run: str, *, seed: int | None, ungated: bool, passes: Passes) -> None:
        self.run, self.seed, self.ungated, self.passes = run, seed, ungated, passes
        self._said: set[str] = set()
        self._one_at_a_time = threading.Lock()  # async callers may overlap; a model runs one pass at a time
        gated = self.gated
        # What trainers call its column: they ask for __name__, as of a plain function.
        self.__name__ = re.sub(r"\W+", "_", f"assay {gated.label}{'' if gated.standing.passed else ' ungated'}")
        if gated.standing.passed:
            _log.info("%s: %s", self.__name__, gated.standing.sentence)
        else:
            _log.warning("%s: given out ungated; %s", self.__name__, gated.standing.sentence)

    @cached_property
    def gated(self) -> GatedScorer:
        """The scorer, opened, and its gate. Raises InputError where the gate did not pass and nobody said ungated."""
        return gated_scorer(self.run, seed=self.seed, ungated=self.ungated, passes=self.passes)

    def __getstate__(self) -> dict[str, object]:
        """Without what is loaded: a worker process opens its own, behind the same gate."""
        return {name: value for name, value in vars(self).items() if name not in ("gated", "_one_at_a_time")}

    def __setstate__(self, state: Mapping[str, object]) -> None:
        vars(self).update(state)
        self._one_at_a_time = threading.Lock()

    def __call__(
        self, prompts: Sequence[object], completions: Sequence[object], **columns: object
    ) -> list[float | None]:
        """The reward of each completion, in order.

        prompts, completions: texts or lists of messages, one completion a place; completions of equal prompts may stand
        anywhere. columns: what else TRL passes; of that only its `log_metric` is used. Raises InputError where there
        are not as many of both.
        """
        if len(prompts) != len(completions):
            raise InputError(f"{self.__name__}: {len(prompts)} prompts and {len(completions)} completions.")
        with self._one_at_a_time:
            found = self._scored(prompts, completions)
        values = [one.value if isinstance(one, Reward) else None for one in found]
        self._tell([one.reason for one in found if isinstance(one, Unscored)], of=len(found), columns=columns)
        return values

    def _scored(self, prompts: Sequence[object], completions: Sequence[object]) -> list[Scored]:
        """What each place gets: equal prompts are one group, so that each is run once."""
        found: dict[int, Scored] = {}
        groups: dict[Text, dict[int, Text]] = {}
        for place, (asked, given) in enumerate(zip(prompts, completions, strict=True)):
            try:
                prompt, answer = read_row(asked, given)
            except UnfitError as error:
                found[place] = Unscored(str(error))
            else:
                groups.setdefault(prompt, {})[place] = answer
        # Names that no file has: recorded scores are found by them, and a plain number would be another prompt's.
        asked_of = [
            Candidates(
                id=f"prompt {number} of a call of {self.__name__}", prompt=prompt, answers=tuple(answers.values())
            )
            for number, (prompt, answers) in enumerate(groups.items())
        ]
        results = score_groups(self.gated.scorer, asked_of)
        for places, (_, scores) in zip(groups.values(), results, strict=True):
            found |= dict(zip(places, scores, strict=True))
        return [found[place] for place in range(len(prompts))]

    def _tell(self, reasons: Sequence[str], *, of: int, columns: Mapping[str, object]) -> None:
        """Say each reason once, and give TRL the share of completions that have no reward."""
        for reason in reasons:
            if reason not in self._said and len(self._said) < SAID:
                self._said.add(reason)
                _log.warning("%s: a completion has no reward: %s", self.__name__, reason)
        told = columns.get("log_metric")
        if callable(told) and of:
            told(f"{self.__name__}/unscored", len(reasons) / of)


class AsyncRunReward(RunReward):
    """The same as a coroutine: scoring leaves the event loop free, so that other reward functions run beside it."""

    async def __call__(  # type: ignore[override]  # trainers tell the two apart by this very difference
        self, prompts: Sequence[object], completions: Sequence[object], **columns: object
    ) -> list[float | None]:
        return await asyncio.to_thread(super().__call__, prompts, completions, **columns)


CALLS: Mapping[str, Callable[..., RunReward]] = {"plain": RunReward, "async": AsyncRunReward}


def reward_function(
    run: Path | str,
    *,
    seed: int | None = None,
    ungated: bool = False,
    calls: Literal["plain", "async"] = "plain",
    passes: Passes | None = None,
) -> RunReward:
    """The reward of a run as a function that TRL's GRPOTrainer takes; see RunReward and api_service."""
    return CALLS[calls](str(run), seed=seed, ungated=ungated, passes=passes or Passes())


def read_row(asked: object, given: object) -> tuple[Text, Text]:
    """Prompt and answer as a file's row would be read. Raises UnfitError for what no row may hold."""
    prompt = as_text(asked, "prompt", "prompt")
    if blank(prompt):
        raise UnfitError("missing_field", "the prompt is empty", "prompt")
    answer = after_prompt(prompt, as_text(given, "both", "completion"))
    if blank(answer):
        raise UnfitError("empty_candidate", EMPTY.reason, "both")
    for text in (prompt, answer):
        try:
            (text if isinstance(text, str) else "".join(message.content for message in text)).encode()
        except UnicodeEncodeError as error:  # no tokenizer takes it, and the others of the batch would pay for it
            raise UnfitError("bad_encoding", f"half of a surrogate pair at character {error.start + 1}") from None
    return prompt, answer
