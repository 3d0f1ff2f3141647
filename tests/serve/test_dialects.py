"""Every dialect: our own remote scorer gets through it what it gets here; clients are answered in the form they read.

Bodies are as the clients' sources make them: OpenRLHF 0.11, verl 0.10, vLLM and sglang of September 2026, TEI 1.9, and
Cohere's and Jina's documents.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.data.layouts.texts import as_message
from assay.models.config import ModelConfig
from assay.records import Candidates, to_json
from assay.rewards.reward_model import RewardModel
from assay.scorers.local import LocalScorer
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Scored, Scorer
from assay.scorers.remote.config import RemoteConfig
from assay.serve.dialects.dialect import sigmoid
from assay.serve.dialects.tei import TEI_PREDICT
from assay.serve.served_reward import Opening
from tests.scorers.conformance import GROUPS
from tests.serve.sites import Site, serving
from tests.support import bases, saved_models
from tests.support.saved_models import LONG

QUESTION, ANSWER = "How do I get a refund?", "Press refund."


@pytest.fixture(scope="module", params=["decoder", "with_bos"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model; the second one's template writes a BOS and its tokenizer adds one."""
    root = tmp_path_factory.mktemp(request.param)
    if request.param == "decoder":
        return saved_models.reward_model(root)
    base = bases.save(root / "base", "llama", tokenizer=bases.bpe(adds_bos=True))
    RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64), seed=0).save(root / "model")
    return root / "model"


@pytest.fixture(scope="module")
def site(model: Path) -> Iterator[Site]:
    with serving(str(model), opening=Opening(ungated=True, names=("tiny",))) as found:
        yield found


@pytest.fixture(scope="module")
def local(model: Path) -> LocalScorer:
    return LocalScorer(model)


def values(results: list[tuple[Scored, ...]]) -> list[float | None]:
    return [one.value if isinstance(one, Reward) else None for several in results for one in several]


def reward(scorer: Scorer, prompt: str = QUESTION, answer: str = ANSWER) -> float:
    ((found,),) = scorer.score([Candidates(id="a", prompt=prompt, answers=(answer,))])
    assert isinstance(found, Reward)
    return found.value


def rendered(local: LocalScorer, prompt: str = QUESTION, answer: str = ANSWER) -> str:
    (text,) = local.reward_model.renderer.render_rows([(prompt, answer)])
    return str(text)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("vllm:{url}", {"tokenizer": True, "batch": 2}),
        ("vllm:{url}", {}),  # messages, which the server renders
        ("vllm:{url}/tiny", {}),
        ("sglang:{url}", {"tokenizer": True, "batch": 3}),
        ("sglang:{url}", {"tokenizer": True, "route": "embeddings"}),
        ("tei:{url}", {"tokenizer": True, "batch": 2}),  # finished texts
        ("tei:{url}", {"batch": 2}),  # pairs
        ("openrlhf:{url}", {"tokenizer": True, "batch": 2}),
    ],
)
def test_our_own_client_gets_what_the_model_gives_here(
    text: str, options: dict[str, object], site: Site, local: LocalScorer, model: Path
) -> None:
    given = {**options, "cache": "off"}
    if given.pop("tokenizer", False):
        given["tokenizer"] = str(model)
    # A pair is two texts: the one conversation among the groups has no such form.
    pairs = text.startswith("tei") and "tokenizer" not in options
    groups = [g for g in GROUPS if isinstance(g.prompt, str)] if pairs else GROUPS
    remote = open_scorer(text.format(url=site.url), remote=RemoteConfig.build(given))
    expected = values(local.score(groups))
    assert None not in expected
    assert values(remote.score(groups)) == pytest.approx(expected, abs=1e-5)


def test_the_fingerprint_of_a_remote_scorer_is_of_the_weights(site: Site, model: Path) -> None:
    for kind, path in (("vllm", "/v1/models"), ("sglang", "/get_model_info"), ("tei", "/info")):
        told = site.get(path).raw.decode()
        assert site.service.identity.fingerprint in told, kind
    assert site.get("/v1/models").body["data"][0]["max_model_len"] == 128


def test_openrlhf_sends_one_sample_or_none(site: Site, local: LocalScorer) -> None:
    body = {"query": [rendered(local)], "prompts": [QUESTION], "labels": ["None"]}
    said = site.post("/get_reward", body).body
    assert said["rewards"] == said["scores"] == pytest.approx([reward(local)], abs=1e-5)
    # With several servers all but the first get nothing to score, and must answer all the same.
    said = site.post("/get_reward", {"query": [], "prompts": [], "labels": []})
    assert (said.status, said.body) == (200, {"rewards": [], "scores": [], "extra_logs": {}})
    other = site.post("/get_reward", {"query": ["[INST] How? [/INST] So."], "prompts": ["How?"], "labels": [""]})
    assert other.status == 422
    assert "not in this model's template" in other.body["error"]


@pytest.mark.parametrize("switch", ["use_activation", "activation"])
def test_verl_s_reward_loop_of_both_servers(switch: str, site: Site, local: LocalScorer, model: Path) -> None:
    """It renders with the reward's template, takes the leading BOS away, names the model by its path."""
    bos = local.reward_model.renderer.tokenizer.bos_token
    text = rendered(local).removeprefix(bos) if bos else rendered(local)
    said = site.post("/classify", {"model": str(model), "input": text, switch: False})
    assert said.body["data"][-1]["probs"][-1] == pytest.approx(reward(local), abs=1e-5)
    said = site.post("/v1/embeddings", {"model": str(model), "input": text})
    assert said.body["data"][-1]["embedding"][-1] == pytest.approx(reward(local), abs=1e-5)


def test_vllm_s_classify_of_texts_ids_and_chats(site: Site, local: LocalScorer) -> None:
    ids = list(local.reward_model.renderer.encode(QUESTION, ANSWER).ids)
    expected = pytest.approx(reward(local), abs=1e-5)
    chat = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": [{"type": "text", "text": ANSWER}]}]
    for given in ({"input": rendered(local)}, {"input": ids}, {"input": [ids, ids]}, {"messages": chat}):
        said = site.post("/classify", {"model": "tiny", **given}).body
        assert [one["index"] for one in said["data"]] == list(range(len(said["data"])))
        assert all(one["probs"] == [expected] and one["num_classes"] == 1 for one in said["data"])
        assert (said["object"], said["model"]) == ("list", "tiny")
        assert said["usage"]["prompt_tokens"] == len(ids) * len(said["data"])
    said = site.post("/classify", {"input": ids, "use_activation": True})
    assert said.body["data"][0]["probs"] == [pytest.approx(sigmoid(reward(local)), abs=1e-5)]
    assert said.headers["x-assay-rewards"] == "sigmoid"
    assert site.post("/classify", {"model": "another", "input": ids}).body["error"]["code"] == 404
    assert site.post("/classify", {"input": ids, "messages": chat}).status == 400


def test_too_long_is_refused_whole_where_there_is_no_place_for_a_reason(site: Site) -> None:
    chat = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": LONG}]
    said = site.post("/classify", {"messages": chat, "truncate_prompt_tokens": -1})
    assert said.status == 422
    assert "the model reads 128" in said.body["error"]["message"]
    said = site.post("/predict", {"inputs": [[QUESTION, ANSWER], [QUESTION, LONG]], "truncate": True})
    assert (said.status, said.body["error_type"]) == (422, "Validation")
    assert said.body["error"].startswith("1 of 2 rows have no reward: row 1: ")
    (found,) = site.post("/v1/score", {"groups": [{"prompt": QUESTION, "answers": [ANSWER, LONG]}]}).body["groups"]
    assert found["rewards"][0] is not None
    assert found["rewards"][1] is None
    assert "the model reads 128" in found["reasons"][1]


def test_sglang_s_own_classify_and_embeddings(site: Site, local: LocalScorer) -> None:
    text, ids = rendered(local), list(local.reward_model.renderer.encode(QUESTION, ANSWER).ids)
    expected = pytest.approx(reward(local), abs=1e-5)
    for single in ({"text": text}, {"input_ids": ids}):
        said = site.post("/classify", {"model": "default", **single}).body
        assert said["embedding"] == [expected]
        assert said["meta_info"]["prompt_tokens"] == len(ids)
    for several in ({"text": [text]}, {"input_ids": [ids, ids]}):
        assert all(one["embedding"] == [expected] for one in site.post("/classify", several).body)
    # The OpenAI client asks for base64 unless it is told otherwise.
    said = site.post("/v1/embeddings", {"model": "tiny", "input": [text, text], "encoding_format": "base64"}).body
    assert [struct.unpack("<f", base64.b64decode(one["embedding"])) for one in said["data"]] == [(expected,)] * 2


def test_tei_s_predict_in_all_its_forms(site: Site, local: LocalScorer) -> None:
    expected = pytest.approx(reward(local), abs=1e-5)
    one = [{"score": expected, "label": "LABEL_0"}]
    assert site.post("/predict", {"inputs": [QUESTION, ANSWER]}).body == one
    assert site.post("/predict", {"inputs": [[QUESTION, ANSWER]], "raw_scores": True}).body == [one]
    assert site.post("/predict", {"inputs": rendered(local)}).body == one
    assert site.post("/predict", {"inputs": [rendered(local)]}).body == one
    said = site.post("/predict", {"inputs": [[rendered(local)], [QUESTION, ANSWER]], "raw_scores": False})
    assert said.body == [[{"score": pytest.approx(sigmoid(reward(local)), abs=1e-5), "label": "LABEL_0"}]] * 2
    assert TEI_PREDICT.parse({"inputs": []}).asked == ()


def test_rerankers_sort_by_reward_and_name_places(site: Site, local: LocalScorer) -> None:
    answers = [*GROUPS[4].answers]
    assert all(isinstance(one, str) for one in answers)
    known = [reward(local, QUESTION, str(one)) for one in answers]
    order = sorted(range(len(known)), key=lambda n: -known[n])
    said = site.post("/rerank", {"query": QUESTION, "texts": answers, "raw_scores": True, "return_text": True}).body
    assert [one["index"] for one in said] == order
    assert [one["text"] for one in said] == [answers[n] for n in order]
    assert [one["score"] for one in said] == pytest.approx([known[n] for n in order], abs=1e-5)
    documents: list[object] = [answers[0], *({"text": one} for one in answers[1:])]
    for path in ("/rerank", "/v1/rerank", "/v2/rerank"):
        said = site.post(path, {"model": "tiny", "query": QUESTION, "documents": documents, "top_n": 3}).body
        assert [one["index"] for one in said["results"]] == order[:3]
        told = [one["relevance_score"] for one in said["results"]]
        assert told == pytest.approx([known[n] for n in order[:3]], abs=1e-5)
        assert all("document" not in one for one in said["results"])
    said = site.post("/v1/rerank", {"query": QUESTION, "documents": answers, "return_documents": True, "top_n": 0}).body
    assert [one["document"]["text"] for one in said["results"]] == [answers[n] for n in order]


def test_plain_groups_of_texts_and_conversations(site: Site, local: LocalScorer) -> None:
    groups = [{"id": g.id, "prompt": to_json(g.prompt), "answers": [to_json(one) for one in g.answers]} for g in GROUPS]
    said = site.post("/v1/score", {"groups": groups}).body
    assert [one["id"] for one in said["groups"]] == [g.id for g in GROUPS]
    found = [value for one in said["groups"] for value in one["rewards"]]
    assert found == pytest.approx(values(local.score(GROUPS)), abs=1e-5)


def test_an_encoder_takes_pairs_and_no_text_by_itself(tmp_path: Path) -> None:
    base = bases.save(tmp_path / "base", "bert")
    RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64), seed=0).save(tmp_path / "model")
    local = LocalScorer(tmp_path / "model")
    with serving(str(tmp_path / "model")) as site:
        remote = open_scorer(f"tei:{site.url}", remote=RemoteConfig(cache="off", batch=3))
        assert values(remote.score(GROUPS)) == pytest.approx(values(local.score(GROUPS)), abs=1e-5)
        said = site.post("/predict", {"inputs": "a text by itself"})
        assert (said.status, "as a pair" in said.body["error"]) == (422, True)


def test_heads_and_uncertainty_of_an_ensemble(tmp_path: Path) -> None:
    one, two = (saved_models.reward_model(tmp_path / str(seed), seed=seed) for seed in (1, 2))
    with serving(f"ensemble:{one},{two}") as site:
        (found,) = site.post("/v1/score", {"groups": [{"prompt": QUESTION, "answers": [ANSWER, "No."]}]}).body["groups"]
    group = Candidates(id="a", prompt=QUESTION, answers=(ANSWER, "No."))
    first, second = (LocalScorer(path).score([group])[0] for path in (one, two))
    for place in (0, 1):
        a, b = first[place], second[place]
        assert isinstance(a, Reward)
        assert isinstance(b, Reward)
        assert found["rewards"][place] == pytest.approx((a.value + b.value) / 2, abs=1e-5)
        assert found["uncertainty"][place] == pytest.approx(abs(a.value - b.value) / 2, abs=1e-5)
        assert list(found["heads"][place].values()) == pytest.approx([a.value, b.value], abs=1e-5)


def test_parts_of_a_message_are_joined_as_a_file_s_are(site: Site) -> None:
    """And as vLLM joins them: by a line break."""
    parts = [{"type": "text", "text": "Press refund."}, {"type": "text", "text": "Then wait."}]
    read = as_message({"role": "assistant", "content": parts}, "both", "answer").content
    answers = [[{"role": "assistant", "content": parts}], read, "Press refund.Then wait."]
    (found,) = site.post("/v1/score", {"groups": [{"prompt": QUESTION, "answers": answers}]}).body["groups"]
    first, expected, other = found["rewards"]
    assert first == expected != other


def test_messages_that_a_reward_would_not_see_are_refused(site: Site) -> None:
    thought = {"role": "assistant", "content": "Yes.", "reasoning_content": "It is late."}
    other = {"role": "assistant", "content": "Yes.", "thinking": "It is late."}
    call = {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}
    image = [{"type": "image_url", "image_url": {"url": "x"}}]
    for turn in (call, thought, other, {"role": "assistant", "content": image}):
        assert site.post("/classify", {"messages": [{"role": "user", "content": "a"}, turn]}).status == 400
