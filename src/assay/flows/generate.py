"""From any policy and prompts to a file of answers: `assay generate`. Knows the order of the steps.

While it runs, `FILE.part` holds one line a finished answer, in the order in which they came; at the end the whole file
is written in the order of the prompts, at once. Killed anywhere, the same call goes on with what is missing, and ends
with the same file. An answer that failed stands in the file with its reason, and is asked for again by the same call.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from assay.artifacts.files import dumps, write_jsonl
from assay.data import read_pairs
from assay.data.config import DataConfig
from assay.errors import ArtifactError, ConfigError, EmptyBatchError
from assay.policies.answer_files import OneAnswer, answer_row, drop_torn, read_numbered, single_answers
from assay.policies.local_policy import LocalPolicy
from assay.policies.one_by_one import Asked, OneByOne, with_a_seed
from assay.policies.prompt_files import holds_prompts, prompts_of, read_prompts
from assay.policies.protocol import Made, Policy, Prompt, Sampling, generate
from assay.stats.unknown import Unknown

TOGETHER = 32  # prompts that a policy which does not answer one by one is asked at once
SYNCED = 1.0  # seconds: what a power cut may cost; a killed process loses nothing that was finished


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersFile:
    """What was written. known: answers that were there already. unanswered: those without a text. tokens: written now.

    first_reason: why the first of the unanswered has none.
    """

    prompts: int
    answers: int
    known: int
    unanswered: int
    tokens: int
    seconds: float
    made: Made
    first_reason: str | None = None


def generate_file(
    policy: Policy,
    prompts: Sequence[Prompt],
    out: Path,
    *,
    n: int,
    sampling: Sampling,
    notify: Callable[[int, int], None] = lambda _done, _all: None,
) -> AnswersFile:
    """n answers of `policy` to each prompt, into the JSON lines `out`.

    notify: gets how many answers there are, and how many there will be. Raises ConfigError for n under 1,
    EmptyBatchError without prompts, ArtifactError where the file holds answers made otherwise or another process
    writes it, and what the policy raises.
    """
    if n < 1:
        raise ConfigError(f"{n} answers to each prompt were asked for; ask for at least 1.")
    if not prompts:
        raise EmptyBatchError("There is no prompt to answer.")
    sampling = with_a_seed(sampling)
    out.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out.with_name(f".{out.name}.lock"))
    try:
        with lock.acquire(timeout=0):
            return _into(policy, prompts, out, n=n, sampling=sampling, notify=notify)
    except Timeout:
        raise ArtifactError(f"{out}: another process writes it. Wait for it, or give another file.") from None


def prompts_in(source: str) -> list[Prompt]:
    """The prompts of a file whose rows have some; else of pairs in any layout, their distinct prompts.

    Raises InputError where they cannot be read.
    """
    path = Path(source).expanduser()
    if holds_prompts(path):
        return read_prompts(path)
    return prompts_of(dict.fromkeys(pair.prompt for pair in read_pairs(source, config=DataConfig()).pairs))


def _into(
    policy: Policy,
    prompts: Sequence[Prompt],
    out: Path,
    *,
    n: int,
    sampling: Sampling,
    notify: Callable[[int, int], None],
) -> AnswersFile:
    start, part = time.monotonic(), out.with_name(f"{out.name}.part")
    if part.exists():
        drop_torn(part)
    if isinstance(policy, LocalPolicy):
        policy.go_on_in(_begun_in(out, part))
    made = policy.made(sampling) if isinstance(policy, OneByOne) else None
    kept = {one.key: one for path in (out, part) for one in _had(path, made)}
    found = {key: one for key, one in kept.items() if one.generation.finish != "error"}
    _refuse_unasked(found, prompts, n, out)
    keys = [(prompt.id, number) for prompt in prompts for number in range(n)]
    missing = [Asked(prompt, number) for prompt in prompts for number in range(n) if (prompt.id, number) not in found]
    tokens = 0
    with _Growing(part) as growing:
        for one in _answered(policy, missing, n, sampling):
            found[one.key] = one
            growing.add(one)
            tokens += one.generation.tokens or 0
            notify(len(found), len(keys))
    # From the prompts as they are asked now: a category made no answer, so one that was named later costs none.
    categories = {prompt.id: prompt.category for prompt in prompts}
    write_jsonl(out, (answer_row(found[key], category=categories[key[0]]) for key in keys))
    part.unlink()
    answers = [found[key] for key in keys]
    reasons = [one.generation.text.reason for one in answers if isinstance(one.generation.text, Unknown)]
    return AnswersFile(
        prompts=len(prompts), answers=len(keys), known=len(keys) - len(missing), unanswered=len(reasons), tokens=tokens,
        seconds=time.monotonic() - start, made=answers[0].made, first_reason=next(iter(reasons), None),
    )  # fmt: skip


def _begun_in(*paths: Path) -> str | None:
    """The precision of the first answer that is there."""
    for path in paths:
        found = read_numbered(path) if path.exists() else None
        if found:
            return found[0].made.precision
    return None


def _had(path: Path, made: Made | None) -> list[OneAnswer]:
    """The answers of an earlier call. Raises ArtifactError for those that another policy or sampling gave."""
    if not path.exists() or not path.stat().st_size:
        return []
    found = read_numbered(path)
    if found is not None and made is not None and made.precision is not None:
        # Files of before the precision was written: there was float32 alone.
        found = [
            one if one.made.precision else replace(one, made=replace(one.made, precision="float32")) for one in found
        ]
    other = next((one.made for one in found or [] if made is not None and one.made != made), None)
    if found is None or other is not None:
        what = "answers that assay did not write" if other is None else f"answers that were made otherwise ({other})"
        raise ArtifactError(f"{path} holds {what}. Give another --out, or delete it.")
    return found


def _refuse_unasked(found: Mapping[tuple[str, int], OneAnswer], prompts: Sequence[Prompt], n: int, out: Path) -> None:
    """Raises ArtifactError for answers that the new file would not hold: what was made is not thrown away."""
    texts = {prompt.id: prompt.text for prompt in prompts}
    lost = [one for one in found.values() if texts.get(one.prompt_id) != one.prompt or one.number >= n]
    if lost:
        raise ArtifactError(
            f"{out} holds {len(lost)} answers that are not asked for now, such as number {lost[0].number} to prompt "
            f"{lost[0].prompt_id!r}. Ask for them too (--n, prompts), or give another --out."
        )


class _Growing:
    """A file of answers that grows by a line an answer."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("ab")
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.fsync(self._stream.fileno())
        self._stream.close()

    def add(self, one: OneAnswer) -> None:
        """On its way to the disk before this returns: a process that is killed loses no line."""
        self._stream.write(dumps(answer_row(one)) + b"\n")
        self._stream.flush()
        if time.monotonic() - self._synced > SYNCED:
            os.fsync(self._stream.fileno())
            self._synced = time.monotonic()


def _answered(policy: Policy, missing: Sequence[Asked], n: int, sampling: Sampling) -> Iterator[OneAnswer]:
    """The missing answers, each as soon as the policy gives it."""
    if isinstance(policy, OneByOne):
        made = policy.made(sampling)
        for place, answer in policy.answers(missing, sampling):
            yield OneAnswer(
                prompt_id=missing[place].prompt.id,
                prompt=missing[place].prompt.text,
                number=missing[place].number,
                generation=answer,
                made=made,
            )
        return
    wanted = {(one.prompt.id, one.number) for one in missing}
    prompts = list(dict.fromkeys(one.prompt for one in missing))
    for start in range(0, len(prompts), TOGETHER):
        for one in generate(policy, prompts[start : start + TOGETHER], n, sampling):
            yield from (answer for answer in single_answers(one) if answer.key in wanted)
