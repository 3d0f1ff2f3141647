"""`assay bench` through its flow: published results recomputed, artifacts, pages, and the same from its own scores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.artifacts.bench_body import BenchBody
from assay.cli.bench import summary
from assay.errors import InputError
from assay.flows.bench import bench
from assay.records import Text, plain_text
from assay.scorers.protocol import Unscored
from tests.suites.made_suites import four, pair
from tests.support.real_data import real


def value(body: BenchBody, name: str) -> float | None:
    return next(one.value for one in body.standings if one.name == name)


# Counted from the files with the authors' rule: correct of 350, 154, 98, 56, 42.
PUBLISHED = {
    "GRM-Gemma-2B": (208, 97, 52, 36, 23),
    "Skywork-Reward-Llama-3.1-8B": (218, 91, 63, 43, 21),
}


@pytest.mark.parametrize("model", PUBLISHED)
def test_judgebench_results_of_both_reward_models_are_what_their_files_say(model: str, tmp_path: Path) -> None:
    folder = real("judgebench")
    results = folder / f"rm_scores_{model}.jsonl"
    body = bench(f"published:{results}", "judgebench", [str(folder / "judgebench_gpt-4o.jsonl")], tmp_path)
    overall, *families = PUBLISHED[model]
    assert value(body, "overall") == value(body, "overall, one game") == overall / 350
    named = zip(("knowledge", "reasoning", "math", "coding"), (154, 98, 56, 42), families, strict=True)
    assert [(value(body, name), n) for name, n, _ in named] == [
        (right / n, n) for n, right in zip((154, 98, 56, 42), families, strict=True)
    ]
    again = bench(tmp_path / "scores.jsonl", "judgebench", [str(results)], tmp_path / "again")
    assert [one.value for one in again.standings] == [one.value for one in body.standings]


def test_rm_bench_chat_and_safety_have_their_published_sizes_and_known_length_rules(tmp_path: Path) -> None:
    body = bench("baseline:longest", "rm-bench", [str(real("rm_bench"))], tmp_path)
    assert body.notes == ()
    chat = next(one for one in body.standings if one.name == "chat")
    assert (chat.n, chat.value) == (129, chat.others["baseline:longest"])
    # Counted from the files with the function of the authors' README, lengths in characters as rewards.
    rows = json.loads((real("rm_bench") / "chat_filtered.json").read_text())
    won = [
        [sum(len(row["chosen"][i]) > len(row["rejected"][j]) for row in rows) / 129 for j in range(3)] for i in range(3)
    ]
    assert value(body, "chat hard") == pytest.approx((won[0][1] + won[0][2] + won[1][2]) / 3)
    assert value(body, "chat easy") == pytest.approx((won[1][0] + won[2][0] + won[2][1]) / 3)


def test_items_too_long_are_named_and_the_figure_has_both_ends(tmp_path: Path) -> None:
    rows = [four(str(n), "Math") for n in range(6)]
    rows[4] = {**rows[4], "rejected": ["LONG", "b", "c"]}
    data = tmp_path / "rows.json"
    data.write_text(json.dumps(rows))

    def first(_: Text, answers: list[Text]) -> list[float | Unscored]:
        texts = map(plain_text, answers)
        return [Unscored("900 tokens; the model reads 512") if t == "LONG" else -float(t[-1] != "0") for t in texts]

    body = bench(first, "rewardbench2", [str(data)], tmp_path / "out")  # type: ignore[arg-type]
    math = next(one for one in body.standings if one.name == "Math")
    assert (math.value, math.n, math.unscored, math.if_wrong) == (1, 5, 1, pytest.approx(5 / 6))
    assert [(one.id, one.why) for one in body.unscored] == [("4", "answer 2: 900 tokens; the model reads 512")]
    text = summary(body, tmp_path / "out")
    assert "1 item not scored whole" in text
    assert "cut at 2,048 tokens" in text
    assert "Math: 6 items, published with 183" in text
    page = (tmp_path / "out" / "bench.html").read_text()
    assert "900 tokens; the model reads 512" in page
    assert "83.3% if wrong, 100.0% if right" in page
    assert BenchBody.read(tmp_path / "out" / "bench.json") == body
    again = bench(tmp_path / "out" / "scores.jsonl", "rewardbench2", [str(data)], tmp_path / "again")
    assert again.standings == body.standings
    assert again.unscored == body.unscored


def test_scores_of_other_items_and_the_folder_of_a_run_are_refused(tmp_path: Path) -> None:
    data, scores = tmp_path / "rows.jsonl", tmp_path / "scores.jsonl"
    data.write_text(json.dumps(pair(1, "hep-go")) + "\n")
    scores.write_text(json.dumps({"id": "2", "scores_chosen": 1.0, "scores_rejected": [0.0]}) + "\n")
    with pytest.raises(InputError, match="has no results for '1'"):
        bench(f"published:{scores}", "rewardbench", [str(data)], tmp_path / "out")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    with pytest.raises(InputError, match="is the folder of a run"):
        bench("baseline:longest", "rewardbench", [str(data)], tmp_path / "run")
