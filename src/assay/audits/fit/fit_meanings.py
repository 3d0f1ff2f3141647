"""The figures of a reward's fit to a policy: one row each says unit, why it matters, label, and where it is shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning, Vocabulary

FIT_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="reward_spread",
        unit="reward",
        why="Root of the mean variance of the reward within prompts, over samples of this policy. A policy learns only "
        "from these differences: an accurate reward that hardly varies here teaches slowly (2503.15477).",
        title="Spread of the reward within prompts",
        shown={"terminal": ""},
    ),
    Meaning(
        name="reward_spread_share",
        unit="share",
        why="Share of the reward's variance that lies within prompts; the rest tells prompts apart and teaches nothing "
        "about answers.",
        title="Variance within prompts, of the whole",
        shown={"terminal": ""},
    ),
    Meaning(
        name="cannot_tell_apart",
        unit="share",
        why="Share of prompts in which the reward cannot tell the policy's answers apart: all rewards are equal, or "
        "what seeds or members agree on is less than what they differ by. There it teaches nothing, or noise.",
        title="Prompts whose answers it cannot tell apart",
        shown={"terminal": ""},
    ),
    Meaning(
        name="sample_ties",
        unit="share",
        why="How often two different answers to one prompt get the same reward.",
        title="Ties among different answers",
        shown={"terminal": ""},
    ),
    Meaning(
        name="outside_share",
        unit="share",
        why="Share of samples that lie further from the answers the reward was trained on, in what its head reads, "
        "than held-out answers do at the stated rate of false alarms. There its rewards are guesses.",
        title="Samples outside what it was trained on",
        shown={"terminal": ""},
    ),
    Meaning(
        name="outside_excess",
        unit="share difference",
        why="The same, less the stated rate. The interval knows that the threshold was found on held-out answers too.",
        title="Outside beyond the false-alarm rate",
        shown={"terminal": ""},
    ),
    Meaning(
        name="reward_shift",
        unit="spreads",
        why="Mean reward of the samples less that of the pairs' held-out answers, in spreads of single answers. Far up "
        "or down, the reward is read where it has seen little.",
        title="Reward of samples against the pairs",
        shown={"terminal": ""},
    ),
    Meaning(
        name="length_shift",
        unit="spreads",
        why="Mean length of the samples less that of the training answers, in spreads of single answers.",
        title="Length of samples against the pairs",
        shown={"terminal": ""},
    ),
    Meaning(
        name="style_shift",
        unit="spreads",
        why="The mark, opening or reading level in which samples differ most from the training answers (Holm over all "
        "looked at): what the reward has to judge there it has hardly seen.",
        title="Style that shifted most",
        shown={"terminal": ""},
    ),
)
MEANINGS = Vocabulary(FIT_FIGURES)
