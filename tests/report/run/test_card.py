"""The model card as Hugging Face's own reader sees it."""

import orjson
import pytest
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from assay.artifacts.files import read_json
from assay.errors import ArtifactError
from assay.report import model_card
from tests.support import tiny_bases as tiny
from tests.support.made_run import make_run


def test_front_matter_is_read_by_the_hub(whole):
    data = ModelCard(model_card(whole).read_text(encoding="utf-8")).data
    assert (data.library_name, data.pipeline_tag, data.license) == ("transformers", "text-classification", "unknown")
    results = {result.metric_name: result for result in data.eval_results}
    findings = read_json(whole.path("audit.json"), "audit/1")["findings"]
    overall = next(f for f in findings if f["name"] == "accuracy" and f["slice"] == "overall" and f["seed"] is None)
    span = f"{100 * overall['interval']['low']:.1f} to {100 * overall['interval']['high']:.1f}%"
    found = results[f"Held-out pairwise accuracy (95% interval {span})"]
    assert found.metric_value == pytest.approx(overall["value"], abs=5e-5)
    assert found.metric_args["n"] == 300
    assert found.metric_args["low"] == overall["interval"]["low"]
    assert found.dataset_type == "pairs.jsonl"


def test_base_model_is_named_only_if_it_is_a_hub_id(whole, run):
    assert "base_model:" not in model_card(whole).read_text(encoding="utf-8")  # minilm is a name of our catalogue
    body = orjson.loads(run.path("run.json").read_bytes())
    body["base"]["name"] = "Qwen/Qwen3-0.6B"
    run.path("run.json").write_bytes(orjson.dumps(body))
    assert ModelCard(model_card(run).read_text(encoding="utf-8")).data.base_model == "Qwen/Qwen3-0.6B"


def test_says_verdict_limits_and_no_nan(whole):
    text = model_card(whole).read_text(encoding="utf-8")
    gate = read_json(whole.path("gate.json"), "gate/2")
    assert f"**{gate['verdict']}**" in text
    for criterion in gate["criteria"]:
        assert criterion["text"].replace("<", "&lt;") in text
    for word in ("Simulated data", "## Limits", "AutoModelForSequenceClassification", "Longest wins"[1:]):
        assert word in text
    assert "nan" not in text.lower().split()
    assert "None" not in text


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_the_code_on_the_card_gives_our_scores(run, kind, monkeypatch):
    """A stranger who pastes the code gets, in plain transformers, the reward assay gives."""
    torch = pytest.importorskip("torch")
    from assay.models.config import ModelConfig
    from assay.rewards.reward_model import RewardModel

    base = tiny.base(run.path("base"), kind)
    model = RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64))
    torch.manual_seed(0)
    with torch.no_grad():  # a new head is small; a larger one shows what differs
        model.model.get_parameter("classifier.weight" if kind == "bert" else "score.weight").normal_()
    model.save(run.seed(0) / "model", provenance={})
    text = model_card(run).read_text(encoding="utf-8")
    assert model.renderer.hash in text
    code = text.split("```python\n")[1].split("```")[0]
    names = {"prompt": "w1 w2 w3", "answer": "w4 good"}
    monkeypatch.chdir(run.root)
    exec(code, names)
    ours = model.score([model.renderer.encode(names["prompt"], names["answer"])])
    assert names["reward"] == pytest.approx(float(ours[0]), abs=1e-5)
    assert abs(names["reward"]) > 1e-3


def test_hostile_names_break_no_table_and_no_tag(tmp_path):
    run = make_run(tmp_path / "hostile", pairs=60, seeds=1)
    body = orjson.loads(run.path("run.json").read_bytes())
    body["data"]["path"] = "a|b<script>\n# heading\u202e"
    run.path("run.json").write_bytes(orjson.dumps(body))
    text = model_card(run).read_text(encoding="utf-8")
    table = text.split("## Training data")[1].split("## Results")[0]
    assert "<script>" not in table
    assert "\n# heading" not in table
    assert "a\\|b&lt;script>" in table
    assert "\u202e" not in text


def test_refused_without_an_audit(run):
    run.path("audit.json").unlink()
    with pytest.raises(ArtifactError, match=r"audit\.json"):
        model_card(run)


def app():
    import typer

    from assay.cli import report

    made = typer.Typer()
    report.register(made)
    return made


def test_the_command_writes_both(run):
    result = CliRunner().invoke(app(), [str(run.root), "--json"])
    assert result.exit_code == 0
    body = orjson.loads(result.stdout)
    assert body == {"report": str(run.path("report.html")), "model_card": str(run.path("MODEL_CARD.md"))}
    assert run.path("report.html").exists()


def test_the_command_makes_no_folder_of_a_typing_error(tmp_path):
    result = CliRunner().invoke(app(), [str(tmp_path / "tpyo")])
    assert isinstance(result.exception, ArtifactError)
    assert not (tmp_path / "tpyo").exists()
