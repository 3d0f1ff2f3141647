"""The figures of a reward made of several objectives: what they say, and where they are shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning

COMBINED_ON = Meaning(
    name="objective_accuracy",
    unit="share",
    why="How often the combined reward orders the pairs of one objective as they are labelled. Beside that objective's "
    "own reward it says what the combination gives up for the others.",
    where_given=True,
)
HEAD_ON = Meaning(
    name="objective_alone",
    unit="share",
    why="How often an objective's own reward orders its pairs as they are labelled, before it is combined with others.",
    where_given=True,
)
OBJECTIVE_FIGURES: tuple[Meaning, ...] = (COMBINED_ON, HEAD_ON)
