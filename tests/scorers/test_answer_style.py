"""Style in numbers: each mark counted by hand, code out of the way, and differences as style control takes them."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.style.style_differences import density_difference, length_differences, style_differences, that_add
from assay.scorers.answer_style import COLUMNS, WORDS, first_word, style_of


def seen(text: str) -> dict[str, float]:
    return dict(zip(COLUMNS, style_of(text), strict=True))


def test_every_mark_is_counted():
    text = "# Plan\n\nDo **this** now! Why?\n\n- one\n* two\n  3. three\n\nUse `rm` 🙂"
    found = seen(text)
    assert {name: found[name] for name in ("headers", "list items", "bold", "code", "emoji")} == {
        "headers": 1, "list items": 3, "bold": 1, "code": 1, "emoji": 1,
    }  # fmt: skip
    assert (found["exclamation marks"], found["question marks"], found["paragraphs"]) == (1, 1, 3)


def test_what_stands_in_code_is_no_style():
    found = seen("Look:\n```python\n# not a header\n- not an item\nprint('**no**!')\n```\n")
    assert found["code"] == 1
    assert not any(found[name] for name in ("headers", "list items", "bold", "exclamation marks"))


def test_an_open_code_block_ends_with_the_answer():
    assert seen("```\n# a\n# b")["headers"] == 0


@pytest.mark.parametrize(
    ("text", "refuses"),
    [("I’m sorry, but no.", 1), ("As an AI, I have none.", 1), ("You can't see it.", 0), ("x " * 400 + "I cannot", 0)],
)
def test_refusals_are_said_at_the_start(text, refuses):
    assert seen(text)["refuses"] == refuses


def test_assent_and_first_words():
    assert seen("Sure! Here it is.")["opens with assent"] == 1
    assert seen("Surely not.")["opens with assent"] == 0
    assert first_word("**Don't** do it") == "don't"
    assert first_word("123") == ""


def test_long_words_and_long_sentences_ask_for_more_schooling():
    easy, hard = (
        seen("The cat sat. It ran. We saw it."),
        seen("Notwithstanding considerable institutional resistance, it"),
    )
    assert easy["reading level"] < hard["reading level"]
    # 5 letters a word, 10 words, 1 sentence: 4.71 x 5 + 0.5 x 10 - 21.43
    assert seen(" ".join(["abcde"] * 9) + " abcd.")["reading level"] == pytest.approx(4.71 * 5 + 5 - 21.43)


def test_a_density_difference_by_hand():
    # 2 marks in 50 words against 1 in 100: 4 and 1 per 100 words, (4 - 1) / (4 + 1 + 1)
    up, down = np.zeros((1, len(COLUMNS))), np.zeros((1, len(COLUMNS)))
    bold, words = COLUMNS.index("bold"), COLUMNS.index(WORDS)
    up[0, [bold, words]], down[0, [bold, words]] = (2, 50), (1, 100)
    assert density_difference(up, down, "bold")[0] == pytest.approx(0.5)


def test_swapping_the_answers_turns_every_difference():
    first, second = ["# A\n- b!", "Sure, yes.", "no"], ["plain", "I cannot.", "**bold** words?"]
    one, other = style_differences(first, second), style_differences(second, first)
    assert one.names == other.names
    np.testing.assert_allclose(one.values, -other.values)
    length = np.array([[10.0, 300.0], [50.0, 40.0], [90.0, 90.0]])
    np.testing.assert_allclose(length_differences(length).values, -length_differences(length[:, ::-1]).values)


def test_a_feature_that_another_tells_is_taken_once():
    both = style_differences(["- **a**", "- **b**\n- **c** d e"], ["x", "y"])
    assert {"list items", "bold"} <= set(both.names)
    kept = that_add(both).names
    assert "list items" in kept
    assert "bold" not in kept
