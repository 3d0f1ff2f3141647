"""What every figure is called, its unit, and why it matters. Knows words; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """Unit of a finding, and why it matters in one or two sentences."""

    unit: str
    why: str


MEANINGS: Mapping[str, Meaning] = {
    "accuracy": Meaning(
        "share",
        "How often the reward puts the answer people preferred strictly above the other on prompts it never saw. "
        "A policy or reranker that follows this reward inherits the rest as wrong choices.",
    ),
    "length_baseline": Meaning(
        "share",
        "What the rule 'longest answer wins' reaches on the same pairs. "
        "Accuracy up to here can be had without reading a word.",
    ),
    "length_baseline_tokens": Meaning(
        "share",
        "'Longest answer wins' counted in rendered tokens, the length a policy under optimisation actually controls.",
    ),
    "accuracy_beyond_length": Meaning(
        "share difference",
        "Accuracy minus 'longest wins' on the same pairs. If this is not above zero, optimising against the reward "
        "will mostly buy longer answers.",
    ),
    "accuracy_beyond_shortest": Meaning(
        "share difference",
        "Accuracy minus 'shortest wins' on the same pairs. Where people preferred the shorter answer this is the "
        "length rule to beat.",
    ),
    "length_matched_accuracy": Meaning(
        "share",
        "Accuracy where both answers are about equally long, so length cannot help. "
        "This is what the reward knows about content.",
    ),
    "accuracy_shorter_preferred": Meaning(
        "share",
        "Accuracy where people preferred the shorter answer. A reward that has learnt length fails exactly here.",
    ),
    "accuracy_longer_preferred": Meaning(
        "share",
        "Accuracy where people preferred the longer answer. Set it beside the accuracy on shorter ones: "
        "a wide gap means length does part of the work.",
    ),
    "reward_length_correlation": Meaning(
        "Pearson r",
        "How far the reward difference between two answers to one prompt follows their length difference. "
        "A policy optimised against a reward tied to length drifts to length first.",
    ),
    "accuracy_without_length": Meaning(
        "share",
        "Accuracy of what is left of the reward difference when the part that length explains is taken out. "
        "One half means that nothing but length was there.",
    ),
    "gain_over_length": Meaning(
        "nats per pair",
        "How much better the preferences are predicted by length and reward together than by length alone. "
        "Zero means the reward adds nothing to a ruler.",
    ),
    "degenerate": Meaning(
        "named problems",
        "A constant, tied, broken or two-valued reward gives no gradient to a policy and no order to a reranker, "
        "whatever its accuracy says.",
    ),
    "reward_mean": Meaning(
        "reward",
        "Where the rewards lie. The zero of a Bradley-Terry reward is arbitrary, but a far-off or drifting mean "
        "interacts with KL penalties, clipping and thresholds downstream.",
    ),
    "reward_sd": Meaning(
        "reward",
        "The scale of the rewards, which sets how hard a fixed KL coefficient pulls against them.",
    ),
    "overlap": Meaning(
        "share",
        "How much the distributions of chosen and rejected rewards overlap across prompts. Wide overlap with good "
        "pairwise accuracy means scores compare answers to one prompt, and do not rank across prompts.",
    ),
    "separation": Meaning(
        "AUC",
        "Chance that a chosen answer of any prompt outscores a rejected one of any other. "
        "It matters when a fixed reward threshold filters data or answers.",
    ),
    "saturation": Meaning(
        "share",
        "Pairs whose margin is so wide that the sigmoid is flat (probability beyond 0.9999). "
        "Training no longer moves them, and mistakes among them are made with certainty.",
    ),
    "distinct_values": Meaning(
        "values",
        "How many different rewards occur. Few values mean many ties between answers a policy must tell apart.",
    ),
    "tied_pairs": Meaning(
        "share",
        "Pairs whose two answers got exactly the same reward; they count as wrong, because the reward gives no choice.",
    ),
    "seed_spread": Meaning(
        "share difference",
        "Highest minus lowest accuracy over training seeds. Differences between two recipes smaller than this are "
        "luck until shown otherwise.",
    ),
    "category_gap": Meaning(
        "share difference",
        "Accuracy of the best category minus that of the worst. An average hides the category a policy will exploit.",
    ),
    "calibration_error": Meaning(
        "probability",
        "Mean distance between sigmoid(margin), read as the chance that the preferred answer is preferred, and how "
        "often that holds. Off by much, margins cannot be used as confidences or mixed with other rewards as they are.",
    ),
}

# What a blind study measures. "Ours" is the system the study is about; scores are votes, a tie counted half.
STUDY_MEANINGS: Mapping[str, Meaning] = {
    "win_rate": Meaning(
        "share",
        "How often people preferred our answer to the other one, a tie counted half for each. "
        "One half means they could not tell the two apart, or liked them equally.",
    ),
    "win_rate_without_ties": Meaning(
        "share",
        "The same among votes that chose a side. It lies further from one half than the win rate wherever there are "
        "ties; a claim that leaves the ties out should say so.",
    ),
    "length_controlled_win_rate": Meaning(
        "share",
        "The win rate the votes predict for answers of equal length. Where it is much nearer to one half than the win "
        "rate, length did part of the winning.",
    ),
    "majority_share": Meaning(
        "share",
        "Prompts whose votes lean to our answer, among those that lean at all. The exact test on these majorities "
        "assumes nothing about how votes on one prompt are related.",
    ),
    "majority_p_value": Meaning(
        "p value",
        "How often a coin would give majorities at least this uneven. It is no measure of how much better a system is.",
    ),
    "ties": Meaning("share", "Votes that called the two about the same. Many ties mean a small or unseen difference."),
    "both_bad": Meaning(
        "share",
        "Votes that called both answers bad. They count as ties in the win rate; a high share means that winning says "
        "little about being good.",
    ),
    "abstentions": Meaning("share", "Judgements without an opinion. They are left out of every rate."),
    "left_share": Meaning(
        "share",
        "How often the answer on the left was chosen, among votes that chose. Sides are balanced, so far from one half "
        "means that the side was judged and not the answer.",
    ),
    "side_difference": Meaning(
        "share difference",
        "Our win rate on the left minus that on the right. Balanced sides cancel it in the win rate; it still widens "
        "the interval and costs votes.",
    ),
    "self_consistency": Meaning(
        "share",
        "How often an editor said the same about an item shown again with sides swapped. Nobody can agree with others "
        "more than with themselves.",
    ),
    "alpha": Meaning(
        "agreement",
        "Krippendorff's alpha: agreement between editors beyond chance, 1 for full agreement and 0 for none. Low "
        "agreement means that tastes differ, or that the answers hardly do.",
    ),
    "agreement": Meaning(
        "share",
        "How often two editors said the same about an item. Chance alone gives a good part of it: see alpha.",
    ),
    "attention_passed": Meaning(
        "share",
        "Items with a known answer that were judged right. An editor who fails them may not have read the others.",
    ),
    "coverage": Meaning("share", "Judgements made of those planned. What was never judged may differ from what was."),
    "seconds_per_item": Meaning("seconds", "Median time an item was in view before it was judged."),
    "quick_votes": Meaning(
        "share",
        "Votes given faster than anyone can have read prompt and answers. Where they are many, answers were not read.",
    ),
    "icc": Meaning(
        "correlation",
        "How alike the votes on one prompt are. The more alike, the less a further editor adds and the more a further "
        "prompt does.",
    ),
    "strength": Meaning(
        "share",
        "Bradley-Terry: a system's chance to be preferred to the average system of this study.",
    ),
    "judge_agreement": Meaning(
        "share",
        "How often a program's verdict on an item is that of the people's majority, among items where both chose a "
        "side. Only this says how far the program can stand in for people.",
    ),
}

# Figures that describe what is at hand; they never carry an interval.
DESCRIPTIONS: frozenset[str] = frozenset(
    {
        "seed_spread",
        "degenerate",
        "reward_sd",
        "overlap",
        "distinct_values",
        "majority_p_value",
        "coverage",
        "seconds_per_item",
        "icc",
    }
)
# Everything a criterion may compare.
ALL_MEANINGS: Mapping[str, Meaning] = {**MEANINGS, **STUDY_MEANINGS}
