"""Names become folders: fingerprints of bytes, kinds, and names that are nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import ModelError, ModelNotFoundError
from assay.models import local_model
from assay.models.local_model import kind_of
from assay.models.resolve import folder_fingerprint, resolve
from tests.support import bases


def test_a_folder_s_fingerprint_is_that_of_its_bytes(tmp_path: Path) -> None:
    folder = bases.save(tmp_path / "a", "llama")
    before = folder_fingerprint(folder)
    assert folder_fingerprint(bases.save(tmp_path / "b", "llama")) == before
    assert folder_fingerprint(bases.save(tmp_path / "c", "llama", seed=1)) != before
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")
    assert folder_fingerprint(folder) != before


def test_names_that_are_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("./no-such-folder", "no such folder"),
        (str(tmp_path / "file"), "a file, not a model folder"),
        (str(tmp_path / "empty"), "holds no model"),
        ("", "no such folder"),
        ("no-such-org/no-such-model", "hub"),
        ("not a name!", "not in the catalogue"),
    ):
        with pytest.raises(ModelNotFoundError, match=message):
            resolve(name)


def test_encoder_decoders_are_refused() -> None:
    from transformers import CLIPVisionConfig, T5Config

    with pytest.raises(ModelError, match="encoder-decoder"):
        kind_of(T5Config())
    with pytest.raises(ModelError, match="no text encoder or decoder"):
        kind_of(CLIPVisionConfig())


class SilentError(OSError):
    def __str__(self) -> str:
        return ""


def test_an_error_without_a_message_is_told_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()

    def fail(*_: object, **__: object) -> None:
        raise SilentError

    monkeypatch.setattr(local_model, "open_config", fail)
    with pytest.raises(ModelNotFoundError, match=r"holds no model that transformers can open \(SilentError\)"):
        resolve(str(tmp_path / "empty"))
    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(ModelNotFoundError, match=r"the Hugging Face hub does not give it \(SilentError\)"):
        resolve("owner/name")
