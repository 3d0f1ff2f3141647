"""A judge that is a language model on this machine: its words, or the odds of one token against another.

Words are kept by content the moment they are written, since a debate of a small model takes minutes; odds are not, for
they come in one pass. Imports torch only when the model is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assay.endpoints.budget import Budget
from assay.endpoints.kept_answers import KeptAnswers, content_key, opened_answers
from assay.errors import TemplateError
from assay.records import to_json
from assay.scorers.judge.questions_put import Asked, NoReply
from assay.scorers.judge.replies_kept import REPLIES
from assay.scorers.judge.spent_calls import Spent

if TYPE_CHECKING:
    from assay.engine.language_model import LanguageModel


Rows = dict[Asked, tuple[int, ...]]
AT_ONCE = 16  # replies written between two times that they are kept: minutes of a small model on a busy machine


class LocalJudge:
    """A Judge by name, folder or hub id. most_tokens: of a reply. device: cpu, cuda, ..., auto.

    folder: where replies are kept; None: nowhere. budget: of questions, those answered before not counted.
    """

    def __init__(
        self,
        model: str,
        *,
        most_tokens: int,
        device: str = "auto",
        folder: Path | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.model, self.most_tokens, self.device, self.folder = model, most_tokens, device, folder
        self.budget = Budget() if budget is None else budget
        self.spent = Spent()

    @cached_property
    def language_model(self) -> LanguageModel:
        """The model, loaded at first use."""
        from assay.engine.language_model import LanguageModel

        return LanguageModel.load(self.model, device=self.device)

    @cached_property
    def fingerprint(self) -> str:
        """Of the model's bytes."""
        from assay.models.resolve import resolve

        return resolve(self.model).fingerprint

    def replies(self, asked: Sequence[Asked]) -> list[str | NoReply]:
        """The likeliest words after each question. Raises ModelError where the model cannot be had."""
        rows, refused = self._rows(asked, more=self.most_tokens)
        found: dict[Asked, str | NoReply] = dict(refused)
        if self.folder is None:
            found |= self._written(rows)
        else:
            with opened_answers(self.folder, REPLIES) as cache:
                found |= self._kept_or_written(rows, cache)
        for one, reply in found.items():
            if isinstance(reply, str):
                self.spent.calls += 1
                self.spent.tokens((len(rows[one]), len(self.language_model.tokenizer(reply)["input_ids"])))
        return [found[one] for one in asked]

    def _kept_or_written(self, rows: Rows, cache: KeptAnswers[str]) -> dict[Asked, str | NoReply]:
        """Asks for what is missing, a part at a time; each part is kept before the next is begun."""
        space = f"{self.fingerprint} {self.most_tokens}"
        keys = {one: content_key(space, to_json(one.chat)) for one in rows}
        known = cache.known(list(keys.values()))
        found: dict[Asked, str | NoReply] = {one: known[key] for one, key in keys.items() if key in known}
        missing = [one for one in rows if one not in found]
        for start in range(0, len(missing), AT_ONCE):
            part = self._written({one: rows[one] for one in missing[start : start + AT_ONCE]})
            for one, reply in part.items():
                if isinstance(reply, str):
                    cache.add(keys[one], reply)
            found |= part
        return found

    def _written(self, rows: Rows) -> dict[Asked, str | NoReply]:
        found: dict[Asked, str | NoReply] = dict(self._over_budget(rows))
        asked = {one: row for one, row in rows.items() if one not in found}
        written = self.language_model.continued(list(asked.values()), most=self.most_tokens) if asked else []
        return found | dict(zip(asked, written, strict=True))

    def _over_budget(self, rows: Rows) -> dict[Asked, NoReply]:
        """Takes what the questions need out of the budget; why those that it no longer holds are not asked."""
        left: dict[Asked, NoReply] = {}
        for one, row in rows.items():
            if why := self.budget.spent():
                left[one] = NoReply(why)
            else:
                self.budget.take(len(row))
        return left

    def odds(self, asked: Sequence[Asked], tokens: tuple[str, str], begun: str) -> list[float | NoReply]:
        """log P(first token) - log P(second), in nats, after each question and `begun`; shared beginnings run once.

        Raises ModelError where the model cannot be had, TemplateError where one of the two is several tokens of it.
        """
        rows, refused = self._rows(asked, begun=begun)
        found: dict[Asked, float | NoReply] = {**refused, **self._over_budget(rows)}
        rows = {one: row for one, row in rows.items() if one not in found}
        for row in rows.values():
            self.spent.calls += 1
            self.spent.tokens((len(row), 0))
        if rows:
            ids = [self.language_model.token(token) for token in tokens]
            logprob_N2 = self.language_model.next_token(list(rows.values()), ids)
            found |= zip(rows, (logprob_N2[:, 0] - logprob_N2[:, 1]).tolist(), strict=True)
        return [found[one] for one in asked]

    def _rows(self, asked: Sequence[Asked], *, begun: str = "", more: int = 0) -> tuple[Rows, dict[Asked, NoReply]]:
        """Token ids of each distinct question that can be read whole, and why others cannot."""
        rows: Rows = {}
        refused: dict[Asked, NoReply] = {}
        for one in dict.fromkeys(asked):
            try:
                row = self.language_model.row(one.chat, begun=begun)
            except TemplateError as error:
                refused[one] = NoReply(str(error))
                continue
            why = self.language_model.too_long(row, more=more)
            if why is None:
                rows[one] = row
            else:
                refused[one] = NoReply(why)
        return rows, refused
