"""The figures of an audit on groups of candidates: one row each says unit, why it matters, and where it is shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning, Vocabulary

GROUP_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="top1",
        unit="share",
        why="How often the answer with the highest reward is one of the best of its prompt; equal highest rewards "
        "share. Best-of-n sampling does nothing else.",
        title="Picks a best answer",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="top1_beyond_chance",
        unit="share difference",
        why="The same, less what a blind pick reaches in groups of these sizes. Below 0 the reward picks against "
        "people.",
        title="Picks beyond chance",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="top1_beyond_length",
        unit="share difference",
        why="The same, less what the better of 'longest wins' and 'shortest wins' reaches on these groups. If it is "
        "not above 0, picking by length is as good.",
        title="Picks beyond length",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="recovery",
        unit="share of gain",
        why="What picking by this reward gains over a blind pick, as a share of what a perfect pick would gain: 1 is "
        "perfect, 0 is blind. A reward may order pairs well and still recover little.",
        title="Recovery",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="rank_correlation",
        unit="correlation",
        why="Kendall's tau-b of reward and people's order within a prompt, mean over prompts. Correlation over all "
        "prompts together is higher and says nothing of choices within one.",
        title="Rank correlation within prompts",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="group_ties",
        unit="share",
        why="How often the reward gives two answers of one prompt the same number where people see a difference: there "
        "it cannot choose.",
        title="Ties within prompts",
        shown={"terminal": ""},
        where_given=True,
    ),
)
MEANINGS = Vocabulary(GROUP_FIGURES)
