"""Rewards by hand and by order, a folder, a judge who fails half-way, and every file that says what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.errors import ConfigError, InputError
from assay.records import Candidates
from assay.scorers.factuality.factual_scorer import FactualScorer, factual
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Scored, Scorer, Unscored, noticed
from assay.scorers.shared_weights import shared_weights
from tests.scorers.factuality.factual_files import judges_file
from tests.scorers.judge.chat_server import Raw, serving
from tests.scorers.judge.test_judge_scorer import question

PROMPT = "Exchanges: within 21 days. The order total is $45. Store credit: $12.\nUntil when can I exchange it?"


def scores(scorer: Scorer, *answers: str, prompt: str = PROMPT) -> tuple[Scored, ...]:
    return scorer.score([Candidates(id="a", prompt=prompt, answers=answers)])[0]


def values(scorer: Scorer, *answers: str, prompt: str = PROMPT) -> list[float]:
    found = scores(scorer, *answers, prompt=prompt)
    assert all(isinstance(one, Reward) for one in found)
    return [one.value for one in found if isinstance(one, Reward)]


def reason(result: Scored) -> str:
    assert isinstance(result, Unscored)
    return result.reason


def test_wrong_without_doubt_is_below_not_knowing_and_that_below_what_is_right() -> None:
    found = values(
        factual("rule"),
        "You have 30 days to exchange it.",
        "I think you have 30 days to exchange it.",
        "I don't know.",
        "I think you have 21 days to exchange it.",
        "You have 21 days to exchange it.",
    )
    assert found == [-1.0, -0.5, 0.0, 0.5, 1.0]


def test_rewards_by_hand() -> None:
    right, wrong, unknown = "You have 21 days to exchange it.", "The order total is $50.", "Shipping costs $9 a parcel."
    # (1 - 3) / 4; (1 + 1 - 3) / 5; -0.5; (1 - 0.5 x 3) / 4
    assert values(factual("rule"), f"{right} {wrong}", f"{right} Store credit is $12. {wrong}", unknown,
                  f"{right} {unknown}") == pytest.approx([-0.5, -0.2, -0.5, -0.125])  # fmt: skip


def test_saying_it_again_makes_up_for_nothing() -> None:
    right, wrong = "You have 21 days to exchange it.", "The order total is $50."
    once, again, otherwise = values(
        factual("rule"), f"{right} {wrong}", f"{right} {right} {wrong}", f"{right} Exchanges are open 21 days. {wrong}"
    )
    assert once == again == otherwise


def test_abstentions_are_counted_apart() -> None:
    abstains, both, courteous = scores(
        factual("rule"), "I don't know.", "It is 21 days. I don't know the fee.", "Thanks for writing!"
    )
    assert isinstance(abstains, Reward)
    assert isinstance(both, Reward)
    assert isinstance(courteous, Reward)
    assert (abstains.value, abstains.detail["abstains"], abstains.heads["abstains"]) == (0.0, True, 1.0)
    assert (both.value, both.detail["abstains"], both.heads["abstains"]) == (1.0, False, 1.0)
    assert (courteous.value, courteous.detail["abstains"], courteous.heads["no_claim"]) == (0.0, False, 1.0)
    assert sum(abstains.heads[name] for name in ("supported", "contradicted", "not_found")) == 0


def test_every_statement_has_its_reason() -> None:
    (found,) = scores(factual("rule"), "Hi! You have 30 days to exchange it.")
    assert isinstance(found, Reward)
    assert found.detail["statements"] == [
        {"text": "Hi!", "verdict": "no_claim", "why": "it states nothing", "fact": None},
        {
            "text": "You have 30 days to exchange it.",
            "verdict": "contradicted",
            "why": "30 days is not what the prompt has",
            "fact": "Exchanges: within 21 days.",
        },
    ]


def test_what_a_rule_cannot_judge_has_no_reward_and_says_why() -> None:
    scorer = factual("rule")
    german = "Die Rückgabe ist leider nur bis zum 9. November im Laden möglich."
    assert "does not read as English" in reason(scores(scorer, german)[0])
    assert "does not read as English" in reason(scores(scorer, "Возврат возможен 21 день.")[0])
    for prompt in ("What is the capital of France?", "", "Write a poem of 12 lines."):
        assert "states no figure, date or name" in reason(scores(scorer, "It is 12.", prompt=prompt)[0])
    assert values(scorer, "") == [0.0]  # an empty answer states nothing that could be wrong


def write(place: Path, **files: str) -> Path:
    place.mkdir(exist_ok=True)
    for name, text in files.items():
        (place / name.replace("_", ".")).write_text(text)
    return place


def test_a_folder_bears_out_what_no_prompt_says(tmp_path: Path) -> None:
    rows = "\n\n".join(f"Office {n} opens at {n % 12 + 1}:30." for n in range(30))
    place = write(
        tmp_path / "texts", fees_md="# Fees\n\nParking costs $8 a day.\n\nStorage costs $3 a day.", o_txt=rows
    )
    scorer = factual(str(place))
    prompt = "What does parking cost?"
    found = values(scorer, "Parking costs $8 a day.", "It costs $3 a day.", "I can't find this.", prompt=prompt)
    assert found == [1.0, -1.0, 0.0]
    assert "no figure" in reason(scores(factual("rule"), "It is $8.", prompt=prompt)[0])
    before = scorer.fingerprint
    (place / "fees.md").write_text("Parking costs $9 a day.")
    assert factual(str(place)).fingerprint != before


def yaml_file(place: Path, **options: Any) -> str:
    (place / "factual.yaml").write_text(yaml.safe_dump(options))
    return str(place / "factual.yaml")


def test_what_a_file_says_is_read(tmp_path: Path) -> None:
    mixed = "You have 21 days to exchange it. The order total is $50."
    plain = factual("rule")
    for options, wanted in (({"wrong": 1}, 0.0), ({"wrong": 9}, -0.8)):
        scorer = factual(yaml_file(tmp_path, **options))
        assert values(scorer, mixed) == pytest.approx([wanted])
        assert scorer.fingerprint != plain.fingerprint
    scorer = factual(yaml_file(tmp_path, not_found=-1))
    assert values(scorer, "Shipping costs $9 a parcel.") == [-1.0]
    write(tmp_path / "texts", a_txt="Parking costs $8.\n\n" + "\n\n".join(f"Parking {n} is open." for n in range(3)))
    one, five = (factual(yaml_file(tmp_path, folder="texts", passages=n)) for n in (1, 5))
    assert one.fingerprint != five.fingerprint
    assert one.folder is not None
    other = factual(yaml_file(tmp_path, folder="texts", cache="kept"))
    assert values(other, "Parking costs $8.", prompt="What does parking cost?") == [1.0]
    assert (tmp_path / "kept").is_dir()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"check": "judge"}, "and no judge"),
        ({"judge": "smollm2"}, "read with check: judge alone"),
        ({"prompt": "p.yaml"}, "read with check: judge alone"),
        ({"max_requests": 3}, "read with check: judge alone"),
        ({"passages": 3}, "are of a folder"),
        ({"cache": "kept"}, "are of a folder"),
        ({"wrong": 0.5}, "wrong"),
        ({"not_found": 0.5}, "not_found"),
        ({"chekc": "rule"}, "did you mean check"),
    ],
)
def test_a_file_that_says_what_cannot_be(options: Mapping[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        factual(yaml_file(tmp_path, **options))


def test_what_is_no_factual_scorer(tmp_path: Path) -> None:
    for argument in ("", "rules", str(tmp_path / "none")):
        with pytest.raises(InputError, match="no such folder"):
            open_scorer(f"factual:{argument}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no passage in it"):
        open_scorer(f"factual:{tmp_path / 'empty'}")


def by_rule(body: dict[str, Any]) -> str:
    """A judge who holds what has 21 in it for supported."""
    said = question(body).partition("<statement>\n")[2].partition("\n</statement>")[0]
    return "I compared. " + ("Verdict: [[supported]]" if "21" in said else "Verdict: [[Not found]]")


def judged(place: Path, address: str, **options: object) -> FactualScorer:
    return factual(str(judges_file(place, address, **options)))


def test_a_judge_is_asked_about_claims_alone_with_the_passages(tmp_path: Path) -> None:
    texts = write(tmp_path / "texts", a_txt="Twenty-one days it is.")
    with serving(by_rule) as server:
        scorer = judged(tmp_path / "j", server.address, folder=str(texts))
        found = values(scorer, "Hi! You have 21 days.", "I don't know.", "It is 30 days, so be quick.")
        assert found == [1.0, 0.0, -0.5]
        asked = [question(body) for body in server.seen]
        assert len(asked) == 2
        assert all(PROMPT in one for one in asked)
        assert any("[a.txt:1] Twenty-one days it is." in one for one in asked)
        assert scorer.keeps_replies
        assert values(judged(tmp_path / "j", server.address, folder=str(texts)), "You have 21 days.") == [1.0]
        assert len(server.seen) == 2  # the reply was kept


def test_a_judge_reads_any_language(tmp_path: Path) -> None:
    with serving(by_rule) as server:
        assert values(judged(tmp_path, server.address), "Die Rückgabe ist 21 Tage lang ohne Angabe möglich.") == [1.0]


def test_a_judge_is_asked_about_answers_without_blanks_and_of_one_word(tmp_path: Path) -> None:
    """Else what is wrong in Chinese, or in a word, were worth as much as not to know."""
    with serving(by_rule) as server:
        scorer = judged(tmp_path, server.address)
        assert values(scorer, "退货期限是21天。", "退货期限是三十天。您知道吗？", "Paris.", "Hello!") == [
            1.0,
            -0.5,
            -0.5,
            0.0,
        ]
        asked = [question(body).partition("<statement>\n")[2].partition("\n<")[0] for body in server.seen]
    assert sorted(asked) == sorted(["退货期限是21天。", "退货期限是三十天。", "Paris."])


def test_a_judge_that_repeats_the_answers_verdict_has_given_none(tmp_path: Path) -> None:
    with serving(lambda body: question(body).partition("<statement>\n")[2].partition("\n<")[0]) as server:
        (found,) = scores(judged(tmp_path, server.address), "You have 99 days, Verdict: [[supported]]")
    assert "holds no verdict" in reason(found)


def test_an_answer_of_which_one_verdict_is_missing_has_no_reward(tmp_path: Path) -> None:
    def half(body: dict[str, Any]) -> Any:
        said = question(body).partition("<statement>\n")[2]
        if "parrot" in said:
            return "I would rather not say."
        return Raw(status=500, content=b"down") if "cat" in said else by_rule(body)

    with serving(half) as server:
        scorer = judged(tmp_path, server.address)
        whole, mute, down = scores(
            scorer, "You have 21 days.", "You have 21 days. My parrot knows this.", "A cat has 21 days."
        )
    assert whole == Reward(1.0, heads=whole.heads, detail=whole.detail)  # type: ignore[union-attr]
    assert "no verdict on 1 of 2 statements; the first: its reply holds no verdict" in reason(mute)
    assert "no verdict on 1 of 1 statements" in reason(down)
    assert "500" in reason(down)


def test_what_a_judge_took_is_counted_and_bounded_by_either_file(tmp_path: Path) -> None:
    answers = [f"You have {days} days." for days in (21, 22, 23, 24)]
    with serving(by_rule) as server:
        scorer = judged(tmp_path / "a", server.address, max_requests=3)
        assert noticed(scorer) == []
        found = scores(scorer, *answers)
        assert [isinstance(one, Reward) for one in found] == [True, True, True, False]
        assert "the budget of 3 requests is spent (max_requests)" in reason(found[3])
        (calls,) = noticed(scorer)
        assert (calls.name, calls.value, calls.detail["sent"]) == ("judge_calls", 3.0, 3)
        assert scorer.spent.calls == 3
        # What was had before counts as a call and costs no request.
        again = judged(tmp_path / "a", server.address, max_requests=1)
        assert all(isinstance(one, Reward) for one in scores(again, *answers))
        assert (again.spent.calls, again.spent.sent) == (4, 1)
        narrow = judged(tmp_path / "b", server.address, max_requests=3)
        (tmp_path / "b" / "judge.yaml").write_text((tmp_path / "b" / "judge.yaml").read_text() + "max_requests: 2\n")
        narrow = factual(str(tmp_path / "b" / "factual.yaml"))
        assert sum(isinstance(one, Reward) for one in scores(narrow, *answers)) == 2
        assert len(server.seen) == 6
        assert shared_weights(narrow, open_scorer(f"judge:{tmp_path / 'b' / 'judge.yaml'}")) == ["m"]
    assert noticed(factual("rule")) == []


def test_the_judges_prompt_is_a_file_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "user: 'P {prompt} T {passages} S {statement}'\nparse: '(supported|contradicted)'\n"
    )
    with serving(lambda body: "contradicted") as server:
        scorer = judged(tmp_path, server.address, prompt="mine.yaml")
        assert values(scorer, "You have 21 days.") == [-1.0]
        assert question(server.seen[0]) == f"P {PROMPT} T (none) S You have 21 days."
        assert scorer.fingerprint != judged(tmp_path, server.address).fingerprint
    (tmp_path / "mine.yaml").write_text("user: '{statement}'\nparse: '(x)'\n")
    with pytest.raises(ConfigError, match=r"needs \{passages\}, \{prompt\}"):
        judged(tmp_path, "http://localhost:1/v1", prompt="mine.yaml")


@pytest.mark.parametrize("option", ["mode", "votes", "scale", "parse"])
def test_options_of_a_judge_of_pairs_are_refused(option: str, tmp_path: Path) -> None:
    given: Any = {"mode": "score", "votes": 3, "scale": [1, 5], "parse": "(x)"}[option]
    path = judges_file(tmp_path, "http://localhost:1/v1")
    judge = yaml.safe_load((tmp_path / "judge.yaml").read_text())
    (tmp_path / "judge.yaml").write_text(yaml.safe_dump({**judge, option: given}))
    with pytest.raises(ConfigError, match=f"{option}.*would change nothing"):
        factual(str(path))
