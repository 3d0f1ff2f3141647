"""What a policy under way writes to prompts it is not trained on: how far it is from its base, and how long it writes.

The same prompts and seeds at every evaluation, so that curves show the policy and not the draw. Knows rendered prompts
and models; knows no pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from assay.engine.divergence import Lent, divergences
from assay.engine.generate import generate
from assay.engine.written import Decoding, Wanted
from assay.errors import InputError
from assay.models.quiet import quiet
from assay.records import Text
from assay.render.encoder import Renderer
from assay.train.dpo.config import WatchConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshPrompts:
    """Rendered prompts up to where their answers begin, and the token that ends an answer."""

    rows: Sequence[tuple[int, ...]]
    end: int
    watch: WatchConfig


def fresh_prompts(prompts: Sequence[Text], renderer: Renderer, watch: WatchConfig, *, most: int | None) -> FreshPrompts:
    """The first `watch.fresh` distinct prompts that leave room for an answer.

    most: positions of the model. Raises InputError where prompts were given and none of them fits.
    """
    distinct = list(dict.fromkeys(prompts))
    # A row's prompt is what stands before any answer; which answer plays no part.
    found = [
        row for row in renderer.encode_rows([(prompt, "x") for prompt in distinct]) if not isinstance(row, Exception)
    ]
    room = [row for row in found if most is None or row.prompt_tokens + watch.max_new_tokens <= most]
    if watch.fresh and distinct and not room:
        raise InputError(
            f"None of {len(distinct)} fresh prompts can be rendered with {watch.max_new_tokens} tokens of answer "
            f"within the model's {most}. Give shorter prompts (watch.prompts), or lower watch.max_new_tokens."
        )
    rows = [row.ids[: row.prompt_tokens] for row in room[: watch.fresh]]
    return FreshPrompts(rows=rows, end=room[0].ids[-1] if room else 0, watch=watch)


def fresh_figures(model: nn.Module, reference: Lent, prompts: FreshPrompts) -> dict[str, float | None]:
    """kl, with its standard error, and answer_tokens: means over answers; empty where there are no prompts.

    kl: from the base, in nats an answer of at most `watch.max_new_tokens` tokens; see engine/divergence.py.
    """
    watch = prompts.watch
    asked = [row for row in prompts.rows for _ in range(watch.answers)]
    if not asked:
        return {}
    wanted = [Wanted(row=row, seed=watch.seed + place) for place, row in enumerate(asked)]  # as many independent draws
    decoding = Decoding(most=watch.max_new_tokens, ends=frozenset({prompts.end}))
    with quiet():
        written = dict(generate(model, wanted, decoding))
    rows = [(*before, *written[place].ids) for place, before in enumerate(asked)]
    lengths_N = np.array([len(row) - len(before) for row, before in zip(rows, asked, strict=True)])
    kl_N = divergences(model, reference, rows, [len(before) for before in asked])
    return {
        "kl": float(kl_N.mean()),
        "kl_error": float(kl_N.std(ddof=1) / np.sqrt(len(kl_N))) if len(kl_N) > 1 else None,
        "answer_tokens": float(lengths_N.mean()),
        "answers_cut": float(np.mean([row[-1] != prompts.end for row in rows])),
    }
