"""What the flow does once: rows are tokenised once a base, prompt groups found once, criteria read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts.files import read_json
from assay.data import prompt_groups, read_pairs, split
from assay.data.config import DataConfig, SplitConfig
from assay.flows.reward import RewardRun, run_reward
from assay.records import Text
from assay.render.encoder import Encoded, Renderer
from assay.train.reward_config import RewardConfig
from tests.support import tiny_bases as tiny

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base"))


def rows() -> list[dict[str, str]]:
    return [
        {"id": p.id, "prompt": f"w{n % 40} w{n // 40} w{n % 7}", "chosen": p.chosen, "rejected": p.rejected}
        for n, p in enumerate(tiny.pairs(80))
    ]


def run(base: Path, out: Path, *, seeds: int = 1, **more: Any) -> RewardRun:
    config = RewardConfig.build(
        {
            "model": {"base": str(base), "max_tokens": 64},
            "split": {"holdout": 20},
            "train": {"epochs": 1, "seeds": list(range(seeds)), "precision": "float32"},
            **{name: value for name, value in more.items() if name == "criteria"},
        }
    )
    return run_reward(rows(), out, config=config, notify=more.get("notify", lambda _line: None))


def test_three_seeds_tokenise_each_row_once(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: Counter[tuple[Text, Text]] = Counter()
    encode_rows = Renderer.encode_rows

    def counting(self: Renderer, some: Sequence[tuple[Text, Text]]) -> Iterator[Encoded | Exception]:
        rendered.update(some)
        yield from encode_rows(self, some)

    monkeypatch.setattr(Renderer, "encode_rows", counting)
    run(base, tmp_path, seeds=3)
    assert rendered == Counter((row["prompt"], row[side]) for row in rows() for side in ("chosen", "rejected"))


def test_groups_are_those_of_the_contract_and_the_split_is_as_if_found_again(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = read_pairs(rows(), config=DataConfig())
    groups = prompt_groups(found.pairs, threshold=DataConfig().near_duplicates, seed=DataConfig().seed)
    expected = split(found.pairs, config=SplitConfig(holdout=20), groups=groups)
    run(base, tmp_path)
    proof = read_json(tmp_path / "split.json", "split/1")
    assert proof == {"schema": "split/1", **expected.proof.model_dump(mode="json")}


def test_criteria_are_those_that_stood_in_the_file_when_the_flow_began(base: Path, tmp_path: Path) -> None:
    criteria = tmp_path / "criteria.yaml"
    criteria.write_text("[no prompt overlap]")
    found = run(base, tmp_path / "run", criteria=str(criteria), notify=lambda _line: criteria.unlink(missing_ok=True))
    assert not criteria.exists()
    assert [line.text for line in found.verdict.criteria] == ["no prompt overlap"]
    assert found.outcome == "pass"
