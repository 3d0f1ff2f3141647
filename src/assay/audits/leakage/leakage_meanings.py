"""The figures of leakage: unit, why they matter, labels, and where they are shown. All need --trained-on."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning

LEAKED_PROMPTS = Meaning(
    name="leaked_prompts",
    unit="share",
    why="Pairs whose prompt, up to case, white space and small changes, was also a prompt of the training. On them "
    "accuracy is memory as well as judgement.",
    shown={"terminal": ""},
    describes=True,
    where_given=True,
)
LEAKED_PAIRS = Meaning(
    name="leaked_pairs",
    unit="share",
    why="Pairs that stood in the training as they are: the same prompt and the same two answers, in either order.",
    shown={"terminal": ""},
    describes=True,
    where_given=True,
)
LEAKED_ANSWERS = Meaning(
    name="leaked_answers",
    unit="share",
    why="Pairs with an answer that the training held under another prompt. Such a text may be known as good or bad by "
    "heart, whatever is asked.",
    shown={"terminal": ""},
    describes=True,
    where_given=True,
)
WITHOUT_LEAKS = Meaning(
    name="accuracy_without_leaks",
    unit="share",
    why="Accuracy on the pairs whose prompts the training did not have. This is the figure to quote.",
    shown={"terminal": ""},
    where_given=True,
)
LEAK_GAIN = Meaning(
    name="leak_gain",
    unit="share difference",
    why="Accuracy on all pairs less accuracy without the leaked ones: what the leak adds to the figure.",
    shown={"terminal": ""},
    where_given=True,
)
LEAKAGE_FIGURES: tuple[Meaning, ...] = (LEAKED_PROMPTS, LEAKED_PAIRS, LEAKED_ANSWERS, WITHOUT_LEAKS, LEAK_GAIN)
