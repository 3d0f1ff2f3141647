"""No code that a model brings is ever run, nor is anybody asked whether it may: not on a terminal, not by a pipe."""

from __future__ import annotations

import ast
import itertools
import json
import os
import pickle
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification

from assay.errors import ForeignCodeError, ModelError, ModelNotFoundError
from assay.models.opening import open_config, open_tokenizer, open_weights
from assay.models.resolve import locate, resolve
from assay.render.encoder import Renderer
from assay.rewards.reward_model import RewardModel
from assay.rewards.saved_model import open_model
from tests.support import tiny_bases as tiny

ROOT = Path(__file__).parents[2]
ASSAY = Path(sys.executable).with_name("assay")
HOSTILE = """\
from pathlib import Path
Path({marker!r}).write_text("ran")
from transformers import BertConfig, PreTrainedTokenizerFast
class Cfg(BertConfig):
    model_type = "mycustom"
class Tok(PreTrainedTokenizerFast):
    pass
"""


def change(folder: Path, file: str, **values: Any) -> None:
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def by_config(folder: Path) -> None:
    change(folder, "config.json", model_type="mycustom", auto_map={"AutoConfig": "m.Cfg"})


def by_tokenizer(folder: Path) -> None:
    change(folder, "tokenizer_config.json", tokenizer_class="Tok", auto_map={"AutoTokenizer": ["m.Tok", None]})


def by_known_tokenizer(folder: Path) -> None:
    change(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": ["m.Tok", None]})


def by_old_tokenizer(folder: Path) -> None:
    change(folder, "tokenizer_config.json", auto_map=["m.Tok", None])


def by_another_repository(folder: Path) -> None:
    change(folder, "config.json", model_type="mycustom", auto_map={"AutoConfig": "owner/name--m.Cfg"})


def by_kernel(folder: Path) -> None:
    change(folder, "config.json", attn_implementation="owner/attention@main:forward")


def by_inner_kernel(folder: Path) -> None:
    change(folder, "config.json", text_config={"_attn_implementation": {"": "owner/attention"}})


def by_model_class(folder: Path) -> None:  # GraniteMoeHybrid is known, but to nothing with a reward head
    own = {"AutoModelForSequenceClassification": "m.Model"}
    change(folder, "config.json", model_type="granitemoehybrid", auto_map=own)


WAYS: dict[str, tuple[Callable[[Path], None], str]] = {
    "config": (by_config, "auto_map in config.json"),
    "another repository": (by_another_repository, "auto_map in config.json"),
    "model class": (by_model_class, "auto_map in config.json"),
    "tokenizer": (by_tokenizer, "auto_map in tokenizer_config.json"),
    "tokenizer of a known class": (by_known_tokenizer, "auto_map in tokenizer_config.json"),
    "tokenizer, old": (by_old_tokenizer, "auto_map in tokenizer_config.json"),
    "kernel": (by_kernel, "attn_implementation in config.json"),
    "inner kernel": (by_inner_kernel, "_attn_implementation in config.json"),
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("clean") / "base")


@pytest.fixture
def hostile(clean: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A model folder with the code, which nothing names yet, and where it would leave its mark."""
    folder, marker = tmp_path / "model", tmp_path / "marker"
    shutil.copytree(clean, folder)
    (folder / "m.py").write_text(HOSTILE.format(marker=str(marker)))
    return folder, marker


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_open_it_refuses(way: str, hostile: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, marker = hostile
    put, found = WAYS[way]
    put(folder)
    monkeypatch.setattr("builtins.input", lambda _="": pytest.fail("somebody was asked"))
    openings: tuple[Callable[[Path], object], ...] = (
        lambda f: locate(str(f)),
        lambda f: resolve(str(f)),
        RewardModel.load,
        Renderer.from_pretrained,
        open_model,
        open_config,
        open_tokenizer,
        lambda f: open_weights(AutoModelForSequenceClassification, f),
    )
    for opening in openings:
        with pytest.raises(ForeignCodeError) as refusal:
            opening(folder)
        assert str(folder) in str(refusal.value)
        assert found in str(refusal.value)
    assert not marker.exists()


def test_a_map_that_transformers_needs_not_is_passed_over(hostile: tuple[Path, Path]) -> None:
    folder, marker = hostile
    own = {"AutoConfig": "m.Cfg", "AutoModelForSequenceClassification": "m.Model"}
    change(folder, "config.json", auto_map=own)  # of a bert, which transformers has
    change(folder, "tokenizer_config.json", auto_map={"AutoProcessor": "m.Processor"})
    RewardModel.load(folder)
    assert not marker.exists()


def test_what_only_transformers_notices_is_told_in_our_words(
    hostile: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, marker = hostile
    by_config(folder)
    monkeypatch.setattr("assay.models.opening.refuse_foreign_code", lambda *_, **__: None)
    with pytest.raises(ForeignCodeError, match="never runs"):
        open_config(folder)
    assert not marker.exists()


class Command:
    """What a hostile pickle would call."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


def test_pickled_weights_are_tensors_or_refused(hostile: tuple[Path, Path]) -> None:
    folder, marker = hostile
    weights = BertForSequenceClassification.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    RewardModel.load(folder)
    torch.save({**weights, "more": Command(marker)}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="more than tensors"):
        RewardModel.load(folder)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Command(marker), protocol=2))
    with pytest.raises(ModelError, match="more than tensors"):
        RewardModel.load(folder)
    assert not marker.exists()


def test_attention_that_is_not_installed_is_no_traceback(hostile: tuple[Path, Path]) -> None:
    folder, _ = hostile
    change(folder, "config.json", attn_implementation="flash_attention_3")
    with pytest.raises(ModelNotFoundError, match="FlashAttention3"):
        RewardModel.load(folder)


def commands(folder: Path, tmp_path: Path) -> dict[str, list[str]]:
    """Both commands that open a model; the data are none, so reading them first would be another error."""
    data = tmp_path / "no-such-data.jsonl"
    data.write_text("no row at all\n", encoding="utf-8")  # reward asks first whether there is a file
    return {
        "score": [str(ASSAY), "score", str(folder), str(data), "--out", str(tmp_path / "scores.jsonl")],
        "reward": [str(ASSAY), "reward", str(data), "--base", str(folder), "--out", str(tmp_path / "run")],
    }


def on_a_terminal(command: list[str]) -> tuple[int, str]:
    """Run a command on a pseudo-terminal where somebody types `y` again and again; its exit code and all it wrote."""
    terminal, theirs = pty.openpty()
    child = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "COLUMNS": "400"},
    )
    os.close(theirs)
    written, end = b"", time.monotonic() + 120
    os.write(terminal, b"y\n" * 3)
    while time.monotonic() < end:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux says so when the child has closed its side
            break
        if not part:
            break
        written += part
    code = child.wait(timeout=10)
    os.close(terminal)
    return code, written.decode()


SEEN_BY_PAIRS = {
    ("terminal", "config", "score"), ("terminal", "tokenizer", "reward"), ("pipe", "tokenizer", "score"),
    ("pipe", "config", "reward"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("through", "way", "command"),
    [
        pytest.param(*one, marks=() if one in SEEN_BY_PAIRS else pytest.mark.slow)
        for one in itertools.product(("terminal", "pipe"), ("config", "tokenizer"), ("score", "reward"))
    ],
)
def test_the_commands_end_with_2_and_ask_nothing(
    command: str, way: str, through: str, hostile: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, marker = hostile
    put, found = WAYS[way]
    put(folder)
    words = commands(folder, tmp_path)[command]
    if through == "terminal":
        code, said = on_a_terminal(words)
    else:
        done = subprocess.run(words, input="y\ny\n", capture_output=True, text=True, check=False)
        code, said = done.returncode, done.stdout + done.stderr
    assert code == 2, said
    assert found in " ".join(said.split())
    assert "[y/N]" not in said
    assert "Traceback" not in said
    assert "no-such-data" not in said
    assert not marker.exists()


@pytest.mark.parametrize("folder", ["src", "benchmarks"])
def test_every_opening_says_that_no_code_is_trusted(folder: str) -> None:
    """Auto classes are opened in models/opening.py alone, or, in a benchmark, with the word in the call."""
    calls = [
        (path.relative_to(ROOT), node)
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "from_pretrained"
        if ast.unparse(node.func) != "Renderer.from_pretrained"  # ours, which goes through models/opening.py
    ]
    assert calls
    for path, call in calls:
        said = {word.arg: ast.unparse(word.value) for word in call.keywords}
        passed = {ast.unparse(word.value) for word in call.keywords if word.arg is None}
        ours = path.name == "opening.py" and passed & {"OWN_CODE", "DATA_ONLY"}
        alone = folder != "src" and said.get("trust_remote_code") == "False"
        # PEFT reads a configuration and tensors, on a base that is open already, and has no word for code to trust.
        peft = path.name == "adapters.py" and ast.unparse(call.func) == "PeftModel.from_pretrained"
        assert ours or alone or peft, f"{path}:{call.lineno}"
