"""The figures of a reward on fresh pairs: one row each says unit, why it matters, label, and where it is shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning, Vocabulary

FRESH_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="fresh_accuracy",
        unit="share",
        why="How often the reward prefers, of two answers that the current policy gave, the one that people do. "
        "Optimising goes on from these answers, and not from those of the training data.",
        title="Accuracy on fresh pairs",
        shown={"terminal": "", "key figures": ""},
        where_given=True,
    ),
    Meaning(
        name="fresh_drop",
        unit="share difference",
        why="Held-out accuracy minus accuracy on fresh pairs: two independent samples, each with its interval. What is "
        "lost here was right on the data and is not on what the policy writes.",
        title="Drop from held-out accuracy",
        shown={"terminal": "", "key figures": ""},
        where_given=True,
    ),
    Meaning(
        name="fresh_accuracy_alone",
        unit="share",
        why="The same accuracy by people's votes alone, without any judge.",
        title="By votes alone",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="fresh_judge_agreement",
        unit="share",
        why="How often the judge prefers the answer that people do, on pairs they both decided. A judge that agrees "
        "rarely saves no votes, and does no harm: the estimate leans on it as far as people bear it out.",
        title="Judge agrees with votes",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="votes_saved",
        unit="values",
        why="How many more labelled pairs people alone would have needed for an interval as narrow. Below 0 the judge "
        "added noise.",
        title="Labels that the judge saved",
        shown={"terminal": ""},
        describes=True,
        where_given=True,
    ),
    Meaning(
        name="unsure_accuracy",
        unit="share",
        why="Accuracy on the pairs of which the reward was least sure, chosen for that. It is in no estimate, and says "
        "nothing of other pairs; the votes are worth training on.",
        title="On pairs chosen as unsure",
        shown={"terminal": ""},
        describes=True,
        where_given=True,
    ),
    Meaning(
        name="kpi_falls",
        unit="values",
        why="How often an outside figure got worse from one version of the policy to the next while the reward rose.",
        title="KPIs that fall while the reward rises",
        shown={"terminal": ""},
        describes=True,
        where_given=True,
    ),
)
MEANINGS = Vocabulary(FRESH_FIGURES)
