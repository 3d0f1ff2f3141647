"""The figures of a tuned policy: what they say, and where they are shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning

POLICY_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="chosen_change",
        unit="nats per pair",
        title="Change of chosen answers",
        why="How much likelier the policy finds chosen answers than its reference did, in nats an answer. Below 0 it "
        "was tuned away from what people preferred.",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="rejected_change",
        unit="nats per pair",
        title="Change of rejected answers",
        why="The same of rejected answers. A margin grows as well when both sides fall, only one faster.",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="likelihood_displacement",
        unit="share",
        title="Both sides less likely",
        why="Pairs of which both answers became less likely. Their probability went to other answers, which nobody "
        "judged and which may be worse than either.",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="kl_to_base",
        unit="nats per pair",
        title="KL from the base",
        why="How far the policy has gone from its base on prompts it was not trained on, in nats an answer; the "
        "unbiased Rao-Blackwellised estimate over answers of its own.",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="answer_tokens",
        unit="values",
        title="Length of its answers",
        why="Tokens the policy writes to prompts it was not trained on. A policy that learnt length writes to its "
        "limit.",
        describes=True,
        where_given=True,
    ),
)
MEANING = {meaning.name: meaning for meaning in POLICY_FIGURES}
