"""Planted giveaways are found, and clean answers raise no alarm."""

from __future__ import annotations

import pytest

from assay.study.plan.giveaways import find_giveaways
from assay.study.study_records import Item

SYSTEMS = {"system_a": "sunny-3b", "system_b": "rainy-3b"}


def item(n: int, a: str, b: str, *, prompt: str = "Tell me about gardens.") -> Item:
    return Item(id=f"i{n}", prompt_id=f"p{n}", prompt=prompt, answer_a=a, answer_b=b, **SYSTEMS)


PLANTS = ("roses", "beans", "tulips", "herbs", "apples", "leeks", "peas", "poppies", "mint", "sage", "ferns", "moss")
CLEAN = [
    item(
        n,
        f"Plant {word} early, since the base of the stem {n} needs time; a model gardener waters {word}.",
        f"{word.title()} like shade. Trained plants climb; fine tuning the soil takes {n} weeks.",
    )
    for n, word in enumerate(PLANTS)
]


def test_clean_answers_raise_no_alarm() -> None:
    assert find_giveaways(CLEAN) == []


@pytest.mark.parametrize(
    "text",
    [
        "As the tuned model, I suggest roses.",
        "As a fine-tuned assistant I would say roses.",
        "I was trained by OpenAI to answer.",
        "I am ChatGPT.",
        "As Qwen2, I think so.",
        "sunny-3b says roses.",
        "Roses.<|im_end|>",
        "### Response: Roses",
        "The DPO model prefers roses.",
    ],
)
def test_planted_names_are_found_with_system_and_prompt(text: str) -> None:
    found = [g for g in find_giveaways([*CLEAN, item(99, text, "Roses it is.")]) if g.kind == "name"]
    assert found
    assert all(g.system == "sunny-3b" and g.prompts == ("p99",) for g in found)


def test_a_name_the_prompt_itself_uses_gives_nothing_away() -> None:
    asked = item(99, "ChatGPT is a chat program.", "ChatGPT is by a company.", prompt="What is ChatGPT?")
    assert find_giveaways([*CLEAN, asked]) == []


def test_own_words_are_found() -> None:
    found = find_giveaways(CLEAN, words=["stem 3"])
    assert [(g.system, g.what, g.prompts) for g in found] == [("sunny-3b", "stem 3", ("p3",))]


@pytest.mark.parametrize(
    ("change", "habit"),
    [
        ("Certainly! Here {}", 'start with "Certainly! Here"'),
        ("# Heading\n{}", "use markdown headings"),
        ("- {}", "use bullet lists"),
        ("**Note** {}", "use bold type"),
        ("{} \U0001f600.", "use emoji"),
        ("{} and then", "stop in mid-sentence"),
    ],
)
def test_habits_of_one_system_only_are_found(change: str, habit: str) -> None:
    planted = [item(n, change.format(one.answer_a), one.answer_b) for n, one in enumerate(CLEAN)]
    found = [g for g in find_giveaways(planted) if g.kind == "style"]
    assert any(g.what.startswith(habit) and g.system == "sunny-3b" for g in found)


def test_a_habit_both_share_is_none() -> None:
    both = [item(n, f"# A\n{one.answer_a}", f"# B\n{one.answer_b}") for n, one in enumerate(CLEAN)]
    assert not any("headings" in g.what for g in find_giveaways(both))
