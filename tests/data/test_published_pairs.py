"""benchmarks/published_pairs.py: published judgements become rows and recorded scores that agree on who is who."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from benchmarks.published_pairs import DEPTHS, write_all

from assay.artifacts.files import read_jsonl
from assay.data import read_pairs
from assay.data.config import DataConfig


def write_dices(folder: Path) -> None:
    """Two replies, one that nearly all call safe and one that nearly all call unsafe; an expert says the opposite."""
    folder.mkdir(parents=True)
    rated = {"1": ["Yes"] * 40 + ["No"] * 2 + ["Unsure"] * 3, "2": ["No"] * 40 + ["Yes"] * 2 + ["Unsure"] * 3}

    def items(said: dict[str, list[str]]) -> dict[str, object]:
        return {
            "instances": [
                {
                    "id": int(key),
                    "instance": {"user_prompt": f"question {key}", "response": f"reply {key}"},
                    "annotations": {"safety": {"individual_human_scores": votes}},
                }
                for key, votes in said.items()
            ]
        }

    for name in ("dices_990", "dices_350_crowdsourced"):
        (folder / f"{name}.json").write_text(json.dumps(items(rated)))
    (folder / "dices_350_expert.json").write_text(json.dumps(items({"1": ["No"], "2": ["No"]})))


def write_llmfao(folder: Path) -> None:
    """Pair 0: people say right, right, left; pair 1: left twice. One program says right and right, the other ties."""
    folder.mkdir(parents=True)
    texts = {"result_x": "the left answer", "result_y": "the right answer", "type": "knowledge"}
    lines = [json.dumps({"id": n, "prompt": n, "text": f"question {n}", **texts}) for n in (0, 1)]
    (folder / "pairs-crowd.jsonl").write_text("\n".join(lines))
    said = [(0, 7, "right"), (0, 8, "right"), (0, 9, "left"), (1, 7, "left"), (1, 8, "left")]
    write_csv(folder / "crowd-comparisons.csv", [{"id": n, "worker": w, "winner": won} for n, w, won in said])
    write_csv(folder / "gpt3-crowd-comparisons.csv", [{"id": n, "winner": "right"} for n in (0, 1)])
    write_csv(folder / "gpt4-crowd-comparisons.csv", [{"id": n, "winner": "tie"} for n in (0, 1)])


def write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, [*rows[0], "left", "right"])
        table.writeheader()
        table.writerows([{**row, "left": "Model X", "right": "Model Y"} for row in rows])


def scores(path: Path) -> dict[str, tuple[object, object]]:
    return {str(row["pair_id"]): (row["chosen"], row["rejected"]) for row in read_jsonl(path)}


def test_a_label_of_a_few_votes_is_held_against_the_others_of_the_same_item(tmp_path: Path) -> None:
    write_dices(tmp_path / "data/dices_votes")
    written = write_all(tmp_path / "data", tmp_path / "rows")
    assert written["dices_990"] == 2
    for depth in DEPTHS:
        found = read_pairs(tmp_path / f"rows/dices_990_{depth}.jsonl", config=DataConfig(min_agreement=0.5))
        assert [len(pair.votes) for pair in found.pairs] == [depth, depth]
        safe = {pair.id: pair.chosen == "The reply is safe." for pair in found.pairs}
        assert safe == {"dices_990-1": True, "dices_990-2": False}
        others = scores(tmp_path / f"rows/dices_990_{depth}_others.jsonl")
        for pair in found.pairs:
            # Those of the 42 who took a side and made no label: at most two of them say the other thing.
            chosen = sum(vote.choice == "chosen" for vote in pair.votes)
            assert others[pair.id][0] == pytest.approx((40 - chosen) / (42 - depth))
    assert scores(tmp_path / "rows/dices_350_expert.jsonl") == {"dices_350-1": (0.0, 1.0), "dices_350-2": (1.0, 0.0)}


def test_programs_are_scored_in_the_order_that_people_made(tmp_path: Path) -> None:
    write_llmfao(tmp_path / "data/llmfao")
    assert write_all(tmp_path / "data", tmp_path / "rows") == {"llmfao": 2, "llmfao_gpt3": 2, "llmfao_gpt4": 2}
    found = read_pairs(tmp_path / "rows/llmfao.jsonl")
    assert {pair.id: pair.chosen for pair in found.pairs} == {"pair-0": "the right answer", "pair-1": "the left answer"}
    assert [vote.annotator for vote in found.pairs[0].votes] == ["worker-7", "worker-8", "worker-9"]
    assert scores(tmp_path / "rows/llmfao_gpt3.jsonl") == {"pair-0": (1.0, 0.0), "pair-1": (0.0, 1.0)}
    assert set(scores(tmp_path / "rows/llmfao_gpt4.jsonl").values()) == {(0.5, 0.5)}


def test_a_revised_sentence_is_how_it_went_on_behind_what_both_versions_share(tmp_path: Path) -> None:
    folder = tmp_path / "data/iterater"
    folder.mkdir(parents=True)
    kept = {"before_sent": "we show it and do things be done .", "after_sent": "we show it and do what was asked .",
            "labels": "clarity", "doc_id": "7"}  # fmt: skip
    too_short = {**kept, "before_sent": "we show things .", "after_sent": "we show what was asked ."}
    only_cut = {**kept, "before_sent": "we show it and do what was", "after_sent": "we show it and do what was asked ."}
    with zipfile.ZipFile(folder / "human_sent_level.zip", "w") as archive:
        archive.writestr("human_sent_level/train.json", "\n".join(map(json.dumps, (kept, too_short, only_cut))))
        archive.writestr(
            "human_sent_level/dev.json", json.dumps({**kept, "doc_id": "8", "after_sent": "we show it and do ."})
        )
    assert write_all(tmp_path / "data", tmp_path / "rows")["iterater"] == 2
    first, second = read_jsonl(tmp_path / "rows/iterater.jsonl")
    assert str(first["prompt"]).endswith("\n\nwe show it and do")
    assert (first["chosen"], first["rejected"], first["group"]) == ("what was asked .", "things be done .", "7")
    assert (second["id"], second["chosen"]) == ("dev-0", ".")


def test_orders_of_paragraphs_become_a_vote_of_each_writer_on_each_two(tmp_path: Path) -> None:
    folder = tmp_path / "data/creativity_eval_writing"
    folder.mkdir(parents=True)
    orders = {
        "w1": ["human_edited", "ai_generated", "ai_edited"],
        "w2": ["human_edited", "ai_edited", "ai_generated"],
        "w3": ["ai_edited", "human_edited", "ai_generated"],
    }
    texts = {kind: f"paragraph, {kind}" for kind in ("human_edited", "ai_generated", "ai_edited")}
    row = {"batch": "b", "item": 1, "instruction": "a story", "type": "fiction", "texts": texts}
    (folder / "DERIVED_preference_rankings.jsonl").write_text(json.dumps({**row, "rankings_best_first": orders}))
    write_all(tmp_path / "data", tmp_path / "rows")
    found = read_pairs(tmp_path / "rows/creativity.jsonl", config=DataConfig(min_agreement=0.5))
    won = {(pair.chosen, pair.rejected) for pair in found.pairs}
    assert won == {
        (texts["human_edited"], texts["ai_generated"]),
        (texts["human_edited"], texts["ai_edited"]),
        (texts["ai_edited"], texts["ai_generated"]),
    }
