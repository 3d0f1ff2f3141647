"""From models and questions to the verdict: killed and gone on with, refused with a reason, decided by criteria."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.artifacts.capability_body import CapabilityBody
from assay.capability.config import CapabilityConfig
from assay.errors import InputError, ModelError, TemplateError
from assay.flows.capability import capability, decide_capability
from assay.models.quiet import quiet
from tests.capability import made_models

ONE_SHOT = CapabilityConfig(shots=1)
SCRIPT = """
import sys
from pathlib import Path
from assay.capability.config import CapabilityConfig
from assay.flows.capability import capability
capability(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), config=CapabilityConfig(shots=1, micro_tokens=128))
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_models.saved(tmp_path_factory.mktemp("base") / "model")


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Path:
    return made_models.adapters(tmp_path_factory.mktemp("tuned") / "adapters", base)


@pytest.fixture(scope="module")
def mmlu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_models.questions(tmp_path_factory.mktemp("questions") / "mmlu")


def answers(body: CapabilityBody, out: Path) -> dict[str, list[float]]:
    lines = (out / body.model.answers).read_text().splitlines()
    return {row["key"]: row["logprobs"] for row in map(json.loads, lines)}


def test_before_and_after_of_one_that_guesses(tmp_path: Path, base: Path, tuned: Path, mmlu: Path) -> None:
    body = capability(str(tuned), mmlu, tmp_path, against=str(base), config=ONE_SHOT)
    assert body.outcome == "at_chance"
    assert body.sentence.startswith("Cannot be told: the model before is not shown to be above guessing")
    assert [way.asked for way in body.ways] == ["letter", "text", "text by length"]
    assert {way.n for way in body.ways} == {36}
    assert body.against is not None
    assert body.against.fingerprint != body.model.fingerprint
    assert CapabilityBody.read(tmp_path / "capability.json") == body
    drop = next(one for one in body.findings if one.name == "capability_drop" and one.slice == "overall")
    assert drop.value is None
    assert drop.detail["seen"] == body.ways[0].drop
    page = (tmp_path / "capability.html").read_text()
    assert "Capability: at chance" in page
    assert page.count('<th scope="row">anatomy</th>') == 1
    verdict = decide_capability(tmp_path, _criteria(tmp_path))
    assert verdict.verdict == "fail"
    assert "capability drop is unknown: at chance by letter" in verdict.criteria[0].reason


def _criteria(folder: Path) -> Path:
    path = folder / "criteria.yaml"
    path.write_text("criteria:\n  - capability drop < 0.02\n")
    return path


@pytest.mark.slow
def test_killed_anywhere_the_answers_are_the_same_bits(tmp_path: Path, base: Path) -> None:
    questions = made_models.questions(tmp_path / "mmlu", each=50)
    whole = capability(
        str(base), questions, tmp_path / "whole", config=CapabilityConfig(shots=1, micro_tokens=128)
    )  # fmt: skip
    killed = tmp_path / "killed"
    command = [sys.executable, "-c", SCRIPT, str(base), str(questions), str(killed)]
    kills = 0
    for lines in (1, 70, 180):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
            while child.poll() is None and _lines(killed) < lines:
                time.sleep(0.002)
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
                kills += 1
    assert kills >= 2
    torn = next(killed.glob("answers-*.jsonl"))
    known = _lines(killed)
    assert known < 300
    with torn.open("ab") as stream:
        stream.write(b'{"key": "torn by a ki')
    body = capability(str(base), questions, killed, config=CapabilityConfig(shots=1, micro_tokens=128))
    assert answers(body, killed) == answers(whole, tmp_path / "whole")
    assert len(answers(body, killed)) == _lines(killed) == 300
    assert body.findings == whole.findings


def _lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("answers-*.jsonl"))


def test_what_was_answered_is_not_asked_again(tmp_path: Path, base: Path, mmlu: Path) -> None:
    told: list[str] = []
    first = capability(str(base), mmlu, tmp_path, config=CapabilityConfig(shots=1, limit=4))
    again = capability(str(base), mmlu, tmp_path, config=ONE_SHOT, notify=told.append)
    assert (first.questions, again.questions) == (12, 36)
    assert told[0].endswith("anatomy (1 of 3), 8 asked")
    told.clear()
    capability(str(base), mmlu, tmp_path, config=ONE_SHOT, notify=told.append)
    assert all(line.endswith("answered before") for line in told)
    capability(str(base), mmlu, tmp_path, config=CapabilityConfig(shots=2), notify=told.append)
    assert told[-1].endswith("12 asked")  # other shots are other questions


def test_the_same_model_twice_is_said(tmp_path: Path, base: Path, mmlu: Path) -> None:
    body = capability(str(base), mmlu, tmp_path, against=str(base), config=ONE_SHOT)
    assert {(way.lost, way.gained, way.drop) for way in body.ways} == {(0, 0, 0.0)}
    assert body.outcome == "at_chance"  # one that guesses is passed by nothing, not even against itself


def test_adapters_are_the_model_that_peft_runs(base: Path, tuned: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from assay.engine.named_language_model import language_model_fingerprint, named_language_model

    ids = torch.tensor([[1, 20, 30, 40, 50]])
    with quiet():
        theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), tuned).eval()
    with torch.no_grad():
        wanted, bare = theirs(ids).logits, AutoModelForCausalLM.from_pretrained(base)(ids).logits
        ours = named_language_model(str(tuned), device="cpu").model(ids).logits
    assert (ours - wanted).abs().max() < 1e-4
    assert (ours - bare).abs().max() > 0.1
    assert language_model_fingerprint(str(tuned)) == language_model_fingerprint(f"{tuned}@{base}")
    assert language_model_fingerprint(str(tuned)) != language_model_fingerprint(str(base))


def test_adapters_for_another_base_are_refused(tmp_path: Path, tuned: Path, mmlu: Path) -> None:
    wide = _wide(tmp_path / "other")
    with pytest.raises(ModelError, match="does not fit"):
        capability(f"{tuned}@{wide}", mmlu, tmp_path / "out", config=ONE_SHOT)
    nameless = tmp_path / "nameless"
    nameless.mkdir()
    (nameless / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"names no base\. Give it behind the folder"):
        capability(str(nameless), mmlu, tmp_path / "out", config=ONE_SHOT)


def _wide(root: Path) -> Path:
    from transformers import LlamaConfig, LlamaForCausalLM

    from tests.support import bases

    tokenizer = bases.bpe()
    config = LlamaConfig(**{**bases.SIZES, "hidden_size": 64}, vocab_size=len(tokenizer))
    LlamaForCausalLM(config).save_pretrained(root)
    tokenizer.save_pretrained(root)
    return root


def test_templates_that_are_missing_or_differ_are_refused(tmp_path: Path, base: Path, mmlu: Path) -> None:
    chat = CapabilityConfig(shots=1, chat=True, by=("letter",))
    none = made_models.saved(tmp_path / "none", template=None)
    with pytest.raises(
        TemplateError, match=r"has no chat template, so a chat cannot be put to it\. Ask without --chat"
    ):
        capability(str(none), mmlu, tmp_path / "out", config=chat)
    other = made_models.saved(tmp_path / "other", template="{{ bos_token }}" + _template())
    with pytest.raises(TemplateError, match="have different chat templates"):
        capability(str(other), mmlu, tmp_path / "out", against=str(base), config=chat)
    assert capability(str(other), mmlu, tmp_path / "out", against=str(base), config=ONE_SHOT).notes == []


def _template() -> str:
    from tests.support import bases

    return bases.CHATML


def test_other_vocabularies_are_compared_by_what_is_picked_and_said(tmp_path: Path, base: Path, mmlu: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    from tests.support import bases

    other = tmp_path / "gpt2"
    tokenizer = bases.gpt2_bpe()
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=2)).save_pretrained(other)
    tokenizer.save_pretrained(other)
    body = capability(str(other), mmlu, tmp_path / "out", against=str(base), config=ONE_SHOT)
    assert body.notes[0].startswith("The two cut text into other tokens")
    assert body.ways[0].n == 36


def test_what_cannot_be_read_whole_is_left_out_of_both(tmp_path: Path, base: Path, mmlu: Path) -> None:
    short = made_models.saved(tmp_path / "short", positions=150)
    config = CapabilityConfig(shots=3, by=("letter",))
    body = capability(str(base), mmlu, tmp_path / "out", against=str(short), config=config)
    assert len(body.left_out) == 36
    assert body.left_out[0].why.endswith("tokens with its solved examples; the model reads 150")
    assert body.notes == ["36 questions could not be read whole, in no figure and not cut."]
    assert (body.outcome, body.ways[0].n, body.ways[0].after) == ("underpowered", 0, None)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"shots": 4}, "has 3 solved examples of anatomy; 4 are asked for"),
        ({"subjects": ("anatomi",)}, r"no subject is called 'anatomi'. There are 3, such as \['anatomy'\]"),
    ],
)
def test_what_cannot_be_asked(tmp_path: Path, mmlu: Path, config: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        capability("no such model is opened for this", mmlu, tmp_path, config=CapabilityConfig.build(config))


def test_five_options_two_right_and_none(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "five.jsonl"
    rows = [{"question": f"Which of {n}?", "choices": list("vwxyz"), "answer": [n % 5, (n + 1) % 5]} for n in range(10)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    none = CapabilityConfig(shots=0)
    body = capability(str(base), path, tmp_path / "out", config=none)
    assert body.ways[0].guess == pytest.approx(0.4)  # two of five, drawn
    path.write_text(json.dumps({"question": "Which?", "choices": [], "answer": 0}))
    with pytest.raises(InputError, match=r"five\.jsonl:1: no choices"):
        capability(str(base), path, tmp_path / "out", config=none)
    path.write_text(json.dumps(rows[0]))
    with pytest.raises(InputError, match="5 shots are asked for and no solved questions stand beside it"):
        capability(str(base), path, tmp_path / "out", config=CapabilityConfig())
