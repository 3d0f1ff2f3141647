"""The figures of a blind study: one row each says unit, why it matters, label, and where it is shown.

"Ours" is the system the study is about; scores are votes, a tie counted half.
"""

from __future__ import annotations

from assay.findings.vocabulary import Meaning, Vocabulary

VOTE_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="win_rate",
        unit="share",
        why="How often people preferred our answer to the other one, a tie counted half for each. One half means "
        "they could not tell the two apart, or liked them equally.",
        shown={"terminal": "", "key figures": "Win rate, ties half"},
    ),
    Meaning(
        name="win_rate_without_ties",
        unit="share",
        why="The same among votes that chose a side. It lies further from one half than the win rate wherever "
        "there are ties; a claim that leaves the ties out should say so.",
        shown={"terminal": "", "key figures": ""},
    ),
    Meaning(
        name="length_controlled_win_rate",
        unit="share",
        why="The win rate the votes predict for answers of equal length. Where it is much nearer to one half than "
        "the win rate, length did part of the winning.",
        title="Win rate at equal length",
        shown={"terminal": "", "key figures": ""},
    ),
    Meaning(
        name="majority_share",
        unit="share",
        why="Prompts whose votes lean to our answer, among those that lean at all. The exact test on these "
        "majorities assumes nothing about how votes on one prompt are related.",
        title="Prompts won by majority",
        shown={"terminal": ""},
    ),
    Meaning(
        name="majority_p_value",
        unit="p value",
        why="How often a coin would give majorities at least this uneven. It is no measure of how much better a "
        "system is.",
        title="Exact test on majorities, p",
        describes=True,
    ),
    Meaning(
        name="ties",
        unit="share",
        why="Votes that called the two about the same. Many ties mean a small or unseen difference.",
    ),
    Meaning(
        name="both_bad",
        unit="share",
        why="Votes that called both answers bad. They count as ties in the win rate; a high share means that "
        "winning says little about being good.",
    ),
    Meaning(
        name="abstentions",
        unit="share",
        why="Judgements without an opinion. They are left out of every rate.",
    ),
    Meaning(
        name="left_share",
        unit="share",
        why="How often the answer on the left was chosen, among votes that chose. Sides are balanced, so far from "
        "one half means that the side was judged and not the answer.",
        title="Left chosen",
        shown={"terminal": ""},
    ),
    Meaning(
        name="side_difference",
        unit="share difference",
        why="Our win rate on the left minus that on the right. Balanced sides cancel it in the win rate; it still "
        "widens the interval and costs votes.",
        title="Win rate left minus right",
    ),
    Meaning(
        name="self_consistency",
        unit="share",
        why="How often an editor said the same about an item shown again with sides swapped. Nobody can agree "
        "with others more than with themselves.",
        shown={"terminal": ""},
    ),
    Meaning(
        name="alpha",
        unit="agreement",
        why="Krippendorff's alpha: agreement between editors beyond chance, 1 for full agreement and 0 for none. "
        "Low agreement means that tastes differ, or that the answers hardly do.",
        title="Krippendorff's alpha",
        shown={"terminal": "", "key figures": "Agreement (alpha)"},
    ),
    Meaning(
        name="agreement",
        unit="share",
        why="How often two editors said the same about an item. Chance alone gives a good part of it: see alpha.",
        title="Two editors say the same",
    ),
    Meaning(
        name="attention_passed",
        unit="share",
        why="Items with a known answer that were judged right. An editor who fails them may not have read the others.",
        title="Attention items right",
        shown={"terminal": ""},
    ),
    Meaning(
        name="coverage",
        unit="share",
        why="Judgements made of those planned. What was never judged may differ from what was.",
        shown={"terminal": ""},
        describes=True,
    ),
    Meaning(
        name="seconds_per_item",
        unit="seconds",
        why="Median time an item was in view before it was judged.",
        title="Seconds per item",
        describes=True,
    ),
    Meaning(
        name="quick_votes",
        unit="share",
        why="Votes given faster than anyone can have read prompt and answers. Where they are many, answers were "
        "not read.",
    ),
    Meaning(
        name="icc",
        unit="correlation",
        why="How alike the votes on one prompt are. The more alike, the less a further editor adds and the more a "
        "further prompt does.",
        title="Likeness of votes on one prompt (ICC)",
        describes=True,
    ),
    Meaning(
        name="strength",
        unit="share",
        why="Bradley-Terry: a system's chance to be preferred to the average system of this study.",
    ),
    Meaning(
        name="judge_agreement",
        unit="share",
        why="How often a program's verdict on an item is that of the people's majority, among items where both "
        "chose a side. Only this says how far the program can stand in for people.",
        title="Agreement with people's majority",
    ),
)
MEANINGS = Vocabulary(VOTE_FIGURES)
