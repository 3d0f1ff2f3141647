"""From agents of the simulated desk to candidates with known truth: `assay simulate candidates`.

Writes a file of answers as `assay generate` does (`assay optimise`, `assay score` and policies read it), each row with
its prompt's category, and the utility of every answer beside it. Knows the order of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from assay.artifacts.files import write_jsonl
from assay.data.sources.json_rows import json_objects
from assay.errors import ConfigError, InputError
from assay.policies.answer_files import answer_row, single_answers
from assay.policies.prompt_files import HOLDS, id_of, read_prompts
from assay.policies.protocol import Generations, Prompt, Sampling
from assay.policies.row_fields import category_of, prompt_id_of, prompt_of
from assay.policies.support_desk import SupportDesk
from assay.records import plain_text
from assay.simulate.known_truth import AnswersTruth, write_with_truth
from assay.simulate.support.answer_policy import AgentMix
from assay.simulate.support.fresh_prompts import fresh_prompts
from assay.simulate.support.reading import ReadCase, gold_utility, read_case
from assay.simulate.support.truth import utility_tables
from assay.stats.unknown import Unknown

FRESH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPrompts:
    """Prompts of the desk, and the category of each where it is known.

    fresh: whether they were drawn here. unsure: those that two categories could have, read as hallucination. unread:
    why a prompt has no truth, by id.
    """

    prompts: tuple[Prompt, ...]
    categories: dict[str, str]
    fresh: bool
    unsure: int
    unread: dict[str, str]

    def category(self, prompt: Prompt) -> str | None:
        return self.categories.get(prompt.id)

    def rows(self) -> Iterator[dict[str, object]]:
        """As they stand in a file of prompts."""
        for one in self.prompts:
            yield {"id": one.id, "prompt": plain_text(one.text), "category": self.category(one)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidatesWritten:
    """What was written. prompts_file: None where prompts were given. mean: of all utilities; best: mean of the best."""

    candidates: Path
    truth: Path
    prompts_file: Path | None
    prompts: int
    answers: int
    unsure: int
    unread: dict[str, str]
    mean: float | None
    best: float | None


def desk_prompts(given: Path | None, *, count: int | None, seed: int) -> DeskPrompts:
    """The prompts of a file of this world, or `count` fresh ones.

    Raises ConfigError where both are asked for; InputError where a file has no prompt that can be read.
    """
    if given is not None and count is not None:
        raise ConfigError(f"{count} fresh prompts and those of {given} were asked for. Leave one of them out.")
    if given is None:
        drawn = fresh_prompts(count or FRESH, seed=seed)
        prompts = tuple(Prompt(id=one.id, text=one.prompt) for one in drawn)
        categories = {one.id: one.category for one in drawn}
    else:
        prompts = tuple(read_prompts(given))
        categories = _told(given)
    cases = {one.id: read_case(plain_text(one.text), categories.get(one.id)) for one in prompts}
    unread = {name: case.reason for name, case in cases.items() if isinstance(case, Unknown)}
    if len(unread) == len(prompts):
        raise InputError(
            f"{given}: none of the {len(prompts)} prompts is the simulated desk's (the first: "
            f"{next(iter(unread.values()))}). Give prompts of `assay simulate support`, or leave them out."
        )
    for name, case in cases.items():
        if isinstance(case, ReadCase):
            categories.setdefault(name, case.category)
    return DeskPrompts(
        prompts=prompts, categories=categories, fresh=given is None, unread=unread,
        unsure=sum(isinstance(case, ReadCase) and case.either for case in cases.values()),
    )  # fmt: skip


def simulate_candidates(
    out: Path, *, mix: AgentMix, n: int, prompts: Path | None = None, count: int | None = None, seed: int = 0
) -> CandidatesWritten:
    """n answers of the agents to each prompt, into the JSON lines `out`, and their truth into `out`.truth.json.

    prompts: a file of this world's prompts; None: `count` fresh ones (100), which then go to NAME.prompts.jsonl.
    Raises ConfigError for n under 1, and see desk_prompts.
    """
    if n < 1:
        raise ConfigError(f"{n} answers to each prompt were asked for; ask for at least 1.")
    desk = desk_prompts(prompts, count=count, seed=seed)
    policy = SupportDesk(mix)
    found = policy.generate(desk.prompts, n, Sampling(seed=seed))
    truth = {one.prompt_id: _truth(one, desk) for one in found}
    said: dict[str, object] = {
        "world": "support", "seed": seed, "policy": policy.name, "n": n,
        "agents": [{"weight": weight, **asdict(habits)} for weight, habits in mix.agents],
        "prompts_fresh": desk.fresh, "prompts_unsure": desk.unsure, "prompts_unread": desk.unread,
        "utility": utility_tables(), "rows": truth,
    }  # fmt: skip
    beside = write_with_truth(out, _rows(found, desk), said)
    prompts_file = out.with_name(f"{out.stem}.prompts.jsonl") if desk.fresh else None
    if prompts_file is not None:
        write_jsonl(prompts_file, desk.rows())
    known = [[one for one in row["utility"] if one is not None] for row in truth.values()]
    return CandidatesWritten(
        candidates=out, truth=beside, prompts_file=prompts_file, prompts=len(found), answers=len(found) * n,
        unsure=desk.unsure, unread=desk.unread, mean=_mean([one for row in known for one in row]),
        best=_mean([max(row) for row in known if row]),
    )  # fmt: skip


def _told(path: Path) -> dict[str, str]:
    """Categories that the rows of a file of prompts state, by id."""
    found: dict[str, str] = {}
    for row, where in json_objects(path, holds=HOLDS):
        category = category_of(row)
        if category is not None:
            found[prompt_id_of(row) or id_of(prompt_of(row, where))] = category
    return found


def _truth(one: Generations, desk: DeskPrompts) -> AnswersTruth:
    """The utility of every answer to one prompt."""
    category = desk.categories.get(one.prompt_id)
    found: list[float | None] = []
    for answer in one.answers:
        worth = (
            gold_utility(plain_text(one.prompt), answer.text, category) if isinstance(answer.text, str) else answer.text
        )
        found.append(None if isinstance(worth, Unknown) else worth)
    return {"category": category, "utility": found}


def _rows(found: Sequence[Generations], desk: DeskPrompts) -> Iterator[dict[str, object]]:
    for one in found:
        for answer in single_answers(one):
            yield {**answer_row(answer), "category": desk.categories.get(one.prompt_id)}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
