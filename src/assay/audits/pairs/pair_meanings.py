"""The figures of an audit on labelled pairs: one row each says unit, why it matters, label, and where it is shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning, Vocabulary

PAIR_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="accuracy",
        unit="share",
        why="How often the reward puts the answer people preferred strictly above the other on prompts it never "
        "saw. A policy or reranker that follows this reward inherits the rest as wrong choices.",
        shown={
            "terminal": "",
            "key figures": "Held-out accuracy",
            "card": "Held-out pairwise accuracy",
            "results table": "held-out accuracy",
        },
        each_seed=True,
    ),
    Meaning(
        name="length_baseline",
        unit="share",
        why="What the rule 'longest answer wins' reaches on the same pairs. Accuracy up to here can be had "
        "without reading a word.",
        title="Longest wins",
        shown={
            "terminal": "",
            "card": "Longest-wins baseline",
            "length section": "",
            "results table": "longest answer wins",
        },
    ),
    Meaning(
        name="length_baseline_tokens",
        unit="share",
        why="'Longest answer wins' counted in rendered tokens, the length a policy under optimisation actually "
        "controls.",
        title="Longest wins, in tokens",
        shown={"length section": ""},
        where_given=True,
    ),
    Meaning(
        name="accuracy_beyond_length",
        unit="share difference",
        why="Accuracy minus 'longest wins' on the same pairs. If this is not above zero, optimising against the "
        "reward will mostly buy longer answers.",
        shown={
            "terminal": "",
            "key figures": "Beyond “longest wins”",
            "card": "Accuracy beyond longest wins",
            "length section": "",
            "results table": "accuracy beyond length",
        },
    ),
    Meaning(
        name="accuracy_beyond_shortest",
        unit="share difference",
        why="Accuracy minus 'shortest wins' on the same pairs. Where people preferred the shorter answer this is "
        "the length rule to beat.",
        shown={
            "terminal": "",
            "card": "Accuracy beyond shortest wins",
            "length section": "",
            "results table": "accuracy beyond shortest wins",
        },
    ),
    Meaning(
        name="length_matched_accuracy",
        unit="share",
        why="Accuracy where both answers are about equally long, so length cannot help. This is what the reward "
        "knows about content.",
        title="Accuracy at equal length",
        shown={
            "terminal": "",
            "key figures": "",
            "card": "",
            "length section": "",
            "results table": "accuracy at equal length",
        },
    ),
    Meaning(
        name="accuracy_shorter_preferred",
        unit="share",
        why="Accuracy where people preferred the shorter answer. A reward that has learnt length fails exactly here.",
        title="Accuracy, shorter preferred",
        shown={"length section": "", "results table": "accuracy where people preferred the shorter answer"},
    ),
    Meaning(
        name="accuracy_longer_preferred",
        unit="share",
        why="Accuracy where people preferred the longer answer. Set it beside the accuracy on shorter ones: a "
        "wide gap means length does part of the work.",
        title="Accuracy, longer preferred",
        shown={"length section": ""},
    ),
    Meaning(
        name="reward_length_correlation",
        unit="Pearson r",
        why="How far the reward difference between two answers to one prompt follows their length difference. A "
        "policy optimised against a reward tied to length drifts to length first.",
        title="Correlation with length",
        shown={"terminal": "", "length section": "", "results table": "correlation of reward and length differences"},
    ),
    Meaning(
        name="accuracy_without_length",
        unit="share",
        why="Accuracy of what is left of the reward's order when all that follows length, in a line or bent, is taken "
        "out. One half means that nothing but length was there.",
        shown={"terminal": "", "length section": "", "results table": "accuracy with length taken out"},
    ),
    Meaning(
        name="gain_over_length",
        unit="nats per pair",
        why="How much better the preferences are predicted by length and reward together than by length alone. "
        "Zero means the reward adds nothing to a ruler.",
        shown={"length section": ""},
    ),
    Meaning(
        name="reward_mean",
        unit="reward",
        why="Where the rewards lie. The zero of a Bradley-Terry reward is arbitrary, but a far-off or drifting "
        "mean interacts with KL penalties, clipping and thresholds downstream.",
        shown={"score section": ""},
    ),
    Meaning(
        name="reward_sd",
        unit="reward",
        why="The scale of the rewards, which sets how hard a fixed KL coefficient pulls against them.",
        title="Reward standard deviation",
        shown={"score section": ""},
        describes=True,
    ),
    Meaning(
        name="distinct_values",
        unit="values",
        why="How many different rewards occur. Few values mean many ties between answers a policy must tell apart.",
        shown={"score section": ""},
        describes=True,
    ),
    Meaning(
        name="tied_pairs",
        unit="share",
        why="Pairs whose two answers got exactly the same reward; they count as wrong, because the reward gives "
        "no choice.",
        shown={"terminal": "", "score section": ""},
    ),
    Meaning(
        name="saturation",
        unit="share",
        why="Pairs whose two rewards can no longer be told apart: both at one end of a bounded range, or closer than "
        "float32 can count. A policy gets no gradient there and a reranker no order. Wide margins are not meant.",
        shown={"score section": ""},
    ),
    Meaning(
        name="overlap",
        unit="share",
        why="How much the distributions of chosen and rejected rewards overlap across prompts. Wide overlap with "
        "good pairwise accuracy means scores compare answers to one prompt, and do not rank across prompts.",
        shown={"score section": ""},
        describes=True,
    ),
    Meaning(
        name="separation",
        unit="AUC",
        why="Chance that a chosen answer of any prompt outscores a rejected one of any other. It matters when a "
        "fixed reward threshold filters data or answers.",
        shown={"score section": ""},
    ),
    Meaning(
        name="calibration_error",
        unit="probability",
        why="Typical distance (root mean square) between sigmoid(margin), read as the chance that the preferred answer "
        "is preferred, and how often that holds, luck taken off. Off by much, margins are no confidences.",
        shown={"terminal": "", "results table": "calibration error"},
    ),
    Meaning(
        name="calibration_slope",
        unit="slope",
        why="How much of the margins' log odds comes true: 1 is right, below 1 the reward is surer than it may be, "
        "above 1 less sure. It says which way confidences are wrong, and by how much.",
        shown={"terminal": "", "results table": "calibration slope"},
    ),
    Meaning(
        name="temperature",
        unit="slope",
        why="What margins are to be divided by before sigmoid(margin) is read as a chance, mixed with other rewards "
        "or held against a threshold. It changes no order.",
    ),
    Meaning(
        name="calibration_error_after_temperature",
        unit="probability",
        why="What is left of the calibration error once margins are divided by the temperature: what no change of "
        "scale mends. Fitted and measured on the same pairs, so slightly too good.",
    ),
    Meaning(
        name="brier_score",
        unit="squared error",
        why="Mean squared distance of sigmoid(margin) from what people preferred: 0.25 is a coin, 0 is perfect. Right "
        "order and right confidence both lower it; its parts stand beside it.",
    ),
    Meaning(
        name="log_loss",
        unit="nats per pair",
        why="What the labels cost in nats under sigmoid(margin): 0.693 is a coin. It is the loss most rewards are "
        "trained on, and the one that sure mistakes are dearest in.",
    ),
    Meaning(
        name="calibration_slope_votes",
        unit="slope",
        why="The slope against shares of votes: whether sigmoid(margin) is the chance that one annotator agrees. A "
        "reward calibrated on majority labels is surer than any one of them.",
        where_given=True,
    ),
    Meaning(
        name="calibration_error_votes",
        unit="probability",
        why="Typical distance between sigmoid(margin) and the share of annotators who agreed, luck taken off.",
        where_given=True,
    ),
    Meaning(
        name="seed_spread",
        unit="share difference",
        why="Highest minus lowest accuracy over training seeds. Differences between two recipes smaller than this "
        "are luck until shown otherwise.",
        shown={"terminal": "", "key figures": "Spread between seeds", "results table": "highest minus lowest seed"},
        describes=True,
    ),
    Meaning(
        name="category_gap",
        unit="share difference",
        why="Accuracy of the best category minus that of the worst, with the luck of having been picked taken off. An "
        "average hides the category a policy will exploit.",
        shown={"terminal": ""},
    ),
    Meaning(
        name="degenerate",
        unit="named problems",
        why="A constant, tied, broken or two-valued reward gives no gradient to a policy and no order to a "
        "reranker, whatever its accuracy says.",
        shown={"terminal": "", "results table": "named problems of the scores"},
        describes=True,
    ),
)
MEANINGS = Vocabulary(PAIR_FIGURES)
