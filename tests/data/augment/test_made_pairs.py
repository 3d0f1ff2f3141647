"""Made pairs: longer and worse, foreign and worse, tied; of the right prompt, marked, counted, the same for a seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from assay.audits.probes.sentences import FILLER
from assay.data.augment.longer_and_worse import PADDING, Material, padded, repeated
from assay.data.augment.made_pairs import Made, made_pairs
from assay.data.config import RRM_KINDS, AugmentConfig
from assay.data.made_mark import made_kind
from assay.errors import ConfigError
from assay.records import Message, Pair, plain_text
from assay.stats.draws import stream


def judged(n: int) -> list[Pair]:
    """Pairs whose texts say whose they are: answer "Right 3. It is so." belongs to prompt 3."""
    return [
        Pair(
            id=f"p{i}",
            prompt=f"Question {i}?",
            chosen=f"Right {i}. It is so.",
            rejected=f"Wrong {i}. It is not so.",
            category="even" if i % 2 == 0 else "odd",
            group=f"g{i}",
            weight=1 + i / 10,
        )
        for i in range(n)
    ]


def groups_of(pairs: list[Pair]) -> list[str]:
    return [str(pair.group) for pair in pairs]


def made(pairs: list[Pair], *, ties: bool = True, **options: object) -> Made:
    return made_pairs(pairs, groups_of(pairs), AugmentConfig.build(options), ties=ties)


def test_the_longer_answer_is_rejected_and_says_what_the_chosen_one_says() -> None:
    pairs = judged(20)
    found = made(pairs, verbosity=1.5, verbosity_growth=2.0)
    assert len(found.pairs) == found.wanted == 30
    by_id = {pair.id: pair for pair in pairs}
    for pair, group in zip(found.pairs, found.groups, strict=True):
        origin = by_id[pair.id.split("/")[0]]
        assert (pair.prompt, pair.chosen, pair.category, pair.weight) == (
            origin.prompt,
            origin.chosen,
            origin.category,
            origin.weight,
        )
        assert group == pair.group == origin.group
        assert len(str(pair.rejected)) >= 2 * len(str(pair.chosen))
        for sentence in ("Right", "It is so."):
            assert sentence in str(pair.rejected)
    assert set(found.by_kind) == {"verbosity padded", "verbosity repeated", "verbosity foreign"}
    assert sum(found.by_kind.values()) == 30
    # a foreign one holds another prompt's chosen sentences, and names both pairs it came from
    foreign = next(pair for pair in found.pairs if made_kind(pair) == "verbosity foreign")
    mine, other = [by_id[one] for one in foreign.source["from"]]  # type: ignore[attr-defined]
    assert other.group != mine.group
    assert str(other.chosen).split(".")[0] in str(foreign.rejected)


def test_under_its_own_prompt_an_answer_beats_a_foreign_one_in_every_way() -> None:
    pairs = judged(12)
    found = made(pairs, rrm=5.0)
    assert Counter(made_kind(pair) for pair in found.pairs) == {f"rrm {kind}": 12 for kind in RRM_KINDS}
    for pair in found.pairs:
        number = str(pair.prompt).split()[1].rstrip("?")
        kind = (made_kind(pair) or "").removeprefix("rrm ")
        own, theirs = kind.split("_")
        chosen, rejected = str(pair.chosen).split(".")[0], str(pair.rejected).split(".")[0]
        assert rejected.split()[1] != number
        if kind == "foreign_foreign":
            assert pair.label == "tie"
            assert chosen.split()[1] not in (number, rejected.split()[1])
        else:
            assert pair.label == "chosen"
            assert chosen == f"{'Right' if own == 'chosen' else 'Wrong'} {number}"
            assert rejected.startswith("Right" if theirs == "chosen" else "Wrong")


def test_a_loss_without_ties_gets_none_and_still_its_share() -> None:
    found = made(judged(12), rrm=2.0, ties=False)
    assert len(found.pairs) == 24
    assert all(pair.label == "chosen" for pair in found.pairs)


def test_the_seed_alone_decides_and_a_larger_share_adds_to_a_smaller() -> None:
    pairs = judged(15)
    first, again = made(pairs, verbosity=0.4, rrm=0.6), made(pairs, verbosity=0.4, rrm=0.6)
    assert first == again
    assert first.pairs != made(pairs, verbosity=0.4, rrm=0.6, seed=1).pairs
    assert {pair.id for pair in first.pairs} < {pair.id for pair in made(pairs, verbosity=0.8, rrm=0.9).pairs}
    assert len({pair.id for pair in made(pairs, verbosity=3.0, rrm=5.0).pairs}) == 15 * 8


def test_one_prompt_group_has_no_foreign_answers_and_makes_fewer_than_wanted() -> None:
    pairs = [replace(pair, group="one") for pair in judged(6)]
    found = made(pairs, verbosity=3.0, rrm=1.0)
    assert found.wanted == 24
    assert dict(found.by_kind) == {"verbosity padded": 6, "verbosity repeated": 6}


def test_canned_answers_are_not_held_against_themselves_nor_made_pairs_against_others() -> None:
    pairs = [replace(pair, chosen="I cannot help with that.") for pair in judged(8)]
    kinds = {made_kind(pair) for pair in made(pairs, rrm=5.0).pairs}
    assert "rrm chosen_chosen" not in kinds
    assert "rrm chosen_rejected" in kinds
    again = made_pairs(
        made(judged(8), verbosity=1.0).pairs, ["g"] * 8, AugmentConfig(verbosity=1.0, rrm=1.0), ties=True
    )
    assert again.pairs == []


def test_of_a_conversation_the_last_message_grows() -> None:
    talk = (Message(role="assistant", content="Let me look. Here it is."),)
    pairs = [replace(judged(2)[0], chosen=talk), judged(2)[1]]
    found = made(pairs, verbosity=0.5, verbosity_kinds=("repeated",))
    pair = next(pair for pair in made(pairs, verbosity=1.0, verbosity_kinds=("repeated",)).pairs if "p0" in pair.id)
    assert len(found.pairs) == 1
    assert pair.rejected == (Message(role="assistant", content="Let me look. Here it is. Let me look."),) or plain_text(
        pair.rejected
    ).startswith("Let me look. Here it is. Let me look.")
    assert not isinstance(pair.rejected, str)


def test_padding_leaves_code_whole_and_other_scripts_alone() -> None:
    code = "Do this. Then that.\n```python\nx = 1. \ny = 2\n```"
    material = Material(foreign="", growth=3.0)
    text = padded(code, material, stream(0, "test"))
    assert text is not None
    assert text.startswith(code)
    assert padded("Да, конечно. Это так.", material, stream(0, "test")) is None
    assert repeated("Да, конечно. Это так.", Material(foreign="", growth=1.2), stream(0, "test")) == (
        "Да, конечно. Это так. Да, конечно."
    )


def test_padding_is_not_what_the_probe_says() -> None:
    assert not set(PADDING) & set(FILLER)


def test_kinds_there_are_not_and_kinds_twice_are_refused() -> None:
    for kinds in (("shorter",), ("padded", "padded"), ()):
        with pytest.raises(ConfigError, match="name each kind once"):
            AugmentConfig.build({"verbosity_kinds": kinds})
