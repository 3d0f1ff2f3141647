"""The figures of whether a reward reads the prompt: unit, why they matter, labels, and where they are shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning

ANSWER_ONLY = Meaning(
    name="answer_only_accuracy",
    unit="share",
    why="How often the words of the two answers, without the prompt, tell which one people preferred: a bag of words "
    "fitted on other prompts. Accuracy up to here needs no reading of the prompt.",
    title="Answers alone",
    shown={"terminal": "", "results table": "answers alone, bag of words"},
)
SWAPPED = Meaning(
    name="swapped_accuracy",
    unit="share",
    why="Accuracy when both answers are scored under another pair's prompt of the same category. It should fall to "
    "what answers alone can tell.",
    title="Accuracy under another prompt",
    shown={"terminal": ""},
    where_given=True,
)
FROM_PROMPT = Meaning(
    name="accuracy_from_prompt",
    unit="share difference",
    why="Accuracy less accuracy under another pair's prompt, on the same pairs. Near zero the reward judges answers "
    "without what was asked, and a policy will learn to answer anything but the question.",
    shown={"terminal": ""},
    where_given=True,
)
OWN_PROMPT = Meaning(
    name="own_prompt_preferred",
    unit="share",
    why="Of two prompts and their preferred answers, how often the reward is higher, in sum, for each answer under its "
    "own prompt than exchanged. Half is what a reward that ignores the prompt gets, however accurate it is.",
    shown={"terminal": ""},
    where_given=True,
)
BY_PROMPT, BY_ANSWER, BY_BOTH = (
    Meaning(
        name=f"reward_by_{name}",
        unit="share",
        why=f"Share of the variance of rewards, within exchanged prompts and answers, that {words}. {sense}",
        title=f"Reward explained by {name}",
        where_given=True,
    )
    for name, words, sense in (
        ("prompt", "the prompt alone explains", "It moves all answers to a prompt alike and so helps no choice."),
        ("answer", "the answer alone explains", "It is the same under every prompt: style, length, tone."),
        ("both", "only prompt and answer together explain", "This is what fits the question."),
    )
)
PROMPT_FIGURES: tuple[Meaning, ...] = (ANSWER_ONLY, SWAPPED, FROM_PROMPT, OWN_PROMPT, BY_PROMPT, BY_ANSWER, BY_BOTH)
