"""Real clients, and their requests as they were recorded: what libraries send with all their headers is answered right.

requests (by which OpenRLHF asks) and huggingface_hub (which asks TEI) are here and ask themselves. OpenAI's and
Cohere's libraries are not: their requests were recorded from openai 3.57 and cohere 7.3, without the lines on their
machine.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import requests
from huggingface_hub import InferenceClient

from assay.records import Candidates
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Reward
from assay.serve.request_limits import Access
from assay.serve.served_reward import Opening
from tests.serve.sites import Site, serving
from tests.support import saved_models

QUESTION, ANSWERS = "How do I get a refund?", ("Press refund.", "No.", "Ask again please.")
TOKEN = "t"  # which the recorded requests carry
OPENAI = """POST /v1/embeddings HTTP/1.1
Host: 127.0.0.1:8322
Accept-Encoding: gzip, deflate
Connection: keep-alive
authorization: Bearer t
accept: application/json
content-type: application/json
user-agent: OpenAI/Python 3.57.0
x-stainless-lang: python
x-stainless-package-version: 3.57.0
x-stainless-async: false
x-stainless-retry-count: 0
x-stainless-read-timeout: 600
"""
COHERE = """POST {path} HTTP/1.1
Host: 127.0.0.1:8322
Accept: */*
Accept-Encoding: gzip, deflate
Connection: keep-alive
User-Agent: cohere/7.3.1
X-Fern-Language: Python
X-Fern-SDK-Name: cohere
X-Fern-SDK-Version: 7.3.1
Authorization: Bearer t
content-type: application/json
"""
DOCUMENTS = (
    '{"model":"tiny","query":"How do I get a refund?","documents":["Press refund.","No.","Ask again please."],"top_n":2'
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_models.reward_model(tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="module")
def site(model: Path) -> Iterator[Site]:
    with serving(str(model), opening=Opening(ungated=True, names=("tiny",)), access=Access(token=TOKEN)) as found:
        yield found


@pytest.fixture(scope="module")
def local(model: Path) -> LocalScorer:
    return LocalScorer(model)


@pytest.fixture(scope="module")
def text(local: LocalScorer) -> str:
    (found,) = local.reward_model.renderer.render_rows([(QUESTION, ANSWERS[0])])
    return str(found)


@pytest.fixture(scope="module")
def rewards(local: LocalScorer) -> list[float]:
    (found,) = local.score([Candidates(id="a", prompt=QUESTION, answers=ANSWERS)])
    return [one.value for one in found if isinstance(one, Reward)]


def told(site: Site, head: str, body: str) -> Any:
    """What the server says to a request as it was recorded."""
    lines = head.replace("\n", "\r\n") + f"Content-Length: {len(body)}\r\n\r\n{body}"
    with site.raw(lines) as line:
        said = HTTPResponse(line)
        said.begin()
        raw = said.read()
        assert said.status == 200, raw
        return json.loads(raw)


def test_openrlhf_by_requests(site: Site, text: str, rewards: list[float]) -> None:
    """As its worker asks, but for the token, which it cannot send."""
    body = {"query": [text], "prompts": [QUESTION], "labels": ["None"]}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    said = requests.post(url=f"{site.url}/get_reward", json=body, headers=headers, timeout=180)
    said.raise_for_status()
    assert said.json().get("rewards") == pytest.approx(rewards[:1], abs=1e-5)
    refused = requests.post(url=f"{site.url}/get_reward", json=body, timeout=180)
    with pytest.raises(requests.HTTPError, match="401"):
        refused.raise_for_status()


def test_tei_by_hugging_face_s_client(site: Site, text: str, rewards: list[float]) -> None:
    found = InferenceClient(model=f"{site.url}/predict", token=TOKEN).text_classification(text)
    first = found[0] if isinstance(found, list) else found
    assert (first.label, first.score) == ("LABEL_0", pytest.approx(rewards[0], abs=1e-5))


@pytest.mark.parametrize("form", ["text", "ids"])
def test_openai_s_embeddings_as_recorded(site: Site, local: LocalScorer, text: str, rewards: list[float], form: str):
    """It asks for base64 by itself, of 32-bit floats."""
    ids = list(local.reward_model.renderer.encode(QUESTION, ANSWERS[0]).ids)
    given = json.dumps([text, text] if form == "text" else [ids, ids], separators=(",", ":"))
    said = told(site, OPENAI, f'{{"model":"tiny","input":{given},"encoding_format":"base64"}}')
    assert (said["object"], said["model"], said["usage"]["total_tokens"]) == ("list", "tiny", 2 * len(ids))
    for place, one in enumerate(said["data"]):
        assert (one["object"], one["index"]) == ("embedding", place)
        assert struct.unpack("<f", base64.b64decode(one["embedding"])) == (pytest.approx(rewards[0], abs=1e-5),)


@pytest.mark.parametrize(("path", "more"), [("/v2/rerank", "}"), ("/v1/rerank", ',"return_documents":true}')])
def test_cohere_s_rerank_as_recorded(site: Site, rewards: list[float], path: str, more: str) -> None:
    said = told(site, COHERE.format(path=path), DOCUMENTS + more)
    order = sorted(range(3), key=lambda place: -rewards[place])[:2]
    assert [one["index"] for one in said["results"]] == order
    scores = [one["relevance_score"] for one in said["results"]]
    assert scores == pytest.approx([rewards[place] for place in order], abs=1e-5)
    assert isinstance(said["id"], str)
    assert isinstance(said["meta"]["api_version"]["version"], str)
    if path == "/v1/rerank":
        assert [one["document"] for one in said["results"]] == [{"text": ANSWERS[place]} for place in order]
