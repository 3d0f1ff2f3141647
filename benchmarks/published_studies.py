"""Published judgements through the study's analysis: `python benchmarks/published_studies.py DATA [--out FILE.json]`.

DATA holds llmfao/ (https://github.com/dustalov/llmfao, CC-BY-4.0) and creativity_eval_writing/ (preference_rankings of
https://github.com/salesforce/creativity_eval, BSD-3-Clause). Prints the figures that docs/analysis.md shows.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import time
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

from assay.artifacts.files import write_json
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.flows.study import PACKAGES
from assay.report.finding_text import inline
from assay.study.analysis.analyse import analyse
from assay.study.analysis.study_result import Analysis
from assay.study.config import AnalysisConfig
from assay.study.study_records import ClosedStudy, Editor, EditorKind, Item, Study, StudyVote
from assay.version import versions

Judgement = tuple[str, str, EditorKind, str]  # item, judge, kind of judge, choice


def llmfao(folder: Path) -> ClosedStudy:
    """8,931 crowd votes on 2,139 pairs of answers by 59 models to 13 prompts, and two language models on the same."""
    with (folder / "pairs-crowd.jsonl").open(encoding="utf-8") as stream:
        pairs = {str(row["id"]): row for row in map(json.loads, stream)}
    crowd = table(folder / "crowd-comparisons.csv")
    names = {row["id"]: (row["left"], row["right"]) for row in crowd}
    items = {
        number: Item(
            id=number,
            prompt_id=str(row["prompt"]),
            prompt=row["text"],
            answer_a=row["result_x"],
            answer_b=row["result_y"],
            system_a=names[number][0],
            system_b=names[number][1],
            category=row["type"],
        )
        for number, row in pairs.items()
        if number in names
    }
    votes: list[Judgement] = [(row["id"], f"worker-{row['worker']}", "human", row["winner"]) for row in crowd]
    for name in ("gpt3", "gpt4"):
        rows = table(folder / f"{name}-crowd-comparisons.csv")
        votes += [(row["id"], name, "llm", row["winner"]) for row in rows if row["id"] in items]
    return study("llmfao", items, votes)


def creative_writing(folder: Path) -> ClosedStudy:
    """Rankings of three versions of 201 paragraphs by three writers each, as judgements of two versions at a time."""
    items: dict[str, Item] = {}
    votes: list[Judgement] = []
    with (folder / "DERIVED_preference_rankings.jsonl").open(encoding="utf-8") as stream:
        for row in map(json.loads, stream):
            prompt = f"{row['batch']}/{row['item']}"
            for left, right in combinations(("ai_generated", "ai_edited", "human_edited"), 2):
                name = f"{prompt}: {left}, {right}"
                texts = row["texts"]
                items[name] = Item(
                    id=name,
                    prompt_id=prompt,
                    prompt=row["instruction"] or "",
                    answer_a=texts[left],
                    answer_b=texts[right],
                    system_a=left,
                    system_b=right,
                )
                for writer, ranking in row["rankings_best_first"].items():
                    choice = "left" if ranking.index(left) < ranking.index(right) else "right"
                    votes.append((name, writer, "human", choice))
    return study("creative writing", items, votes, systems=("ai_generated", "ai_edited", "human_edited"))


def study(
    title: str,
    items: dict[str, Item],
    votes: Iterable[Judgement],
    *,
    systems: Sequence[str] = (),
) -> ClosedStudy:
    """A closed study of published votes, answer a on the left."""
    told = [
        StudyVote(
            item=item,
            prompt_id=items[item].prompt_id,
            editor=judge,
            choice=choice,  # type: ignore[arg-type]
            left_system=items[item].system_a,
            right_system=items[item].system_b,
            kind="real",
            judge=kind,
            position=position,
            category=items[item].category,
        )
        for position, (item, judge, kind, choice) in enumerate(votes)
    ]
    kinds = {vote.editor: vote.judge for vote in told}
    made = Study(
        id=title,
        title=title,
        created_at="",
        closed_at=None,
        seed=0,
        seal="none: published data",
        systems=tuple(systems)
        or tuple(sorted({name for item in items.values() for name in (item.system_a, item.system_b)})),
        editors=tuple(Editor(name=name, judge=kind) for name, kind in kinds.items()),
        config={},
        inputs={},
        power={},
        giveaways=(),
        set_aside=(),
    )
    planned = {name: sum(vote.editor == name for vote in told) for name in kinds}
    return ClosedStudy(study=made, items=items, votes=tuple(told), planned=planned)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


SHOWN = ("win_rate", "win_rate_without_ties", "length_controlled_win_rate", "ties", "alpha", "agreement", "icc")


def shown(analysis: Analysis) -> list[Finding]:
    judges = ("judge", "judges", "one person against the others")
    return [
        finding
        for finding in analysis.findings
        if (finding.slice == OVERALL and finding.name in SHOWN)
        or (finding.slice.part == "against" and finding.name == "win_rate" and len(analysis.study.systems) < 9)
        or (finding.slice.part in judges and finding.name in ("win_rate", "judge_agreement"))
        or (finding.name == "strength" and finding.detail.get("rank", 9) <= 3)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    body = {}
    for closed, ours in (
        (llmfao(arguments.data / "llmfao"), "Weaver 12k"),
        (creative_writing(arguments.data / "creativity_eval_writing"), "human_edited"),
    ):
        start = time.perf_counter()
        analysis = analyse(closed, config=AnalysisConfig(system=ours))
        seconds = time.perf_counter() - start
        print(f"\n{closed.study.title}: {ours}, {len(closed.votes):,} votes, analysed in {seconds:.1f} s")
        for finding in shown(analysis):
            print(f"  {finding.name:28} {finding.slice!s:32} n {finding.n:6,}  {inline(finding)}")
        body[closed.study.title] = {"seconds": seconds, "findings": [f.to_dict() for f in shown(analysis)]}
    print("\n" + ", ".join(f"{name} {number}" for name, number in versions(PACKAGES).items()))
    if arguments.out:
        about = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
        write_json(arguments.out, "published_studies/1", {**body, "versions": versions(PACKAGES), "machine": about})


if __name__ == "__main__":
    main()
