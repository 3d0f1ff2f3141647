"""Rewards are those of `assay score`, alone and whoever else is in the batch, in whatever form the row comes."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from assay.artifacts.files import write_jsonl
from assay.errors import TemplateError
from assay.flows.score import ScoreConfig, score_file
from assay.records import Candidates, Message, Text, to_json
from assay.render.encoder import Encoded
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Unscored
from assay.serve.asked import Asked, Finished, Ids, Turns, turns
from assay.serve.batching import Batcher
from assay.serve.jobs import Answered
from assay.serve.row_engine import ModelEngine, engine_for
from tests.serve.batchers import limits, ran, values
from tests.support import saved_models
from tests.support.saved_models import LONG

PROMPTS = ("How do I get a refund?", "May I return it?", "Where is my parcel, please?", "Is it open on Sundays?")
WORDS = ("refund", "order", "press", "the", "green", "button", "please", "ask", "again", "sorry", "we", "no", "yes")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_models.reward_model(tmp_path_factory.mktemp("served"))


def groups() -> list[Candidates]:
    """64 rows: four prompts with sixteen answers, some as messages, all different."""
    rng = random.Random(7)
    answers = [" ".join(rng.choices(WORDS, k=rng.randint(1, 18))) + f" {n}." for n in range(64)]
    system = (Message(role="system", content="Be brief."), Message(role="user", content=PROMPTS[3]))
    prompts = [*PROMPTS[:3], system]
    return [
        Candidates(id=str(n), prompt=p, answers=tuple(answers[16 * n : 16 * n + 16])) for n, p in enumerate(prompts)
    ]


def as_scored(saved: Path, tmp_path: Path) -> dict[Turns, float]:
    """What `assay score` writes for the same rows."""
    rows = [{"id": g.id, "prompt": to_json(g.prompt), "answers": list(g.answers)} for g in groups()]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    score_file(LocalScorer(saved), str(tmp_path / "rows.jsonl"), tmp_path / "scores.jsonl", config=ScoreConfig())
    told = [json.loads(line)["scores"] for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    return {
        turns(g.prompt, answer): value
        for g, values in zip(groups(), told, strict=True)
        for answer, value in zip(g.answers, values, strict=True)
    }


@pytest.mark.parametrize("tokens", [4096, 96])
def test_rewards_are_those_of_assay_score_alone_and_in_any_company(saved: Path, tmp_path: Path, tokens: int) -> None:
    """Alone, all 64 in one request, all 64 as 64 requests in any order, and as they come."""
    expected = as_scored(saved, tmp_path)
    rows = list(expected)
    assert len(rows) == len(set(expected.values())) == 64
    scorer = LocalScorer(saved)

    async def work(batcher: Batcher) -> None:
        for row in rows[::7]:
            assert values(await batcher.submit([row])) == pytest.approx([expected[row]], abs=1e-5)
        together = values(await batcher.submit(rows))
        assert together == pytest.approx([expected[row] for row in rows], abs=1e-5)
        for seed in range(3):
            rng = random.Random(seed)
            shuffled = rng.sample(rows, 64)

            async def ask(row: Turns, wait: float) -> float:
                await asyncio.sleep(wait)
                return values(await batcher.submit([row]))[0]

            waits = [rng.uniform(0, 0.05 * seed) for _ in shuffled]
            found = await asyncio.gather(*(ask(row, wait) for row, wait in zip(shuffled, waits, strict=True)))
            assert found == pytest.approx([expected[row] for row in shuffled], abs=1e-5)

    _, batches = ran(engine_for(scorer), work, limits(tokens=tokens))
    assert all(batch.tokens <= tokens or batch.rows == 1 for batch in batches)
    if tokens == 4096:
        # 64 requests that wait are one batch, and each prompt in it one family.
        assert max((batch.rows, batch.families) for batch in batches) == (64, 4)
        assert sum(batch.tokens for batch in batches) < 0.8 * sum(batch.asked for batch in batches)


def test_one_reward_in_whatever_form_the_row_comes(saved: Path) -> None:
    """As turns, as finished text with and without a BOS, and as ids: the same row, and so the same reward."""
    scorer = LocalScorer(saved)
    renderer = scorer.reward_model.renderer
    (text,) = renderer.render_rows([(PROMPTS[0], "Yes.")])
    ids = renderer.encode(PROMPTS[0], "Yes.").ids
    forms: list[Asked] = [turns(PROMPTS[0], "Yes."), Finished(text=str(text)), Ids(ids=ids)]
    bos = renderer.tokenizer.bos_token
    if bos is not None:
        forms += [Finished(text=str(text).removeprefix(bos)), Finished(text=bos + str(text))]
    found, _ = ran(engine_for(scorer), lambda batcher: batcher.submit(forms))
    (expected,) = (one for (one,) in scorer.score([Candidates(id="a", prompt=PROMPTS[0], answers=("Yes.",))]))
    assert isinstance(expected, Reward)
    assert values(found) == pytest.approx([expected.value] * len(forms), abs=1e-5)


def test_what_cannot_be_read_is_refused_by_row_and_never_cut(saved: Path) -> None:
    scorer = LocalScorer(saved)
    rows: list[Asked] = [
        turns(PROMPTS[0], LONG), turns(PROMPTS[0], "Yes."), Finished(text="<s>[INST] another template [/INST] yes"),
        Ids(ids=(3, 10**6)), Ids(ids=()), turns((Message(role="tool", content="4"),), "Yes."), Ids(ids=(5,) * 300),
        turns("a" * 10**6, "b"),
    ]  # fmt: skip

    async def work(batcher: Batcher) -> tuple[Answered, Answered]:
        return await batcher.submit(rows), await batcher.submit(rows[:2], whole=True)

    (each, whole), batches = ran(engine_for(scorer), work)
    reasons = [one.reason if isinstance(one, Unscored) else None for one in each.results]
    assert reasons[1] is None
    assert "the model reads 128" in str(reasons[0])
    assert "not in this model's template" in str(reasons[2])
    assert "outside the model's" in str(reasons[3])
    assert reasons[4] == "a row of no tokens"
    assert "no tools" in str(reasons[5])
    assert "300 tokens" in str(reasons[6])
    assert "1000001 characters" in str(reasons[7])
    # Where the answer has no place for a reason nothing is run.
    assert all(isinstance(one, Unscored) for one in whole.results)
    assert [batch.rows for batch in batches] == [1]


def test_what_no_model_reads_is_not_rendered_row_by_row(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt longer than the model reads is tokenised once, however many answers it has; thousands of turns never."""
    engine = engine_for(LocalScorer(saved))
    assert isinstance(engine, ModelEngine)
    renderer, rendered = engine.scorer.reward_model.renderer, []
    encode_rows = renderer.encode_rows

    def counted(rows: Sequence[tuple[Text, Text]]) -> Iterator[Encoded | TemplateError]:
        rendered.extend(rows)
        return encode_rows(rows)

    monkeypatch.setattr(renderer, "encode_rows", counted)
    chat = tuple(Message(role=("user", "assistant")[n % 2], content="a") for n in range(129))
    long = "no, " * 110  # at most as many characters as 128 tokens may have
    found = engine.read([turns(chat, "Yes."), *(turns(long, f"{n}") for n in range(50)), turns(PROMPTS[0], "Yes.")])
    reasons = [one.reason if isinstance(one, Unscored) else None for one in found]
    assert reasons[0] == "130 turns are over the 128 tokens the model reads"
    assert len(set(reasons[1:51])) == 1
    assert "tokens in the prompt alone; the model reads 128" in str(reasons[1])
    assert reasons[51] is None
    assert len(rendered) == 2


def test_a_beginning_that_batches_share_is_run_once(saved: Path) -> None:
    scorer = LocalScorer(saved)
    system = Message(role="system", content="Be brief and kind. " * 5)
    rows = [turns((system, Message(role="user", content=p)), f"Yes {n}.") for n, p in enumerate(PROMPTS)]

    async def work(batcher: Batcher) -> list[float]:
        found = [values(await batcher.submit([row]))[0] for row in rows]
        headers = batcher.engine._steady.headers  # type: ignore[attr-defined]
        assert headers.computed == 1
        return found

    found, _ = ran(engine_for(scorer), work)
    told = [scorer.score([Candidates(id="a", prompt=row.prompt, answers=(row.answer,))])[0][0] for row in rows]
    assert found == pytest.approx([one.value for one in told if isinstance(one, Reward)], abs=1e-5)


def test_any_scorer_is_served_by_groups_of_one_prompt(saved: Path) -> None:
    scorer = open_scorer(f"ensemble:{saved},baseline:longest")
    rows = [turns(p, f"{word}.") for p in PROMPTS[:2] for word in ("Yes", "No indeed")]

    async def work(batcher: Batcher) -> list[Answered]:
        return list(await asyncio.gather(*(batcher.submit([row]) for row in rows)))

    found, _ = ran(engine_for(scorer), work)
    told = [scorer.score([Candidates(id="a", prompt=row.prompt, answers=(row.answer,))])[0][0] for row in rows]
    for one, other in zip(found, told, strict=True):
        (reward,) = one.results
        assert isinstance(reward, Reward)
        assert isinstance(other, Reward)
        assert reward.value == pytest.approx(other.value, abs=1e-5)
        assert reward.heads == pytest.approx(dict(other.heads), abs=1e-5)


def test_passes_as_for_a_file_change_no_reward(saved: Path, tmp_path: Path) -> None:
    expected = as_scored(saved, tmp_path)
    rows = list(expected)
    found, _ = ran(engine_for(LocalScorer(saved, passes=Passes(micro_tokens=64))), lambda batcher: batcher.submit(rows))
    assert values(found) == pytest.approx(list(expected.values()), abs=1e-5)
