"""From two scorers and labelled pairs to which is better: `assay compare`. Knows the order of the steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.compare_body import CompareBody, JudgeCostBody, SideBody
from assay.artifacts.files import write_jsonl
from assay.audits.compare.compared import Comparison, Scores, compared
from assay.audits.compare.config import CompareConfig
from assay.audits.compare.judge_cost import judge_cost
from assay.audits.lost_rows import rests_on_counts
from assay.config import StageConfig
from assay.data import PairSet, read_pairs
from assay.data.config import DataConfig
from assay.data.contract_report import write_contract
from assay.errors import EmptyBatchError, InputError
from assay.flows.audit import LEFT_OUT, without_unscored
from assay.records import Pair
from assay.report.compare.compare_page import render_compare
from assay.scorers.open import open_scorers
from assay.scorers.protocol import Scorer
from assay.scorers.scored_pairs import ScoredPair, score_pairs
from assay.version import __version__, versions

COMPARE = "compare.json"
DIFFERENCES = "differences.jsonl"
PAGE = "compare.html"
PACKAGES = ("numpy", "scipy", "torch", "transformers")
OTHERS_ARTIFACTS = ("run.json", "audit.json")
SIDES = ("A", "B")


class ScorerCompareConfig(StageConfig):
    """What `assay compare` reads: how rows become pairs, and how two scorers are compared on them."""

    data: DataConfig = DataConfig()
    compare: CompareConfig = CompareConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerComparison:
    """What was found, and as it stands in compare.json."""

    comparison: Comparison
    body: CompareBody


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """template_a, template_b: of a side that others published without a chat template. command: for the record."""

    template_a: str | None = None
    template_b: str | None = None
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSide:
    """One side: its name for the record, and its scorers by seed."""

    name: str
    scorers: Mapping[int, Scorer]


def compare_scorers(
    a: Path | str,
    b: Path | str,
    source: object,
    out: Path,
    *,
    config: ScorerCompareConfig,
    options: CompareOptions | None = None,
) -> ScorerComparison:
    """Compare two scorers on the same pairs; compare.json, compare.html, differences.jsonl, left_out.jsonl and the
    contract go to `out`.

    a, b: what assay.open_scorer takes; of a run folder, every seed. source: what assay.read_pairs takes. Pairs that
    one side cannot read are left out of both. Raises InputError where `out` holds a run or an audit, EmptyBatchError
    where nothing is left, and what reading pairs, scores and models raises.
    """
    refuse_others_folder(out)
    told = options or CompareOptions()
    sides = (
        OpenedSide(name=str(a), scorers=open_scorers(a, template=told.template_a)),
        OpenedSide(name=str(b), scorers=open_scorers(b, template=told.template_b)),
    )
    prints = prints_of(sides)  # opens models: their faults cost no reading of data
    found = read_pairs(source, config=config.data)
    if not found.pairs:
        raise EmptyBatchError(f"{source}: no pair among {found.rows} rows. Look at them with `assay check`.")
    return compare_opened(sides, found, out, source=str(source), config=config, options=told, prints=prints)


def prints_of(sides: tuple[OpenedSide, OpenedSide]) -> dict[str, dict[int, str]]:
    """Fingerprints by side and seed."""
    return {
        side: {seed: scorer.fingerprint for seed, scorer in one.scorers.items()}
        for side, one in zip(SIDES, sides, strict=True)
    }


def compare_opened(
    opened: tuple[OpenedSide, OpenedSide],
    found: PairSet,
    out: Path,
    *,
    source: str,
    config: ScorerCompareConfig,
    options: CompareOptions,
    prints: Mapping[str, Mapping[int, str]],
) -> ScorerComparison:
    """The same for scorers that are open and pairs that are read. Raises EmptyBatchError where nothing is left."""
    told = options
    a, b = (side.name for side in opened)
    sides = {side: one.scorers for side, one in zip(SIDES, opened, strict=True)}
    scores = scored_by_all(sides, prints, found.pairs)
    kept_pairs, kept_groups, kept, left_out = read_by_both(scores, found.pairs, found.groups)
    if not kept_pairs:
        why = next(iter(left_out.values()))
        raise EmptyBatchError(f"None of the {len(found.pairs)} pairs can be read whole by both. The first: {why}.")
    comparison = compared(
        kept["A"], kept["B"], kept_pairs, kept_groups, config=config.compare,
        same=sorted(prints["A"].values()) == sorted(prints["B"].values()),
    )  # fmt: skip
    costs = {side: side_cost(sides[side], scores[side], kept_pairs) for side in SIDES}
    measured = Counter(pair.category for pair in kept_pairs if pair.category and pair.label != "tie")
    body = CompareBody(
        verdict=comparison.decision.verdict,
        sentence=comparison.decision.sentence,
        reason=comparison.decision.reason,
        more_pairs=comparison.decision.more_pairs,
        smallest_seen=comparison.decision.smallest_seen,
        a=SideBody(name=a, fingerprints=dict(prints["A"]), template=told.template_a, cost=costs["A"]),
        b=SideBody(name=b, fingerprints=dict(prints["B"]), template=told.template_b, cost=costs["B"]),
        shared=sorted(set(prints["A"].values()) & set(prints["B"].values())),
        inputs={"data": source},
        config=config.model_dump(mode="json"),
        pairs=comparison.pairs,
        ties=comparison.ties,
        left_out=len(left_out),
        findings=[one.to_body() for one in comparison.findings],
        rests_on=rests_on_counts(found.report, measured),
        assay_version=__version__,
        versions=versions(PACKAGES),
        command=told.command,
    )
    write_jsonl(out / DIFFERENCES, comparison.differences)
    write_jsonl(out / LEFT_OUT, ({"pair_id": name, "why": why} for name, why in left_out.items()))
    write_contract(out, found.report, found.rejects)
    body.write(out / COMPARE)
    render_compare(body, comparison.differences, out / PAGE)
    return ScorerComparison(comparison=comparison, body=body)


def side_cost(
    scorers: Mapping[int, Scorer], scores: Mapping[int, Sequence[ScoredPair]], pairs: Sequence[Pair]
) -> JudgeCostBody | None:
    """Of a side that is one judge, jury or debate."""
    if len(scorers) != 1:
        return None
    ((seed, scorer),) = scorers.items()
    return judge_cost(scorer, scores[seed], pairs)


def refuse_others_folder(out: Path) -> None:
    """Raises InputError where `out` holds a run or an audit."""
    for name in OTHERS_ARTIFACTS:
        if (out / name).exists():
            raise InputError(f"{out} holds {name} of something else, whose files would be lost. Give another --out.")


def scored_by_all(
    sides: Mapping[str, Mapping[int, Scorer]], prints: Mapping[str, Mapping[int, str]], pairs: list[Pair]
) -> dict[str, dict[int, list[ScoredPair]]]:
    """Every scorer's results, by side and seed."""
    known: dict[str, list[ScoredPair]] = {}
    return {
        side: {seed: scored_once(one, prints[side][seed], pairs, known) for seed, one in several.items()}
        for side, several in sides.items()
    }


def scored_once(
    scorer: Scorer, fingerprint: str, pairs: list[Pair], known: dict[str, list[ScoredPair]]
) -> list[ScoredPair]:
    """The scorer's results; one that stands on both sides is asked once."""
    if fingerprint not in known:
        known[fingerprint] = score_pairs(scorer, pairs)
    return known[fingerprint]


def read_by_both(
    scores: dict[str, dict[int, list[ScoredPair]]], pairs: list[Pair], groups: list[str]
) -> tuple[list[Pair], list[str], dict[str, Scores], dict[str, str]]:
    """Pairs that every scorer of both sides took, their groups, their scores by side, and the others with the reason.

    A reward that is not finite stays, and is wrong for its side.
    """
    left_out: dict[str, str] = {}
    for side, by_seed in scores.items():
        one = without_unscored(by_seed, pairs, groups)
        left_out |= {name: f"{side}: {why}" for name, why in one.left_out.items() if name not in left_out}
    places = [place for place, pair in enumerate(pairs) if pair.id not in left_out]
    kept = [pairs[place] for place in places]
    numbers: dict[str, Scores] = {}
    for side, by_seed in scores.items():
        several = {seed: [results[place] for place in places] for seed, results in by_seed.items()}
        numbers[side] = without_unscored(several, kept).scores
    return kept, [groups[place] for place in places], numbers, left_out
