"""A file of candidates for `assay optimise`: groups under names of their own, and what the policy did not answer.

Read are what other commands write and take: answers of `assay generate`, rows with a list of answers, and labelled data
of any layout with several answers a prompt. Knows no scorer and no gold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from assay.data import read_pairs
from assay.data.candidate_files import holds_candidates, read_candidates
from assay.data.config import DataConfig
from assay.data.groups.overlap import prompt_groups
from assay.errors import InputError
from assay.policies.answer_candidates import holds_answers
from assay.policies.answer_files import RecordedAnswer, read_answers, read_numbered
from assay.policies.protocol import EMPTY
from assay.records import Candidates, Pair, plain_text
from assay.stats.unknown import Unknown

WAYS = (
    'Give JSON lines of a prompt with its answers ({"prompt", "answers": [...]}), or what '
    "`assay generate --n 64` wrote."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCandidates:
    """Groups in the order of the file. clusters: the prompt group of each, near-duplicate prompts in one.

    missing: by group id, answers that the policy did not give: which number each has, and why. places: by group id,
    which number each answer has in the file, where answers are missing between them.
    """

    groups: tuple[Candidates, ...]
    clusters: tuple[str, ...]
    missing: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    places: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def gave_none(self) -> Mapping[str, Mapping[str, int]]:
        """By group id, how many answers the policy did not give, by why."""
        return {name: Counter(reasons.values()) for name, reasons in self.missing.items()}

    def places_of(self, group: Candidates) -> Sequence[int]:
        return self.places.get(group.id, range(len(group.answers)))


def given_candidates(source: Path | str | Sequence[Candidates], config: DataConfig) -> GivenCandidates:
    """The candidates of a file, or those given. Raises InputError where there is none, and what reading raises."""
    if not isinstance(source, str | Path):
        return _given(source, config, told="the candidates given")
    path = Path(source)
    if holds_answers(path):
        return generated_candidates(path, config)
    if holds_candidates(path):
        groups = read_candidates(path, known="read", ignore=config.ignore)
        return _given(groups, config, told=str(source))
    return _given(read_pairs(str(source), config=config).candidates, config, told=str(source))


def generated_candidates(path: Path, config: DataConfig) -> GivenCandidates:
    """The answers of each prompt of a file of `assay generate`; what is no answer is counted by why."""
    rows: dict[str, list[tuple[int, RecordedAnswer]]] = {}
    numbered = read_numbered(path)
    answers = read_answers(path).answers
    for place, row in enumerate(answers):
        several = rows.setdefault(row.prompt_id or plain_text(row.prompt), [])
        several.append((len(several) if numbered is None else numbered[place].number, row))
    groups, places = [], {}
    missing: dict[str, Mapping[int, str]] = {}
    for name, several in rows.items():
        said = [(number, row.text) for number, row in several if isinstance(row.text, str) and row.text.strip()]
        reasons = {
            number: row.text.reason if isinstance(row.text, Unknown) else EMPTY.reason
            for number, row in several
            if isinstance(row.text, Unknown) or not row.text.strip()
        }
        if reasons:
            missing[name] = reasons
        first = several[0][1]
        places[name] = [number for number, _ in said]
        groups.append(
            Candidates(
                id=name, prompt=first.prompt, answers=tuple(text for _, text in said), category=first.category,
                where=first.where,
            )
        )  # fmt: skip
    found = _given(groups, config, told=str(path))
    return replace(found, missing=missing, places=places)


def _given(groups: Iterable[Candidates], config: DataConfig, *, told: str) -> GivenCandidates:
    found = list(groups)
    if not any(len(group.answers) > 1 for group in found):
        raise InputError(f"{told}: no prompt has two answers or more, so nothing can be picked. {WAYS}")
    names = Counter(group.id for group in found)
    called = tuple(
        group if names[group.id] == 1 else replace(group, id=f"{group.id}-{place}") for place, group in enumerate(found)
    )
    # Prompts that are nearly the same vary together, as in every audit: a pair stands for the prompt alone.
    alone = [Pair(id=one.id, prompt=one.prompt, chosen="", rejected="", group=one.group) for one in called]
    return GivenCandidates(groups=called, clusters=tuple(prompt_groups(alone, threshold=config.near_duplicates)))
