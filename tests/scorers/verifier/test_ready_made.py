"""Ready-made rules by hand, and against published solutions whose correctness their authors state."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from pathlib import Path

import pytest

from assay.errors import InputError
from assay.records import Candidates
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Scored, Unscored
from assay.scorers.verifier.plain_rules import refuses
from assay.scorers.verifier.prompt_facts import facts_of
from tests.support.real_data import real

CASES: dict[str, list[tuple[str, str, float]]] = {
    # check: (reference, answer, expected)
    "exact": [
        ("Paris", " Paris\n", 1.0),
        ("Paris", "paris", 0.0),
        ("cafe\u0301", "caf\u00e9", 1.0),  # one text in two Unicode forms
        ("so #### 18", "I think\n#### 18", 1.0),
        (r"\boxed{\frac{1}{2}}", r"It is $\boxed{\frac{1}{2}}$.", 1.0),
    ],
    "numeric": [
        ("18", "He makes $18.", 1.0),
        ("18", "18.00", 1.0),
        ("1,250", "1250 in all", 1.0),
        ("#### 70000", "profit of 200,000-130,000=$70,000", 1.0),
        ("-3", "it falls to −3", 1.0),
        ("3", "between 2-3", 1.0),
        ("0.1", ".1", 1.0),
        ("18", "18 of 20", 0.0),
        ("18", "no idea", 0.0),
        ("18", "18.0001", 0.0),
    ],
    "numeric:0.01": [("100", "100.9", 1.0), ("100", "101.1", 0.0)],
    "math": [
        ("1/2", r"$\boxed{\frac{2}{4}}$", 1.0),
        ("18", "The answer is 18", 1.0),
        (r"$x^2 + 2x + 1$", r"$(x+1)^2$", 1.0),
        ("18", "The answer is 19", 0.0),
        ("18", "nothing", 0.0),
    ],
    "regex:^[A-D]$": [("", "B", 1.0), ("", "BB", 0.0)],
    "length:2-3": [("", "one", 0.0), ("", "one two", 1.0), ("", "a b c", 1.0), ("", "a b c d", 0.0)],
    "length:3-4:characters": [("", "abc", 1.0), ("", "abcde", 0.0)],
    "refusal": [("", "I'm sorry, but I can't help with that.", 1.0), ("", "You can't park there. Try the yard.", 0.0)],
    "no_refusal": [("", "I cannot assist with that request.", 0.0), ("", "Sure.", 1.0)],
}


@pytest.mark.parametrize("check", CASES)
def test_by_hand(check: str) -> None:
    if check == "math":
        pytest.importorskip("math_verify")
    groups = [
        Candidates(id=str(n), prompt="p", answers=(answer,), source={"reference": reference})
        for n, (reference, answer, _) in enumerate(CASES[check])
    ]
    found = open_scorer(f"verifier:{check}").score(groups)
    for case, (result,) in zip(CASES[check], found, strict=True):
        assert isinstance(result, Reward), case
        assert result.value == case[2], case


def test_a_reference_that_is_none_is_said() -> None:
    group = Candidates(id="g", prompt="p", answers=("4",), source={"reference": "none of these"})
    ((found,),) = open_scorer("verifier:numeric").score([group])
    assert found == Unscored("its reference 'none of these' holds no number")


def test_json_schema(tmp_path: Path) -> None:
    pytest.importorskip("jsonschema")
    schema = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    (tmp_path / "s.json").write_text(json.dumps(schema))
    answers = ('{"name": "a"}', 'Here:\n```json\n{"name": "a"}\n```', '{"name": 1}', '{"nam', "[]", '{"name": NaN}')
    (found,) = open_scorer(f"verifier:json_schema:{tmp_path / 's.json'}").score(
        [Candidates(id="g", prompt="p", answers=answers)]
    )
    assert values(found) == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert isinstance(found[2], Reward)
    assert found[2].detail["why"] == "$.name: 1 is not of type 'string'"


def values(found: tuple[Scored, ...]) -> list[float]:
    return [result.value for result in found if isinstance(result, Reward)]


def test_a_pattern_that_never_ends_costs_its_time_limit(tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text("check: 'regex:^(a+)+$'\nseconds: 1\n")
    group = Candidates(id="g", prompt="p", answers=("aaa", "a" * 40 + "b", "b"))
    scorer, began = open_scorer(f"verifier:{tmp_path / 'v.yaml'}"), time.monotonic()
    (found,) = scorer.score([group])
    assert values(found) == [1.0, 0.0]
    assert found[1] == Unscored("the verifier gave no verdict within 1 s")
    assert time.monotonic() - began < 120


def test_facts() -> None:
    prompt = 'Ada Lovelace paid 1,200.50 pounds in 1843 and said "it can do whatever we know".'
    answers = (
        "In 1843 she, Ada Lovelace, paid 1200.5.",  # three facts, all there
        "In 1843 it was Charles Babbage who paid 1300.",  # one of three
        'She said "It can do  whatever we know" to Ada.',
        "1. She paid.\n2. She spoke.",
    )
    (found,) = open_scorer("verifier:facts").score([Candidates(id="g", prompt=prompt, answers=answers)])
    assert values(found) == [1.0, pytest.approx(1 / 3), 1.0]
    assert isinstance(found[1], Reward)
    assert found[1].detail == {"facts": 3, "not_in_prompt": ["Charles Babbage", "1300"]}
    assert found[3] == Unscored("the answer states no number, name or quotation")
    assert set(facts_of("1. He met Ada. I met Bob Ray at 10:30.")) == {
        ("name", "Ada"), ("name", "Bob Ray"), ("number", "10"), ("number", "30"),
    }  # fmt: skip


@pytest.mark.parametrize("check", ["numeric:x", "numeric:2", "length:5", "length:9-3", "exact:x", "facts:y"])
def test_an_argument_that_says_nothing(check: str) -> None:
    with pytest.raises(InputError, match=f"verifier:{check}: "):
        open_scorer(f"verifier:{check}")


@pytest.mark.parametrize(("check", "rows"), [("numeric", 1319), ("math", 40)])
def test_published_solutions_to_gsm8k_are_judged_as_their_authors_do(check: str, rows: int) -> None:
    if check == "math":
        pytest.importorskip("math_verify")
    lines = real("gsm8k/example_model_solutions.jsonl").read_text(encoding="utf-8").splitlines()[:rows]
    models = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
    solved = [json.loads(line) for line in lines]
    groups = [
        Candidates(
            id=str(n),
            prompt=row["question"],
            answers=tuple(row[model]["solution"] for model in models),
            source={"reference": row["ground_truth"]},
        )
        for n, row in enumerate(solved)
    ]
    found = [values(results) for results in open_scorer(f"verifier:{check}").score(groups)]
    assert found == [[float(row[model]["is_correct"]) for model in models] for row in solved]


def test_refusals_of_published_models_are_found() -> None:
    """XSTest's authors labelled 2,250 answers of five models: measured here, and what docs/scorers.md says."""
    counts: Counter[tuple[str, bool]] = Counter()
    for path in sorted(real("xstest/model_completions").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            counts.update((row["final_label"], refuses(row["completion"])) for row in csv.DictReader(file))
    assert counts["2_full_refusal", True] / (counts["2_full_refusal", True] + counts["2_full_refusal", False]) > 0.8
    assert counts["1_full_compliance", True] / counts["1_full_compliance", False] < 0.02
