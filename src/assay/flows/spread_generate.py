"""From a policy and prompts to answers, by several workers: `assay generate --engine ray`.

Into one file, where what is written while it runs, and what a killed command goes on with, is as in `generate.py`: a
line an answer. Or into a folder of parts, through which prompts of any number pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from assay.bulk.candidate_places import prompts_at
from assay.bulk.folders import holds_parts, open_folder
from assay.bulk.held_work import PolicyOpening
from assay.bulk.parts_folder import PartsJob, SetAsideBlock
from assay.bulk.spread import Crewing, parts_policy, spread_policy
from assay.bulk.spread_policy import BLOCK, AnsweredBlock
from assay.errors import ConfigError, EmptyBatchError
from assay.flows.generate import AnswersFile, generate_file, prompts_in
from assay.policies.one_by_one import Asked
from assay.scorers.protocol import chunks
from assay.stats.unknown import Unknown

Notify = Callable[[int, int], None]
Aside = tuple[tuple[str, int], ...]  # answers, by their prompt's id and number


def spread_generate(
    opening: PolicyOpening,
    prompts: str,
    out: str,
    *,
    n: int,
    crewing: Crewing,
    notify: Notify = lambda _done, _all: None,
) -> tuple[AnswersFile, Aside]:
    """n answers to each prompt, into a file of JSON lines or a folder of parts.

    Besides what was written, the answers that ended every worker that took them. Raises ConfigError where each worker
    would choose a precision by itself and for Parquet, InputError for a policy that is not run here, and what
    `generate_file`, reading and opening raise.
    """
    if opening.writing is not None and opening.writing.precision == "auto":
        raise ConfigError(
            "precision auto is measured by each worker for itself, and two may choose differently. Name one: "
            "--precision float32 or bf16."
        )
    if holds_parts(out):
        return _into_parts(opening, prompts, out, n=n, crewing=crewing)
    asked = prompts_in(prompts)  # what cannot be read costs no worker
    with spread_policy(opening, crewing) as policy:
        done = generate_file(policy, asked, Path(out), n=n, sampling=opening.sampling, notify=notify)
        return done, tuple(policy.aside)


def _into_parts(
    opening: PolicyOpening, prompts: str, out: str, *, n: int, crewing: Crewing
) -> tuple[AnswersFile, Aside]:
    if out.rstrip("/").endswith(".parquet"):
        raise ConfigError(f"{out}: answers are JSON lines, since a prompt is a text or a chat. Give another name.")
    start, several = time.monotonic(), prompts_at(prompts)
    first = next(several, None)
    if first is None:
        raise EmptyBatchError("There is no prompt to answer.")
    block = max(1, BLOCK // n)
    job = PartsJob(
        holds="answers", by=opening.policy, fingerprint="", source=prompts, block=block, threads=None,
        made={"n": n, **asdict(opening.sampling), "stop": list(opening.sampling.stop)},
    )  # fmt: skip
    blocks: list[AnsweredBlock] = []
    answers = unwritten = known = tokens = 0
    reason: str | None = None
    with parts_policy(opening, crewing, open_folder(out), job=job) as (policy, parts, kept):
        asked = (
            [Asked(prompt, number) for prompt in some for number in range(n)]
            for some in chunks(chain([first], several), block)
        )
        count = 0
        for one in policy.blocks(asked, kept):
            count += 1
            answers += len(one.answers) + len(one.aside)
            known += len(one.answers) if one.known else 0
            tokens += 0 if one.known else sum(answer.tokens or 0 for answer in one.answers)
            why = [answer.text.reason for answer in one.answers if isinstance(answer.text, Unknown)]
            unwritten += len(why) + len(one.aside)
            reason = reason or next(iter(why), one.why or None)
            if one.aside:
                blocks.append(one)
        aside = [
            SetAsideBlock(
                prompts=len({asked.prompt.id for asked in one.aside}), first=one.aside[0].prompt.id,
                last=one.aside[-1].prompt.id, why=one.why,
            )
            for one in blocks
        ]  # fmt: skip
        parts.finish(blocks=count, prompts=answers // n, missing=unwritten, set_aside=aside)
        done = AnswersFile(
            prompts=answers // n, answers=answers, known=known, unanswered=unwritten, tokens=tokens,
            seconds=time.monotonic() - start, made=policy.made(opening.sampling), first_reason=reason,
        )  # fmt: skip
        return done, tuple(policy.aside)
