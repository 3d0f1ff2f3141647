"""Pairs nobody judged yet, for `assay study next`: score files, what they score, a run's open categories.

A run is read through its artifacts. Knows files; which pairs are worth a judgement is proposals.py's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from assay.artifacts.gate_body import GateBody
from assay.data import prompt_groups, read_pairs
from assay.data.candidate_files import EXPECTED, holds_candidates, read_candidates
from assay.data.config import DataConfig
from assay.data.sources.json_rows import json_objects
from assay.errors import InputError
from assay.findings.slice import OVERALL, Slice
from assay.policies.answer_candidates import answer_candidates, holds_answers
from assay.records import Candidates, Pair, to_json
from assay.scorers.protocol import Reward
from assay.scorers.recorded import read_recorded
from assay.study.analysis.proposals import Proposal, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Pairs that every score file has a margin for. unscored: pairs that some file lacks or could not score."""

    questions: tuple[Question, ...]
    models: int
    unscored: int
    undecided: Mapping[str, str]
    chosen_first: bool


def read_pool(sources: Sequence[Path], pairs: str, *, config: DataConfig, run: Path | None = None) -> Pool:
    """Score files, or run folders (their seeds' scores, and what their gate left undecided), and the pairs scored.

    run: a run folder whose open categories count although other scores are given.

    Raises InputError where a file is no score file, or the scores are of other pairs.
    """
    files: list[Path] = []
    undecided = {} if run is None else undecided_categories(run)
    for source in sources:
        if source.is_dir():
            own = sorted(source.glob("seed-*/scores.jsonl"))
            if not own:
                raise InputError(f"{source}: no seed-*/scores.jsonl in it. Give a finished run, or score files.")
            files += own
            undecided |= undecided_categories(source)
        else:
            files.append(source)
    candidates = of_candidates(pairs)
    margins = [margins_of(path, candidates=candidates) for path in files]
    asked = comparisons(pairs, config)
    questions = [
        (pair, tuple(found[pair.id] for found in margins))
        for pair in asked
        if all(pair.id in found for found in margins)
    ]
    if not questions:
        raise InputError(
            f"None of the {len(asked)} pairs of {pairs} is scored in {_listed(files)}. Give the file that was scored."
        )
    names = prompt_groups([pair for pair, _ in questions], threshold=config.near_duplicates, seed=config.seed)
    return Pool(
        questions=tuple(
            Question(
                id=pair.id,
                prompt=pair.prompt,
                answer_a=pair.chosen,
                answer_b=pair.rejected,
                group=group,
                margins=values,
                category=pair.category,
            )
            for (pair, values), group in zip(questions, names, strict=True)
        ),
        models=len(files),
        unscored=len(asked) - len(questions),
        undecided=undecided,
        chosen_first=not candidates,
    )


def proposal_row(proposal: Proposal, *, chosen_first: bool) -> dict[str, object]:
    """A row that `assay study create --pairs` reads. Its systems are what is known of the answers: little."""
    question = proposal.question
    systems = ("chosen", "rejected") if chosen_first else ("a", "b")
    row = {
        "id": question.id,
        "prompt": to_json(question.prompt),
        "answer_a": to_json(question.answer_a),
        "answer_b": to_json(question.answer_b),
        "system_a": systems[0],
        "system_b": systems[1],
        "category": question.category,
        "reason": proposal.reason,
        "disagreement": round(proposal.disagreement, 6),
        "margins": list(question.margins),
    }
    return {name: value for name, value in row.items() if value is not None}


def undecided_categories(run: Path) -> dict[str, str]:
    """category -> why, for each category whose interval holds the threshold of one of the run's open criteria."""
    if not (run / "gate.json").is_file():
        return {}
    found: dict[str, str] = {}
    for criterion in GateBody.read(run / "gate.json").criteria:
        if criterion.verdict != "undecided" or criterion.finding is None:
            continue
        for part in criterion.parts or (criterion,):
            where = Slice.read(part.slice or str(OVERALL))
            if where.part == "category" and part.verdict == "undecided" and part.interval is not None:
                name = criterion.finding.replace("_", " ")
                between = f"{part.interval.low:.3f} to {part.interval.high:.3f}"
                found[where.label] = f'{name} {between} leaves "{criterion.text}" open'
    return found


def of_candidates(pairs: str) -> bool:
    """Whether a file holds several answers a prompt: in lists, or a row each as `assay generate` writes them."""
    return holds_candidates(Path(pairs)) or holds_answers(Path(pairs))


def comparisons(pairs: str, config: DataConfig) -> list[Pair]:
    """What may be asked about: the pairs of a file, or every two different answers under one prompt."""
    if holds_answers(Path(pairs)):
        return _couples(answer_candidates(Path(pairs)), {})
    return _from_candidates(Path(pairs)) if holds_candidates(Path(pairs)) else _from_pairs(pairs, config)


def _from_pairs(pairs: str, config: DataConfig) -> list[Pair]:
    found = read_pairs(pairs, config=config).pairs
    ids = {pair.id for pair in found}
    if len(ids) < len(found):
        raise InputError(f"{pairs}: several pairs have the same id, so scores cannot be told apart. Make ids distinct.")
    return found


def _from_candidates(path: Path) -> list[Pair]:
    categories = {
        str(row.data.get("id", row.where.line)): str(row.data["category"])
        for row in json_objects(path, holds=EXPECTED)
        if row.data.get("category") is not None
    }
    return _couples(read_candidates(path, lost="pass"), categories)


def _couples(groups: Iterable[Candidates], categories: Mapping[str, str]) -> list[Pair]:
    """Every two different answers under one prompt, called as the prompt and their places."""
    return [
        Pair(
            id=f"{group.id}/{i}-{j}",
            prompt=group.prompt,
            chosen=group.answers[i],
            rejected=group.answers[j],
            category=categories.get(group.id, group.category),
        )
        for group in groups
        for i, j in combinations(range(len(group.answers)), 2)
        if group.answers[i] != group.answers[j]
    ]


def margins_of(path: Path, *, candidates: bool) -> dict[str, float]:
    """pair id -> margin; pairs without one are not in it."""
    found: dict[str, float] = {}
    for row in read_recorded(path, unit="prompt" if candidates else "pair"):
        for (i, first), (j, second) in combinations(enumerate(row.scores), 2):
            if isinstance(first, Reward) and isinstance(second, Reward):
                found[f"{row.id}/{i}-{j}" if candidates else row.id] = first.value - second.value
    return found


def _listed(files: Sequence[Path]) -> str:
    return str(files[0]) if len(files) == 1 else f"all of {len(files)} score files"
