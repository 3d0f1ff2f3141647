"""analysis.json as a typed value: what is written is read, and what is not an analysis is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="the study extra is not installed")

from assay.artifacts.analysis_body import AnalysisBody, MajorityDetail
from assay.artifacts.files import read_json, write_json
from assay.errors import ArtifactError
from assay.study.analysis.analyse import analyse
from assay.study.analysis.study_result import Analysis
from tests.study.simulated import closed_study, with_votes


@pytest.fixture(scope="module")
def body() -> AnalysisBody:
    return analyse(closed_study(prompts=6)).to_body(assay_version="9", versions={"numpy": "2"}, command="assay")


def test_what_is_written_is_read(body: AnalysisBody, tmp_path: Path) -> None:
    body.write(tmp_path / "analysis.json")
    assert AnalysisBody.read(tmp_path / "analysis.json") == body


def test_a_file_without_what_made_it_is_read(body: AnalysisBody, tmp_path: Path) -> None:
    value = body.model_dump(mode="json")
    for name in ("assay_version", "versions", "command"):
        del value[name]
    write_json(tmp_path / "analysis.json", "analysis/1", value)
    assert AnalysisBody.read(tmp_path / "analysis.json").command == ""


def test_unknown_power_is_an_empty_object_in_the_file(tmp_path: Path) -> None:
    closed = closed_study(prompts=6)
    analyse(with_votes(closed, ())).to_body().write(tmp_path / "analysis.json")
    assert read_json(tmp_path / "analysis.json", "analysis/1")["tables"]["power"] == {}
    assert AnalysisBody.read(tmp_path / "analysis.json").tables.power is None


def test_what_is_no_analysis_is_refused(body: AnalysisBody, tmp_path: Path) -> None:
    write_json(tmp_path / "analysis.json", "analysis/1", {"findings": []})
    with pytest.raises(ArtifactError, match="Run the stage again"):
        AnalysisBody.read(tmp_path / "analysis.json")
    other = body.model_copy(update={"config": {**body.config, "taste": "good"}})
    with pytest.raises(ArtifactError, match=r"taste is no option.* Analyse the study again"):
        Analysis.from_body(other)
    with pytest.raises(ArtifactError, match="lacks lost"):
        MajorityDetail.of({"won": 3})
