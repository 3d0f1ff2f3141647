"""The figures of style and over-use: one row each says unit, why it matters, label, and where it is shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning

STYLE_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="style_baseline",
        unit="share",
        why="What the best rule on length, markdown, punctuation, openings and reading level reaches on prompts it was "
        "not fitted on. Accuracy up to here needs no understanding of what an answer says.",
        title="Style-only rule",
        shown={"terminal": "", "style section": ""},
    ),
    Meaning(
        name="accuracy_beyond_style",
        unit="share difference",
        why="Accuracy minus that of the best style-only rule on the same pairs. Near zero, optimising against the "
        "reward can be had by dressing answers.",
        shown={"terminal": "", "style section": ""},
    ),
    Meaning(
        name="accuracy_equal_style",
        unit="share",
        why="Accuracy where the style-only rule gives neither answer more than 55%, so that style cannot help. This "
        "is what the reward knows about content.",
        title="Accuracy at equal style",
        shown={"terminal": "", "style section": ""},
    ),
    Meaning(
        name="style_explained",
        unit="share",
        why="Share of the squared reward differences that style and length foretell on prompts they were not fitted "
        "on. What people like explains some of it in a right reward too.",
        title="Reward explained by style",
        shown={"style section": ""},
    ),
    Meaning(
        name="length_overuse",
        unit="share difference",
        why="How much oftener the reward takes the longer answer (or the shape of length named) than people do, "
        "weighted by how much longer it is. A policy pushed by this reward drifts there, against what people want.",
        title="Goes by length beyond people",
        shown={"terminal": "", "style section": ""},
    ),
    Meaning(
        name="style_overuse",
        unit="share difference",
        why="The same for markdown, punctuation, openings, refusals and reading level, at equal length. The feature "
        "named is the one a policy will overdo first.",
        title="Goes by style beyond people",
        shown={"terminal": "", "style section": ""},
    ),
    Meaning(
        name="source_overuse",
        unit="share difference",
        why="The same for what the data say of each answer, such as who wrote it. A reward inflated for one generator "
        "ranks that generator's answers up whatever they say.",
        title="Goes by origin beyond people",
        shown={"terminal": "", "style section": ""},
        where_given=True,
    ),
)
