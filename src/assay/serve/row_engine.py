"""From what clients ask to rows, and from rows to rewards, by one scorer: the two steps that a server runs apart.

`read` renders, counts tokens and refuses what cannot be read whole, each row for itself; `run` gives rewards of rows
that were read, whoever asked for them, in any company. A model that is served by itself reads finished texts and token
ids too; every other scorer (an ensemble, a judge, a combination) is asked for groups of candidates. Knows no queue and
no HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from assay.artifacts.files import dumps
from assay.errors import InputError, TemplateError
from assay.records import Candidates, Text
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Scored, Scorer, Unscored, score_groups, scored, unit_of
from assay.serve.asked import Asked, Finished, Ids, Turns, characters_of, size_of, turns_of

if TYPE_CHECKING:
    from assay.render.encoder import Encoded
    from assay.render.finished_text import FinishedTexts
    from assay.rewards.batch_after_batch import BatchAfterBatch
    from assay.rewards.head_states import HeadStates

MERGED = 64  # tokens: more of a prompt's last ones never merge with an answer's first


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """A row that can be run. tokens: how many it has.

    family: rows of one family begin alike, with `shared` tokens, which are run once where they stand in one batch. It
    decides what is run together, and so time; never a reward.
    """

    value: object
    tokens: int
    shared: int
    family: Hashable


class RowEngine(Protocol):
    """One scorer as a server runs it. `read` and `run` are called from one thread each, never twice at once."""

    @property
    def scorer(self) -> Scorer: ...

    def read(self, asked: Sequence[Asked]) -> list[ReadRow | Unscored]:
        """Each row that was asked for, or why it has no reward, in the order given."""
        ...

    def run(self, rows: Sequence[ReadRow]) -> list[Scored]:
        """The reward of each row, in the order given."""
        ...


class TakesStates(Protocol):
    """Whoever is told what the head read. Called from the thread of `run`; neither method may raise."""

    def take(self, families: Sequence[Hashable], states_NH: NDArray[np.float32]) -> None: ...

    def cannot(self, error: Exception) -> None:
        """There will be no more of them, for this reason."""
        ...


class ModelEngine:
    """A reward model served by itself.

    states_to: gets what the head read of each row, out of the passes that gave the rewards; None: nobody asks for it.
    """

    def __init__(self, scorer: LocalScorer) -> None:
        self.scorer = scorer
        self.states_to: TakesStates | None = None

    def read(self, asked: Sequence[Asked]) -> list[ReadRow | Unscored]:
        found: list[ReadRow | Unscored | None] = [self._hopeless(one) for one in asked]
        left = [(n, one) for n, one in enumerate(asked) if found[n] is None]
        self._read_turns([(n, one) for n, one in left if isinstance(one, Turns)], found)
        self._read_finished([(n, one) for n, one in left if isinstance(one, Finished)], found)
        self._read_ids([(n, one) for n, one in left if isinstance(one, Ids)], found)
        return cast("list[ReadRow | Unscored]", found)

    def run(self, rows: Sequence[ReadRow]) -> list[Scored]:
        encoded = [cast("Encoded", row.value) for row in rows]
        if self.states_to is None or not rows:
            return self.scorer.score_rows(encoded, steady=self._steady)
        try:
            read = self.read_states(encoded)
        except Exception as error:
            # Whatever it is, a reward does not depend on being watched. If it is the rows' fault it is raised here:
            found = self.scorer.score_rows(encoded, steady=self._steady)
            self.states_to.cannot(error)
            self.states_to = None
            return found
        self.states_to.take([row.family for row in rows], read.states)
        return [scored(value) for value in read.rewards.tolist()]

    def read_states(self, rows: Sequence[Encoded]) -> HeadStates:
        """Rewards, and what the head read, by the passes that give rewards. Raises ModelError where it reads no one
        vector a row."""
        passes = self.scorer.passes
        return self._steady.read(rows, micro_tokens=passes.micro_tokens, sharing=passes.sharing)

    @cached_property
    def _steady(self) -> BatchAfterBatch:
        from assay.rewards.batch_after_batch import BatchAfterBatch  # torch: not before a model is there

        return BatchAfterBatch(self.scorer.reward_model)

    @cached_property
    def _finished(self) -> FinishedTexts | None:
        """None for an encoder, whose rows are pairs with segments."""
        from assay.render.finished_text import FinishedTexts

        renderer = self.scorer.reward_model.renderer
        return FinishedTexts(renderer) if renderer.kind == "decoder" else None

    @cached_property
    def _most_characters(self) -> int | None:
        """More characters than that are more tokens than the model reads, whatever they are."""
        model = self.scorer.reward_model
        most = model.most_tokens
        return None if most is None else most * max(map(len, model.renderer.tokenizer.get_vocab()))

    def _hopeless(self, one: Asked) -> Unscored | None:
        """Why a row need not be tokenised: megabytes of text would hold up everyone else's rows for seconds.

        Nor need so many turns be rendered: each costs a token at least, and is looked for in the text of all of them.
        """
        most = self.scorer.reward_model.most_tokens
        if most is None or self._most_characters is None:
            return None
        turns, found = turns_of(one), characters_of(one)
        if turns <= most and found <= self._most_characters:
            return None
        many = f"{turns} turns" if turns > most else f"{found} characters"
        return Unscored(f"{many} are over the {most} tokens the model reads", too_long=True)

    def _prompts_too_long(self, asked: Sequence[Turns]) -> dict[Text, Unscored]:
        """Prompts of several rows that are longer by themselves than a row may be, told by one row each.

        Else a prompt of a megabyte with a thousand answers would be tokenised a thousand times, only to be refused.
        """
        most = self.scorer.reward_model.most_tokens
        several = Counter(one.prompt for one in asked)
        first = {
            one.prompt: one for one in asked if several[one.prompt] > 1 and most is not None and size_of(one) > most
        }
        rows = self.scorer.reward_model.renderer.encode_rows([(one.prompt, one.answer) for one in first.values()])
        return {
            prompt: Unscored(f"{row.prompt_tokens} tokens in the prompt alone; the model reads {most}", too_long=True)
            for prompt, row in zip(first, rows, strict=True)
            if not isinstance(row, TemplateError) and most is not None and row.prompt_tokens > most + MERGED
        }

    def _read_turns(self, asked: Sequence[tuple[int, Turns]], found: list[ReadRow | Unscored | None]) -> None:
        too_long = self._prompts_too_long([one for _, one in asked])
        texts = ((one.prompt, one.answer) for _, one in asked if one.prompt not in too_long)
        rows = self.scorer.rendered(list(dict.fromkeys(texts)))
        for place, one in asked:
            row = too_long.get(one.prompt) or rows[one.prompt, one.answer]
            found[place] = row if isinstance(row, Unscored) else _read(row, row.prompt_tokens, one.prompt)

    def _read_finished(self, asked: Sequence[tuple[int, Finished]], found: list[ReadRow | Unscored | None]) -> None:
        if not asked:
            return
        if self._finished is None:
            for place, _ in asked:
                found[place] = Unscored("this model reads a prompt and an answer as a pair of texts: send both")
            return
        texts = self._finished.read([one.text for _, one in asked])
        rows = self.scorer.whole(one if isinstance(one, TemplateError) else one.row for one in texts)
        for (place, one), text, row in zip(asked, texts, rows, strict=True):
            if isinstance(row, Unscored) or isinstance(text, TemplateError):
                found[place] = row if isinstance(row, Unscored) else Unscored(str(text))
                continue
            # Where in the row the prompt ends is known in characters alone; a batch's budget asks for no more.
            share = len(text.prompt) / max(1, len(one.text))
            found[place] = _read(row, int(len(row.ids) * share), text.prompt)

    def _read_ids(self, asked: Sequence[tuple[int, Ids]], found: list[ReadRow | Unscored | None]) -> None:
        from assay.render.encoder import Encoded

        if not asked:
            return
        known = self.scorer.reward_model.vocabulary
        for place, one in asked:
            if self._finished is None:
                found[place] = Unscored("this model reads a prompt and an answer as a pair of texts: send both")
            elif not one.ids:
                found[place] = Unscored("a row of no tokens")
            elif not all(0 <= token < known for token in one.ids):
                found[place] = Unscored(f"a token id outside the model's {known}")
            else:
                (row,) = self.scorer.whole([Encoded(ids=one.ids, prompt_tokens=1)])
                # The first half: where an answer begins ids do not say, and rows of one prompt agree at least there.
                half = len(one.ids) // 2
                found[place] = row if isinstance(row, Unscored) else _read(row, half, one.ids[:half])


class GroupEngine:
    """Any other scorer: rows of one prompt are put to it as one group of candidates."""

    def __init__(self, scorer: Scorer) -> None:
        if unit_of(scorer) == "pair":
            raise InputError(
                f"{scorer.name}: its rewards hold within one pair only (recorded, or by comparison), and clients ask "
                "for answers by themselves. Serve a model, an ensemble or a combination of them."
            )
        self.scorer = scorer
        self._reads_source = bool(getattr(scorer, "reads_source", False))

    def read(self, asked: Sequence[Asked]) -> list[ReadRow | Unscored]:
        return [self._read_one(one) for one in asked]

    def run(self, rows: Sequence[ReadRow]) -> list[Scored]:
        groups: dict[Hashable, dict[Text, None]] = {}
        first: dict[Hashable, Turns] = {}
        for row in rows:
            one = cast("Turns", row.value)
            groups.setdefault(row.family, {})[one.answer] = None
            first.setdefault(row.family, one)
        put = [
            Candidates(id=str(n), prompt=first[key].prompt, answers=tuple(answers), source=first[key].source)
            for n, (key, answers) in enumerate(groups.items())
        ]
        found: dict[tuple[Hashable, Text], Scored] = {}
        for key, (group, results) in zip(groups, score_groups(self.scorer, put), strict=True):
            found.update(zip(((key, answer) for answer in group.answers), results, strict=True))
        return [found[row.family, cast("Turns", row.value).answer] for row in rows]

    def _read_one(self, one: Asked) -> ReadRow | Unscored:
        if not isinstance(one, Turns):
            return Unscored(
                "this scorer takes prompts and answers; finished text and token ids need a model served by itself"
            )
        family: Hashable = (one.prompt, dumps(dict(one.source))) if self._reads_source else one.prompt
        tokens, shared = size_of(one), size_of(Turns(prompt=one.prompt, answer=""))
        return ReadRow(value=one, tokens=tokens, shared=min(shared, tokens - 1), family=family)


def engine_for(scorer: Scorer) -> RowEngine:
    """Raises InputError for a scorer whose rewards are no rewards of single answers."""
    return ModelEngine(scorer) if isinstance(scorer, LocalScorer) else GroupEngine(scorer)


def _read(row: Encoded, shared: int, family: Hashable) -> ReadRow:
    return ReadRow(value=row, tokens=len(row.ids), shared=min(shared, len(row.ids) - 1), family=family)
