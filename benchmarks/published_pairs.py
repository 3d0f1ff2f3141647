"""Published judgements as rows that assay reads: `python benchmarks/published_pairs.py DATA --out rows`.

DATA holds finegrained_rlhf/ (https://github.com/allenai/FineGrainedRLHF, Apache-2.0), llmfao/
(https://github.com/dustalov/llmfao, CC-BY-4.0), dices_votes/ (DICES, CC-BY-4.0, in the form of
https://github.com/dmg-illc/JUDGE-BENCH), iterater/ (https://github.com/vipulraheja/iterater, Apache-2.0) and
creativity_eval_writing/ (https://github.com/salesforce/creativity_eval, BSD-3-Clause); what is missing is named and
passed over. Written are rows of pairs or candidates with their votes, and files of recorded scores for `assay audit`:
judges that were asked about the same pairs, or the people whose votes made no label. docs/results/ shows what was
found in them.
"""

from __future__ import annotations

import argparse
import csv
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Literal, TypedDict

from assay.artifacts.files import write_jsonl
from assay.stats.draws import stream

Side = Literal["a", "b"]
CHOICE = {0: "tie", 1: "first", 2: "second"}
SIDE = {"left": "a", "right": "b", "tie": "tie"}
QUESTIONS_TO_TRAIN = 380  # of 500, in the order of the file; the others test
LEAST_SHARED = 5  # words at the beginning of both versions; a shorter one tells the reader nothing to go on from
PARAGRAPHS = ("ai_edited", "ai_generated", "human_edited")
DEPTHS = (3, 5, 7, 15)  # votes that make a label; the item's other votes stand for the best reader


class Answer(TypedDict):
    """One rated reply of DICES."""

    user_prompt: str
    response: str


@dataclass(frozen=True)
class Written:
    """Rows of pairs or candidates, and what was recorded of them, by name of the file."""

    rows: list[dict[str, object]]
    scores: dict[str, list[dict[str, object]]] = field(default_factory=dict)


def finegrained(folder: Path) -> dict[str, Written]:
    """500 questions with four answers each and all six comparisons."""
    rows = json.loads((folder / "dev_feedback.json").read_text(encoding="utf-8"))
    written: list[dict[str, object]] = []
    for n, row in enumerate(rows):
        votes = [
            {"first": i, "second": j, "choice": CHOICE[said]}
            for (i, j), said in zip(combinations(range(4), 2), row["preference"], strict=True)
        ]
        answers = [row[f"prediction {k}"] for k in (1, 2, 3, 4)]
        written.append({"id": f"q{n}", "prompt": row["question"], "answers": answers, "votes": votes})
    return {
        "finegrained": Written(written),
        "finegrained_train": Written(written[:QUESTIONS_TO_TRAIN]),
        "finegrained_test": Written(written[QUESTIONS_TO_TRAIN:]),
    }


def llmfao(folder: Path) -> dict[str, Written]:
    """2,139 pairs of answers by 59 models to 13 prompts, what people said of each, and what two programs said."""
    votes: dict[str, list[dict[str, str]]] = {}
    names: dict[str, tuple[str, str]] = {}
    for row in table(folder / "crowd-comparisons.csv"):
        votes.setdefault(row["id"], []).append({"annotator": f"worker-{row['worker']}", "choice": SIDE[row["winner"]]})
        names[row["id"]] = row["left"], row["right"]
    with (folder / "pairs-crowd.jsonl").open(encoding="utf-8") as lines:
        pairs = {str(row["id"]): row for row in map(json.loads, lines) if str(row["id"]) in votes}
    rows: list[dict[str, object]] = [
        {
            "id": f"pair-{number}",
            "prompt": row["text"],
            "response_a": row["result_x"],
            "response_b": row["result_y"],
            "model_a": names[number][0],
            "model_b": names[number][1],
            "category": row["type"],
            "votes": votes[number],
        }
        for number, row in pairs.items()
    ]
    scores: dict[str, list[dict[str, object]]] = {}
    won = {number: winner([vote["choice"] for vote in votes[number]]) for number in pairs}
    for judge in ("gpt3", "gpt4"):
        said = {row["id"]: SIDE[row["winner"]] for row in table(folder / f"{judge}-crowd-comparisons.csv")}
        worth = {number: {"a": 1.0, "b": 0.0, "tie": 0.5}[said[number]] for number in pairs}
        scores[judge] = [scored(f"pair-{number}", worth[number], won[number]) for number in pairs]
    return {"llmfao": Written(rows, scores)}


def dices(folder: Path) -> dict[str, Written]:
    """Is the reply safe? 69 to 123 people on each: all votes, and labels made of a few with the rest aside."""
    found: dict[str, Written] = {}
    for name in ("dices_990", "dices_350_crowdsourced"):
        items = list(rated(folder / f"{name}.json"))
        expert = {
            key: said[0] for key, _, said in rated(folder / "dices_350_expert.json") if name.startswith("dices_350")
        }
        short = name.removesuffix("_crowdsourced")
        everybody = [safety(f"{short}-{key}", about, said) for key, about, said in items]
        experts = [
            scored(f"{short}-{key}", float(expert[key] == "Yes"), winner(sided(said)))
            for key, _, said in items
            if key in expert
        ]
        found[short] = Written(everybody, {"expert": experts} if experts else {})
        for depth in DEPTHS:
            found[f"{short}_{depth}"] = few_votes(short, items, depth)
    return found


def few_votes(name: str, items: Sequence[tuple[str, Answer, list[str]]], depth: int) -> Written:
    """The label from `depth` votes drawn of those that took a side; as scores, what the item's other people say."""
    rng = stream(0, f"{name} votes {depth}")
    rows: list[dict[str, object]] = []
    others: list[dict[str, object]] = []
    for key, about, said in items:
        taken = [said[place] for place in rng.permutation(len(said)) if said[place] != "Unsure"]
        label, rest = taken[:depth], taken[depth:]
        rows.append(safety(f"{name}-{key}", about, label))
        others.append(scored(f"{name}-{key}", rest.count("Yes") / len(rest), winner(sided(label))))
    return Written(rows, {"others": others})


def safety(name: str, about: Answer, said: Sequence[str]) -> dict[str, object]:
    """One rated reply as a pair: of two statements about it, people vote for one."""
    return {
        "id": name,
        "prompt": f"{about['user_prompt']}\nREPLY: {about['response']}\nIs the reply safe?",
        "response_a": "The reply is safe.",
        "response_b": "The reply is not safe.",
        "model_a": "safe",
        "model_b": "not safe",
        "votes": ["unsure" if word == "Unsure" else side for word, side in zip(said, sided(said), strict=True)],
    }


def rated(path: Path) -> Iterator[tuple[str, Answer, list[str]]]:
    """Id, dialogue and ratings of each item."""
    for item in json.loads(path.read_text(encoding="utf-8"))["instances"]:
        yield str(item["id"]), item["instance"], item["annotations"]["safety"]["individual_human_scores"]


def sided(said: Sequence[str]) -> list[str]:
    return [{"Yes": "a", "No": "b", "Unsure": "tie"}[word] for word in said]


def winner(choices: Sequence[str]) -> Side:
    """The side with more votes; a where there is none, since such a row becomes no pair."""
    count = Counter(choices)
    return "b" if count["b"] > count["a"] else "a"


def scored(name: str, worth_of_a: float, won: Side) -> dict[str, object]:
    """A row of recorded scores, in the order of the pair that the votes make."""
    first, second = worth_of_a, 1 - worth_of_a
    return {"pair_id": name, "chosen": first if won == "a" else second, "rejected": second if won == "a" else first}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def revised_sentences(folder: Path) -> list[dict[str, object]]:
    """A pair a sentence: how it went on after the revision beside how it went on before, documents as groups."""
    rows: list[dict[str, object]] = []
    with zipfile.ZipFile(folder / "human_sent_level.zip") as archive:
        for part in ("train", "dev"):
            for number, line in enumerate(archive.read(f"human_sent_level/{part}.json").decode().splitlines()):
                row = json.loads(line)
                start, after, before = parted(row["after_sent"].split(), row["before_sent"].split())
                if len(start) >= LEAST_SHARED and after and before:
                    rows.append(
                        {
                            "id": f"{part}-{number}",
                            "prompt": f"Finish this sentence.\n\n{' '.join(start)}",
                            "chosen": " ".join(after),
                            "rejected": " ".join(before),
                            "category": row["labels"],
                            "group": row["doc_id"],
                        }
                    )
    return rows


def parted(one: list[str], other: list[str]) -> tuple[list[str], list[str], list[str]]:
    """The words both begin with, and what is left of each."""
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return one[:same], one[same:], other[same:]


def ranked_paragraphs(folder: Path) -> list[dict[str, object]]:
    """Three answers to an instruction, and what each writer said of each two."""
    return [
        {
            "id": f"{row['batch']}-{row['item']}",
            "prompt": row["instruction"],
            "answers": [row["texts"][kind] for kind in PARAGRAPHS],
            "votes": list(order_as_votes(row["rankings_best_first"])),
            "category": row["type"],
        }
        for row in map(json.loads, (folder / "DERIVED_preference_rankings.jsonl").read_text("utf-8").splitlines())
    ]


def order_as_votes(rankings: dict[str, list[str]]) -> Iterator[dict[str, object]]:
    for writer, order in rankings.items():
        for i, j in combinations(range(len(PARAGRAPHS)), 2):
            first = order.index(PARAGRAPHS[i]) < order.index(PARAGRAPHS[j])
            yield {"first": i, "second": j, "choice": "first" if first else "second", "annotator": writer}


def iterater(folder: Path) -> dict[str, Written]:
    return {"iterater": Written(revised_sentences(folder))}


def creativity(folder: Path) -> dict[str, Written]:
    return {"creativity": Written(ranked_paragraphs(folder))}


SETS = {
    "finegrained_rlhf": finegrained,
    "llmfao": llmfao,
    "dices_votes": dices,
    "iterater": iterater,
    "creativity_eval_writing": creativity,
}


def write_all(data: Path, out: Path) -> Mapping[str, int]:
    """Files written and how many rows each has."""
    written: dict[str, int] = {}
    out.mkdir(parents=True, exist_ok=True)
    for folder, read in SETS.items():
        if not (data / folder).is_dir():
            print(f"{data / folder}: not there, passed over")
            continue
        for name, found in read(data / folder).items():
            for file, rows in {name: found.rows, **{f"{name}_{k}": v for k, v in found.scores.items()}}.items():
                write_jsonl(out / f"{file}.jsonl", rows)
                written[file] = len(rows)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    for name, rows in write_all(arguments.data, arguments.out).items():
        print(f"{arguments.out / name}.jsonl: {rows:,} rows")


if __name__ == "__main__":
    main()
