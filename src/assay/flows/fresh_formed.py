"""A policy's answers to pairs, scored by every seed of the reward, some chosen for people; and the files of all this.

What makes no pair stands in set_aside.jsonl with its reason. Knows answers, scorers and files; knows no study.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assay.artifacts.files import write_jsonl
from assay.audits.fresh.config import FreshConfig
from assay.audits.fresh.fresh_pairs import AsideRow, FreshPair, Purpose, fresh_row, people_row, purposes, two_of
from assay.data.groups.overlap import prompt_groups
from assay.errors import EmptyBatchError
from assay.flows.fresh_known import Leaks
from assay.flows.fresh_margins import Margin, margins_of
from assay.policies.answer_files import read_answers
from assay.policies.protocol import Prompt
from assay.scorers.protocol import Scorer
from assay.stats.draws import stream
from assay.stats.unknown import Unknown

PAIRS, PEOPLE, ASIDE = "fresh_pairs.jsonl", "for_people.jsonl", "set_aside.jsonl"
SCORED = "scored.jsonl"  # margins by scorer, as they come


@dataclass(frozen=True, slots=True, kw_only=True)
class Formed:
    """Pairs with their margins by seed of the reward, and prompts that made none."""

    pairs: Sequence[FreshPair]
    margins: Mapping[str, Sequence[Margin]]
    aside: Sequence[AsideRow]


def formed_pairs(
    scorers: Mapping[int, Scorer],
    leaks: Leaks,
    out: Path,
    *,
    answers: Path,
    seed: int,
    near_duplicates: float | None,
) -> Formed:
    """Pairs of which every seed took both answers, near-duplicate prompts in one group.

    Raises EmptyBatchError where none is left, with what became of the prompts.
    """
    aside = [AsideRow(prompt_id=name, reason="leaked", detail=why) for name, why in leaks.leaked.items()]
    drawn, none = drawn_pairs(leaks.fresh, answers, seed=seed)
    by_seed = {str(number): margins_of(one, drawn, out / SCORED) for number, one in scorers.items()} if drawn else {}
    unread: dict[str, str] = {}
    for several in by_seed.values():
        unread |= {pair.id: margin.unread for pair, margin in zip(drawn, several, strict=True) if margin.unread}
    none += [AsideRow(prompt_id=name, reason="not_scored", detail=why) for name, why in unread.items()]
    kept = [place for place, pair in enumerate(drawn) if pair.id not in unread]
    if not kept:
        counts = ", ".join(
            f"{count} {why.replace('_', ' ')}" for why, count in Counter(a["reason"] for a in none).items()
        )
        raise EmptyBatchError(
            f"No pair of two different answers is left to judge, of {len(leaks.fresh)} prompts: {counts}. The first: "
            f"{none[0]['detail']}. Ask for more answers (--n) or hotter ones (--temperature), or another policy."
        )
    pairs = [drawn[place] for place in kept]
    groups = prompt_groups([pair.pair for pair in pairs], threshold=near_duplicates)
    return Formed(
        pairs=[replace(pair, group=group) for pair, group in zip(pairs, groups, strict=True)],
        margins={number: [several[place] for place in kept] for number, several in by_seed.items()},
        aside=[*aside, *none],
    )


def drawn_pairs(prompts: Sequence[Prompt], path: Path, *, seed: int) -> tuple[list[FreshPair], list[AsideRow]]:
    """One pair a prompt, and the prompts that make none with the reason."""
    texts: dict[str, list[str]] = {prompt.id: [] for prompt in prompts}
    missing: dict[str, Counter[str]] = {prompt.id: Counter() for prompt in prompts}
    for row in read_answers(path).answers:
        found = row.generation.text
        if isinstance(found, Unknown):
            missing[str(row.prompt_id)][found.reason] += 1
        else:
            texts[str(row.prompt_id)].append(found)
    pairs, aside = [], []
    for prompt in prompts:
        two = two_of(prompt.id, texts[prompt.id], seed=seed)
        if not isinstance(two, str):
            pairs.append(FreshPair(id=prompt.id, prompt=prompt.text, answer_a=two[0], answer_b=two[1]))
            continue
        had = len(texts[prompt.id])
        said = f"{had} of {had + missing[prompt.id].total()} answers have a text"
        said += ", and all say the same" if two == "equal_answers" else ""
        lost = "; ".join(f"{count}: {why}" for why, count in missing[prompt.id].most_common())
        aside.append(AsideRow(prompt_id=prompt.id, reason=two, detail=f"{said} ({lost})" if lost else said))
    return pairs, aside


def choose_and_write(formed: Formed, out: Path, config: FreshConfig) -> list[Purpose]:
    """Choose what people are asked, and write all pairs, those for people, and what was set aside."""
    values = {seed: [one.value for one in several] for seed, several in formed.margins.items()}
    uses = purposes(formed.pairs, _members(formed, values), votes=config.votes, unsure=config.unsure, seed=config.seed)
    rows = [
        fresh_row(pair, use, {seed: several[place] for seed, several in values.items()})
        for place, (pair, use) in enumerate(zip(formed.pairs, uses, strict=True))
    ]
    write_jsonl(out / PAIRS, rows)
    shown = [pair for pair, use in zip(formed.pairs, uses, strict=True) if use != "unasked"]
    order = stream(config.seed, "fresh pairs for people").permutation(len(shown))  # their place tells nothing
    write_jsonl(out / PEOPLE, [people_row(shown[place]) for place in order])
    write_jsonl(out / ASIDE, formed.aside)
    return uses


def _members(formed: Formed, values: Mapping[str, list[float | None]]) -> Mapping[str, list[float | None]]:
    """Who may disagree: the seeds of a run; of one scorer the members of an ensemble, where it is one."""
    if len(values) > 1:
        return values
    several = next(iter(formed.margins.values()))
    names = several[0].members
    return {name: [one.members.get(name) for one in several] for name in names} if len(names) > 1 else values
