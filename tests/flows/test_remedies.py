"""`assay remedies`: the same held-out pairs for each, figures paired with none, what cannot be made is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.artifacts.files import read_jsonl, write_jsonl
from assay.artifacts.remedies_body import RemediesBody
from assay.data.native_rows import as_native
from assay.errors import ConfigError
from assay.flows.remedies import Remedies, RemediesOptions, run_remedies
from assay.flows.remedy_config import RemediesConfig
from assay.flows.remedy_names import NAMES, remedy_names
from tests.support import tiny_bases as tiny
from tests.support.ready_commands import ready_assay

pytestmark = pytest.mark.usefixtures("one_thread")
OPTIONS = RemediesOptions(asked="verbosity, text, vote_weights, averaged, ensemble_worst", command="assay remedies")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "pairs.jsonl"
    write_jsonl(path, (as_native(pair) for pair in tiny.pairs(36, longest=6)))
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def found(data: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Remedies:
    return run_remedies(data, tmp_path_factory.mktemp("out"), config=config(base), options=OPTIONS)


def config(base: Path) -> RemediesConfig:
    return RemediesConfig.build(
        {
            "model": {"base": str(base), "max_tokens": 40},
            "split": {"holdout": 12},
            "train": {"epochs": 1, "precision": "float32", "seeds": (0, 1)},
            "audit": {"resamples": 200},
            "probes": {"names": "filler"},
        }
    )


def test_each_remedy_is_a_row_on_the_same_pairs(found: Remedies) -> None:
    rows = {row.name: row for row in found.body.rows}
    assert list(rows) == ["none", "verbosity", "text", "vote_weights", "averaged", "ensemble_worst"]
    held = [
        [row["pair_id"] for row in read_jsonl(found.folder / name / "seed-0/scores.jsonl")]
        for name in ("none", "verbosity")
    ]
    assert held[0] == held[1]
    assert found.body.held_out == 12
    none, verbosity = rows["none"], rows["verbosity"]
    assert none.figures["accuracy"].more is None
    for name in ("verbosity", "averaged", "ensemble_worst"):
        figure = rows[name].figures["accuracy"]
        assert figure.n == 12
        assert figure.more == pytest.approx(figure.value - none.figures["accuracy"].value)
        assert figure.more_interval is not None
        assert figure.more_interval.low <= figure.more <= figure.more_interval.high
    assert rows["averaged"].passes == 1
    assert rows["ensemble_worst"].passes == 2
    assert verbosity.pairs is not None
    assert verbosity.pairs > 24
    assert set(none.probes) == {"filler"}
    assert verbosity.settings == {"augment.verbosity": "0.2"}


def test_accuracy_by_hand(found: Remedies) -> None:
    rows = {row.name: row for row in found.body.rows}
    right = [
        row["chosen"] > row["rejected"]  # type: ignore[operator]
        for seed in (0, 1)
        for row in read_jsonl(found.folder / f"verbosity/seed-{seed}/scores.jsonl")
    ]
    assert rows["verbosity"].figures["accuracy"].value == pytest.approx(sum(right) / 24)


def test_what_data_or_base_do_not_allow_is_a_row_that_says_why(found: Remedies) -> None:
    rows = {row.name: row for row in found.body.rows}
    assert "is an encoder" in (rows["text"].why_not or "")
    assert "no training pair has any" in (rows["vote_weights"].why_not or "")
    page = (found.folder / "remedies.md").read_text()
    assert "| text |" not in page
    assert "- text: regularise.text:" in page
    assert "Probe filler" in page


def test_run_again_it_trains_nothing_and_says_the_same(found: Remedies, data: Path, base: Path) -> None:
    written = (found.folder / "verbosity/seed-1/train.json").stat().st_mtime_ns
    again = run_remedies(data, found.folder, config=config(base), options=OPTIONS)
    assert (found.folder / "verbosity/seed-1/train.json").stat().st_mtime_ns == written

    def timeless(body: RemediesBody) -> list[dict[str, object]]:
        return [row.model_dump(exclude={"serving"}) for row in body.rows]

    assert timeless(again.body) == timeless(found.body)
    assert RemediesBody.read(found.folder / "remedies.json") == again.body


def test_names_are_known_before_anything_is_trained(data: Path, tmp_path: Path) -> None:
    assert remedy_names("all") == NAMES
    with pytest.raises(ConfigError, match="there is no remedy 'vaccine'"):
        remedy_names("odin,vaccine")
    done = ready_assay("remedies", data, "--out", tmp_path / "out", "--remedies", "vaccine")
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()
