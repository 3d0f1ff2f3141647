"""The figures of the labels of audited pairs: one row each says unit, why it matters, label, and where it is shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning, Vocabulary

LABEL_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="noise_ceiling",
        unit="share",
        why="The most that any reader could reach against these labels, since people disagree and a label is only the "
        "majority of a few of them. Its interval also holds the least that the votes allow for the best reader; "
        "in simulated crowds of many votes an item a nominal 95% held the truth in 92 to 100% of draws.",
        title="Noise ceiling, at most",
        shown={
            "terminal": "",
            "card": "Noise ceiling of the labels, at most",
        },
    ),
    Meaning(
        name="vote_agreement",
        unit="agreement",
        why="Krippendorff's alpha of the votes on these pairs: 1 where people always agree, 0 where they agree no more "
        "than by chance. Pairs set aside as ties or for low agreement are not among them, so over all rows it is "
        "lower. Low agreement makes every accuracy low, whatever the reward knows.",
        title="Agreement of votes (alpha)",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="flipped_labels",
        unit="share",
        why="Labels turned round, or confident mistakes of the reward: pairs that go against wide margins more often "
        "than any scale of them explains. Margins cannot tell the two apart; read the suspected labels. Silence is no "
        "proof: a tenth turned of 1,000 pairs shows in about two of three audits of a reward right in 80%.",
        title="Flipped labels or confident mistakes",
        shown={"terminal": "flipped labels or confident mistakes"},
    ),
    Meaning(
        name="labels_against_votes",
        unit="share",
        why="Labels turned round as the votes on the same pairs tell it, each voter weighed by how well he reads. Such "
        "labels teach the wrong side and count right rewards as wrong.",
        title="Labels against their votes",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="biased_annotators",
        unit="named problems",
        why="Annotators who pick the left or the longer answer (or the right, or the shorter) far more often than "
        "others do on the same pairs. Labels they made teach their habit.",
        shown={"terminal": ""},
        where_given=True,
    ),
    Meaning(
        name="unreliable_annotators",
        unit="named problems",
        why="Annotators who agree with others far less than these agree among themselves on the same pairs. Their "
        "votes lower the ceiling and every accuracy. Silence is no proof: one of ten readers who votes by coin is "
        "named in some 95% of audits of 1,000 pairs where the others agree in 77%, in 68% where these agree in 69%.",
        shown={"terminal": ""},
        where_given=True,
    ),
)

MEANINGS = Vocabulary(LABEL_FIGURES)
