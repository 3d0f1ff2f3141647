"""The reward a policy implies against its reference: `implicit:POLICY@REFERENCE`, with `@BETA` behind where it is not
0.1.

Renders each distinct row once, sets apart what cannot be read whole, and hands the rest on by prompt. Imports torch
only when the models are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assay.artifacts.files import sha256_json
from assay.errors import InputError, TemplateError
from assay.records import Candidates, Text
from assay.scorers.protocol import Scored, Unscored, scored

if TYPE_CHECKING:
    from assay.render.encoder import Encoded
    from assay.rewards.implicit_reward import ImplicitReward

BETA = 0.1  # DPO's usual strength; it changes how large rewards are, never which answer is above


class ImplicitScorer:
    """beta (log-probability of the answer under `policy` less that under `reference`); the prompt is not counted.

    folder: where log-probabilities are kept, so that the same rows are run once; None: assay's cache.
    """

    def __init__(self, policy: str, reference: str, *, beta: float = BETA, folder: Path | None = None) -> None:
        self.policy, self.reference, self.beta, self.folder = policy, reference, beta, folder

    @property
    def name(self) -> str:
        return f"implicit:{self.policy}@{self.reference}@{self.beta:g}"

    @cached_property
    def implied(self) -> ImplicitReward:
        """Both models, loaded at first use."""
        from assay.models.catalogue import cache_folder
        from assay.rewards.implicit_reward import ImplicitReward
        from assay.rewards.reward_model import best_device

        folder = cache_folder() / "logprobs" if self.folder is None else self.folder
        return ImplicitReward(self.policy, self.reference, beta=self.beta, folder=folder, device=best_device())

    @cached_property
    def fingerprint(self) -> str:
        """Of both models' bytes, the template and beta. Opens them: their faults cost no data."""
        implied = self.implied
        return sha256_json({"implicit": implied.prints, "render": implied.renderer.hash, "beta": self.beta})

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Each answer's implied reward; Unscored for a row that cannot be rendered or is too long to be read whole."""
        texts = list(dict.fromkeys((group.prompt, answer) for group in groups for answer in group.answers))
        found: dict[tuple[Text, Text], Scored] = {}
        rows: dict[Text, dict[Text, Encoded]] = {}  # by prompt, so that its tokens run once
        for text, row in zip(texts, self.implied.renderer.encode_rows(texts), strict=True):
            if (why := self._unread(row)) is not None:
                found[text] = why
            elif not isinstance(row, TemplateError):
                rows.setdefault(text[0], {})[text[1]] = row
        if rows:
            values = self.implied.score([list(answers.values()) for answers in rows.values()])
            for (prompt, answers), several in zip(rows.items(), values, strict=True):
                found.update({(prompt, one): scored(v) for one, v in zip(answers, several.tolist(), strict=True)})
        return [tuple(found[group.prompt, answer] for answer in group.answers) for group in groups]

    def _unread(self, row: Encoded | TemplateError) -> Unscored | None:
        if isinstance(row, TemplateError):
            return Unscored(str(row))
        most = self.implied.most_tokens
        if most is not None and len(row.ids) > most:
            return Unscored(f"{len(row.ids)} tokens with its prompt; the models read {most}", too_long=True)
        if not row.prompt_tokens:
            return Unscored("its row begins with the answer, whose first token then has no probability")
        return None


def implicit(argument: str) -> ImplicitScorer:
    """The scorer of `POLICY@REFERENCE` or `POLICY@REFERENCE@BETA`. Raises InputError for anything else."""
    parts = argument.split("@")
    try:
        beta = float(parts[2]) if len(parts) == 3 else BETA
    except ValueError:
        beta = 0.0
    if len(parts) not in (2, 3) or not all(parts[:2]) or not beta > 0:
        raise InputError(
            f"implicit:{argument}: expected implicit:POLICY@REFERENCE, or implicit:POLICY@REFERENCE@BETA with a beta "
            "above 0."
        )
    return ImplicitScorer(parts[0], parts[1], beta=beta)
