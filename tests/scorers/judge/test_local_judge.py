"""A judge on this machine: its odds and words are the model's own, however many questions share a beginning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from assay.engine.language_model import LanguageModel
from assay.errors import ConfigError, ModelError, TemplateError
from assay.models.catalogue import CATALOGUE, place_of
from assay.records import Candidates, Message
from assay.scorers.judge.judge_scorer import PairwiseJudge, judge
from assay.scorers.protocol import Reward, Unscored
from tests.scorers.judge.judges import one_by_one, pairwise
from tests.support import bases, language_models
from tests.support.saved_models import LONG


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return language_models.saved(tmp_path_factory.mktemp("judge"))


QUESTIONS = ["How do I get a refund?", "How do I get a refund? No.", "May goods be returned?", "a"]


def chat(text: str) -> tuple[Message, ...]:
    return (Message(role="system", content="Be brief."), Message(role="user", content=text))


def test_odds_and_words_are_transformers_own(folder: Path) -> None:
    ours = LanguageModel.load(str(folder), device="cpu")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    rows = [ours.row(chat(text), begun="The") for text in QUESTIONS]
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTIONS[0]}]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True) + "The"
    assert list(rows[0]) == tokenizer(text, add_special_tokens=False)["input_ids"]
    ids = [ours.token("a"), ours.token("b")]
    found = ours.next_token(rows, ids)
    with torch.no_grad():
        expected = [model(torch.tensor([row])).logits[0, -1].log_softmax(0)[ids].numpy() for row in rows]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    written = ours.continued(rows, most=6)
    for row, reply in zip(rows, written, strict=True):
        ids_T = list(row)
        for _ in range(6):
            with torch.no_grad():
                ids_T.append(int(model(torch.tensor([ids_T])).logits[0, -1].argmax()))
            if ids_T[-1] == tokenizer.eos_token_id:
                break
        assert reply == tokenizer.decode(ids_T[len(row) :], skip_special_tokens=True).strip()


def test_a_word_of_several_tokens_has_no_probability_of_its_own(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="'qqqq' is 4 tokens"):
        LanguageModel.load(str(folder)).token("qqqq")
    bases.save(tmp_path / "encoder", "bert")
    with pytest.raises(ModelError, match="writes no text"):
        LanguageModel.load(str(tmp_path / "encoder"))


def test_the_margin_is_the_log_odds_where_both_orders_agree(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("user: 'Q {prompt} X {answer_a} Y {answer_b}'\ntokens: ['a', 'b']\n")
    scorer = pairwise(tmp_path, model=str(folder), read="token", prompt="p.yaml")
    ours = LanguageModel.load(str(folder))
    group = Candidates(id="g", prompt="May I?", answers=("Yes.", "No, you may not.", LONG))
    one, other, long = scorer.score([group])[0]

    def odds(first: str, second: str) -> float:
        row = ours.row((Message(role="user", content=f"Q May I? X {first} Y {second}"),))
        a, b = ours.next_token([row], [ours.token("a"), ours.token("b")])[0]
        return float(a - b)

    straight, swapped = odds("Yes.", "No, you may not."), odds("No, you may not.", "Yes.")
    expected = (straight - swapped) / 2 if (straight > 0) != (swapped > 0) else 0.0
    assert isinstance(one, Reward)
    assert isinstance(other, Reward)
    assert one.value - other.value == pytest.approx(expected, abs=1e-4)
    assert isinstance(long, Unscored)
    assert "the model reads 128" in long.reason


def test_words_of_a_local_judge_are_read_like_any_other(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("user: '{prompt} {answer}'\nparse: '(\\d+)'\n")
    scorer = one_by_one(tmp_path, model=str(folder), prompt="p.yaml", most_tokens=5)
    ((found,),) = scorer.score([Candidates(id="g", prompt="p", answers=("a",))])
    # Random weights write no number.
    assert isinstance(found, Unscored)
    assert "its reply holds no verdict" in found.reason


def test_a_name_alone_is_a_model_of_this_machine() -> None:
    scorer = judge("smollm2")
    assert isinstance(scorer, PairwiseJudge)
    assert scorer.config.by_token
    assert scorer.name == "judge:smollm2 (pairwise)"
    with pytest.raises(ConfigError, match="names no judge"):
        judge("")


@pytest.mark.slow
def test_smollm2_judges_places(tmp_path: Path) -> None:
    """Measured: at 135M parameters it names the first answer whatever stands there, which both orders show."""
    if not place_of(CATALOGUE["smollm2"]).is_dir():
        pytest.skip("smollm2 is not in the cache of models; `assay models fetch smollm2` puts it there")
    group = Candidates(id="g", prompt="What is the capital of France?", answers=("Paris.", "It is a banana."))
    scorer = judge("smollm2")
    assert isinstance(scorer, PairwiseJudge)
    one, other = scorer.score([group])[0]
    assert isinstance(one, Reward)
    assert isinstance(other, Reward)
    assert one.value == other.value == 0.0
    assert one.heads["flipped_first"] == 1.0
