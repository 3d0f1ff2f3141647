"""A real reward model behind a real server gives what it gives here, in every format, to 1e-5."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from assay.models.config import ModelConfig
from assay.records import Candidates, Message
from assay.render.encoder import Encoded
from assay.rewards.reward_model import RewardModel
from assay.scorers.local import LocalScorer
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Scored
from assay.scorers.remote.config import RemoteConfig
from tests.scorers.conformance import GROUPS
from tests.support import bases, saved_models
from tests.support.reward_server import Server


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_models.reward_model(tmp_path_factory.mktemp("decoder"))


@pytest.fixture(scope="module")
def with_bos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose template writes a BOS and whose tokenizer adds one: rendered text must come without, or has two."""
    root = tmp_path_factory.mktemp("with_bos")
    base = bases.save(root / "base", "llama", tokenizer=bases.bpe(adds_bos=True))
    RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64), seed=0).save(root / "model")
    return root / "model"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("encoder")
    base = bases.save(root / "base", "bert")
    RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64), seed=0).save(root / "model")
    return root / "model"


class Serving:
    """A rule that runs a model: rows are ids, finished text, messages or pairs. adds_bos: as servers do."""

    def __init__(self, folder: Path, *, adds_bos: bool) -> None:
        self.model, self.adds_bos = RewardModel.load(str(folder)), adds_bos

    def __call__(self, row: object) -> float:
        return float(self.model.score([self._encoded(row)]).tolist()[0])

    def _encoded(self, row: object) -> Encoded:
        renderer = self.model.renderer
        if isinstance(row, list) and len(row) == 1 and isinstance(row[0], str):  # TEI's batch form of one text
            (row,) = row
        if isinstance(row, str):
            ids = renderer.tokenizer(row, add_special_tokens=self.adds_bos, verbose=False)["input_ids"]
            return Encoded(ids=tuple(ids), prompt_tokens=1)
        first = cast("list[Any]", row)[0]
        if isinstance(first, int):
            return Encoded(ids=tuple(cast("list[int]", row)), prompt_tokens=1)
        if isinstance(first, str):
            prompt, answer = cast("list[str]", row)
            return renderer.encode(prompt, answer)
        turns = tuple(Message(role=turn["role"], content=turn["content"]) for turn in cast("list[dict[str, str]]", row))
        return renderer.encode(turns[:-1], turns[-1:])


def numbers(results: list[tuple[Scored, ...]]) -> list[float | None]:
    return [one.value if isinstance(one, Reward) else None for several in results for one in several]


def compared(model: Path, text: str, *, adds_bos: bool = True, **options: object) -> None:
    with Server(Serving(model, adds_bos=adds_bos)) as server:
        given = RemoteConfig.build({"cache": "off", "concurrency": 3, **options})
        scorer = open_scorer(text.format(url=server.url), remote=given)
        found = numbers(scorer.score(GROUPS))
    local = numbers(LocalScorer(model).score(GROUPS))
    assert None not in local
    assert len(set(local)) > 8
    assert found == pytest.approx(local, abs=1e-5)


@pytest.mark.parametrize("text", ["vllm:{url}", "sglang:{url}", "tei:{url}", "openrlhf:{url}"])
@pytest.mark.parametrize("name", ["decoder", "with_bos"])
def test_rendered_here(text: str, name: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(name)
    compared(model, text, adds_bos="openrlhf" not in text, tokenizer=str(model), batch=2)


@pytest.mark.parametrize(("text", "route"), [("vllm:{url}", "pooling"), ("sglang:{url}", "embeddings")])
def test_other_routes(text: str, route: str, decoder: Path) -> None:
    compared(decoder, text, tokenizer=str(decoder), route=route)


def test_rendered_by_the_server(decoder: Path) -> None:
    compared(decoder, "vllm:{url}")


@pytest.mark.parametrize("named", [True, False])
def test_an_encoder_s_pairs(encoder: Path, named: bool) -> None:
    compared(encoder, "tei:{url}", **({"tokenizer": str(encoder)} if named else {}))


def test_rows_that_are_too_long_or_refused_here_are_not_sent(decoder: Path) -> None:
    tool = (Message(role="tool", content="4"),)
    with Server() as server:
        options = RemoteConfig(cache="off", tokenizer=str(decoder), row_tokens=20)
        scorer = open_scorer(f"sglang:{server.url}", remote=options)
        rows = [("May I?", ("Yes.", "refund " * 40)), (tool, ("Yes.",))]
        found = scorer.score([Candidates(id=str(n), prompt=p, answers=a) for n, (p, a) in enumerate(rows)])
        assert len(server.asked) == 1
    assert isinstance(found[0][0], Reward)
    assert "tokens with its prompt; remote.row_tokens is 20" in str(found[0][1])
    assert "no tools" in str(found[1][0])
