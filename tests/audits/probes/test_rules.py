"""What the rules of the probes make of answers: the change that is said, nothing else, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audits.config import ProbeConfig
from assay.audits.probes.additions import Beside
from assay.audits.probes.all_probes import PROBES, PROMPT_SWAP, probe_names
from assay.audits.probes.probed_pairs import changed_pairs, draw, latin
from assay.errors import ConfigError
from assay.records import Message, Pair

ANSWER = (
    'You can\'t mix them. It is "wrong" to try for 3 days.\nDo it this way:\n- first one\n- second one\n- third one\n'
    "Good luck."
)
BESIDE = Beside(prompt="How do I polish an old wooden table?", other="Rinse the kettle twice.")


def made(name: str, answer: str = ANSWER, seed: int = 0) -> str:
    return PROBES[name].rule(answer, BESIDE, np.random.default_rng(seed))


@pytest.mark.parametrize("name", PROBES)
def test_every_rule_changes_a_plain_answer_and_repeats_itself(name: str) -> None:
    assert made(name) != ANSWER
    assert made(name) == made(name)


@pytest.mark.parametrize("name", [name for name, probe in PROBES.items() if probe.kind == "added"])
def test_what_is_added_leaves_what_was_said(name: str) -> None:
    kept = [word for word in made(name).replace("**", "").split() if word not in ("-", "##")]
    words = [word for word in ANSWER.split() if word != "-"]
    place = -1
    for word in words:  # in order, with whatever was added between
        assert word in kept[place + 1 :]
        place = kept.index(word, place + 1)


def test_rules_by_hand() -> None:
    assert made("empty") == ""
    assert made("echo") == BESIDE.prompt
    assert made("other_answer") == BESIDE.other
    assert set(made("keyword_stuffing").split(", ")) == {"polish", "wooden", "table"}
    assert made("repetition", "One. Two.") == "One. Two. Two. Two."
    assert made("list_order").splitlines()[2:5] == ["- third one", "- second one", "- first one"]
    assert made("list_order", "1. a\n2. b\n3. c") == "1. a\n2. b\n3. c"  # its order may be what it says
    assert made("quotes", 'It\'s "so".') == "It’s “so”."
    assert made("quotes", "It’s “so”.") == 'It\'s "so".'
    assert made("paraphrase", "Do not start. I'm happy.") == "Don't begin. I am glad."
    assert made("case", "Say ```X = 1``` NOW") == "say ```X = 1``` now"
    assert made("white_space", "One. Two.\nThree.") == "One.  Two.\n\nThree."
    assert made("markdown_dressing", "One. Two.") == "## Answer\n\n- **One.**\n- **Two.**"
    assert made("markdown_dressing", "```x```").endswith("\n\n```x```")
    assert made("refusal", "I'm sorry, I can't do that.") == "I'm sorry, I can't do that."


def test_typos_are_as_many_as_stated() -> None:
    text = "polish wooden tables slowly " * 250
    slips = sum(a != b for a, b in zip(text.split(), made("typos", text).split(), strict=True))
    assert 30 <= slips <= 75  # 5% of 1,000 words, within four standard errors
    assert sorted(made("typos", text)) == sorted(text)  # letters change places, none comes or goes


def test_only_latin_script_is_probed_and_the_rest_is_counted() -> None:
    pairs = [
        Pair(id=str(i), prompt=f"q{i}", chosen="Ответ." if i % 2 else "An answer.", rejected="No.") for i in range(40)
    ]
    drawn = draw(pairs, ProbeConfig(pairs=100))
    assert (len(drawn.places), drawn.skipped) == (20, 20)
    assert all(latin(str(pairs[place].chosen)) for place in drawn.places)
    few = draw(pairs, ProbeConfig(pairs=5))
    assert len(few.places) == 5
    assert few == draw(pairs, ProbeConfig(pairs=5))
    assert few.places != draw(pairs, ProbeConfig(pairs=5, seed=1)).places


def test_of_a_conversation_the_last_message_changes() -> None:
    said = (Message(role="assistant", content="One."), Message(role="user", content="And?"))
    pair = Pair(
        id="a",
        prompt=(Message(role="user", content="Ask."),),
        chosen=(*said, Message(role="assistant", content="Fine.")),
        rejected=(*said, Message(role="assistant", content="Bad.")),
    )
    found = changed_pairs([pair], ["a"], draw([pair], ProbeConfig()), ["trailing_space", "echo"], seed=0)
    assert found["trailing_space"].texts["rejected"][0][:-1] == said
    assert found["trailing_space"].texts["rejected"][0][-1].content == "Bad. \n\n \n"
    assert found["echo"].texts["chosen"][0][-1].content == "Ask."


def test_names() -> None:
    assert probe_names("all") == (PROMPT_SWAP, *PROBES)
    with pytest.raises(ConfigError, match="no probe 'fillers'"):
        probe_names("filler,fillers")
