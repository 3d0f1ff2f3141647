"""Pairs nobody judged yet, for `assay study next`: score files, what they score, a run's open categories.

A run is read through its artifacts. Knows files; which pairs are worth a judgement is proposals.py's business.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson

from assay.artifacts.gate_body import GateBody
from assay.data import prompt_groups, read_pairs
from assay.data.config import DataConfig
from assay.errors import InputError
from assay.findings.slice import OVERALL, Slice
from assay.records import Pair, to_json
from assay.scorers.files import holds_candidates, read_candidates
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
    candidates = holds_candidates(Path(pairs))
    margins = [_margins(path, candidates=candidates) for path in files]
    asked = _from_candidates(Path(pairs)) if candidates else _from_pairs(pairs, config)
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


def _from_pairs(pairs: str, config: DataConfig) -> list[Pair]:
    found = read_pairs(pairs, config=config).pairs
    ids = {pair.id for pair in found}
    if len(ids) < len(found):
        raise InputError(f"{pairs}: several pairs have the same id, so scores cannot be told apart. Make ids distinct.")
    return found


def _from_candidates(path: Path) -> list[Pair]:
    """Every two different answers under one prompt, called as the prompt and their places."""
    categories = {
        str(row.get("id", number)): str(row["category"])
        for number, row in _numbered(path)
        if isinstance(row, dict) and row.get("category") is not None
    }
    return [
        Pair(
            id=f"{group.id}/{i}-{j}",
            prompt=group.prompt,
            chosen=group.answers[i],
            rejected=group.answers[j],
            category=categories.get(group.id),
        )
        for group in read_candidates(path)
        for i, j in combinations(range(len(group.answers)), 2)
        if group.answers[i] != group.answers[j]
    ]


def _margins(path: Path, *, candidates: bool) -> dict[str, float]:
    """pair id -> margin; pairs without one are not in it."""
    found: dict[str, float] = {}
    for number, row in enumerate(_rows(path), start=1):
        try:
            if candidates:
                scores = row["scores"]
                for i, j in combinations(range(len(scores)), 2):
                    if scores[i] is not None and scores[j] is not None:
                        found[f"{row['id']}/{i}-{j}"] = float(scores[i]) - float(scores[j])
            elif row["chosen"] is not None and row["rejected"] is not None:
                found[str(row["pair_id"])] = float(row["chosen"]) - float(row["rejected"])
        except (KeyError, TypeError, ValueError):
            what = "id and scores" if candidates else "pair_id, chosen and rejected"
            raise InputError(
                f"{path}:{number}: no row of scores; expected {what}, as assay score writes them."
            ) from None
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    return [row for _, row in _numbered(path)]


def _numbered(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """(line, row) of a JSON-lines file, `.gz` included."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return [(number, orjson.loads(line)) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Give scores.jsonl files or a run folder."
        ) from None
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}: not JSON lines ({error}). Give files that assay score or a run wrote.") from None


def _listed(files: Sequence[Path]) -> str:
    return str(files[0]) if len(files) == 1 else f"all of {len(files)} score files"
