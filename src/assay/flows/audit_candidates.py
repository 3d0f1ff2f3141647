"""A file of candidates scored once: for the figures of whole groups and for the pairs that were derived from them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from assay.audits.scored_group import ScoredGroup
from assay.data.candidate_files import holds_candidates, read_candidates
from assay.data.config import DataConfig
from assay.data.intake import PairSet
from assay.errors import InputError
from assay.records import Candidates, Pair, Text
from assay.scorers.protocol import Reward, Scored, Scorer, score_groups, unit_of
from assay.scorers.recorded import RecordedScorer
from assay.scorers.scored_pairs import ScoredPair, score_pairs

Results = Mapping[str, tuple[Scored, ...]]  # of each group, by its id


def candidates_of(source: object, found: PairSet, config: DataConfig) -> tuple[list[Candidates], str | None]:
    """The groups of a source, with what is known of them: of any layout with many answers a row, or a row an answer.

    A file of candidates is read again, under the names that `assay score` gives its rows. Rows that are no candidates
    are left out: reading pairs has counted them. The second value says why a file that holds candidates could not be
    read as groups at all, though its pairs could.
    """
    if config.layout not in ("auto", "candidates") or config.columns:
        return several(found.candidates), None
    if not isinstance(source, str | Path) or not holds_candidates(Path(source)):
        return several(found.candidates), None
    if found.report.layout is not None and found.report.layout.name != "candidates":
        return several(found.candidates), None
    try:
        rows = read_candidates(Path(source), known="read", ignore=config.ignore, lost="pass", unfit="pass")
        return several(rows), None
    except InputError as error:
        return [], str(error)


def several(groups: Iterable[Candidates]) -> list[Candidates]:
    """Those with more than one answer, each under a name of its own."""
    found = [group for group in groups if len(group.answers) > 1]
    names = Counter(group.id for group in found)
    return [
        group if names[group.id] == 1 else replace(group, id=f"{group.id}-{place}") for place, group in enumerate(found)
    ]


def score_candidates(scorer: Scorer, groups: Sequence[Candidates]) -> Results | None:
    """What each answer gets; None for a scorer whose rewards hold within one pair only, which orders no group.

    A file of scores may be of the groups themselves, as `assay score` writes it of candidates.
    """
    if isinstance(scorer, RecordedScorer):
        if not all(group.id in scorer.rows for group in groups):
            return None
    elif unit_of(scorer) == "pair":
        return None
    return {group.id: results for group, results in score_groups(scorer, groups)}


def score_derived(
    scorer: Scorer, pairs: Sequence[Pair], groups: Sequence[Candidates], results: Results | None
) -> list[ScoredPair]:
    """Each pair's two results, taken from its group's: no answer is scored twice. By itself where groups were not.

    Where a pair's texts are no longer those of its group (a text beside messages became messages), it is scored anew.
    """
    if results is None:
        return score_pairs(scorer, pairs)
    known: dict[tuple[Text, Text], Scored] = {}
    for group in groups:
        known.update(zip(((group.prompt, answer) for answer in group.answers), results[group.id], strict=True))
    other = [p for p in pairs if (p.prompt, p.chosen) not in known or (p.prompt, p.rejected) not in known]
    anew = {one.pair_id: one for one in score_pairs(scorer, other)} if other else {}
    return [
        anew[p.id]
        if p.id in anew
        else ScoredPair(pair_id=p.id, chosen=known[p.prompt, p.chosen], rejected=known[p.prompt, p.rejected])
        for p in pairs
    ]


def scored_groups(
    groups: Sequence[Candidates], by_seed: Mapping[int, Results | None], pairs: Sequence[Pair], names: Sequence[str]
) -> list[ScoredGroup]:
    """The groups with every seed's rewards; none where a seed's scorer orders no group.

    names: the prompt group of each pair; a group of which no pair was derived is one by itself.
    """
    whole = {seed: results for seed, results in by_seed.items() if results is not None}
    if len(whole) < len(by_seed):
        return []
    cluster = {pair.prompt: name for pair, name in zip(pairs, names, strict=True)}
    return [
        ScoredGroup(
            candidates=group,
            rewards={seed: [_number(one) for one in results[group.id]] for seed, results in whole.items()},
            cluster=cluster.get(group.prompt, f"alone: {group.id}"),
        )
        for group in groups
    ]


def _number(one: Scored) -> float | None:
    if isinstance(one, Reward):
        return one.value
    return math.nan if one.not_finite else None
