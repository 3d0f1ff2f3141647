"""What a user writes for a server, and what is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.errors import AssayError, ConfigError, InputError
from assay.scorers.open import open_scorer
from assay.scorers.remote.config import RemoteConfig
from assay.scorers.remote.remote_scorer import RemoteScorer


def opened(text: str, **options: object) -> RemoteScorer:
    scorer = open_scorer(text, remote=RemoteConfig.build(options))
    assert isinstance(scorer, RemoteScorer)
    return scorer


@pytest.mark.parametrize(
    ("text", "url", "model"),
    [
        ("vllm:http://host:8000/org/model", "http://host:8000", "org/model"),
        ("vllm:http://host:8000/", "http://host:8000", None),
        ("vllm:http://host:8000/v1", "http://host:8000", None),
        ("sglang:https://host/model", "https://host", "model"),
        ("tei:http://[::1]:80/under/this", "http://[::1]:80/under/this", None),
        ("openrlhf:http://127.0.0.1:5000", "http://127.0.0.1:5000", None),
    ],
)
def test_addresses(text: str, url: str, model: str | None) -> None:
    scorer = opened(text)
    assert (scorer.url, scorer.config.model) == (url, model)


@pytest.mark.parametrize("text", ["vllm:host:8000", "vllm:", "tei:ftp://host", "tei:http://", "vllm:http://host:port"])
def test_no_address(text: str) -> None:
    with pytest.raises(ConfigError, match=r"http://host:port"):
        open_scorer(text)


@pytest.mark.parametrize(
    "text",
    ["vllm:http://me:sesame@host/m", "vllm:http://sesame@host/m", "tei:http://h?key=sesame", "tei:http://h#sesame"],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match="ASSAY_REMOTE_TOKEN") as raised:
        open_scorer(text)
    assert "sesame" not in str(raised.value)


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "endpoint.yaml"
    file.write_text("kind: vllm\nurl: http://host:8000/m\nroute: pooling\nconcurrency: 8\ntimeout: 5\n")
    scorer = opened(f"remote:{file}", concurrency=9)
    assert scorer.name == "vllm:http://host:8000/m"
    assert (scorer.form.path, scorer.config.concurrency, scorer.config.timeout) == ("/pooling", 9, 5.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: vllm\n", "kind and url are needed"),
        ("kind: vlm\nurl: http://h\n", "kind: Input should be 'vllm'"),
        ("kind: tei\nurl: http://h\ntokem: 3\n", "tokem is no option"),
        ("kind: vllm\nurl: http://h/m\nmodel: n\n", "the model is named twice"),
        ("kind: tei\nurl: http://a:b@h\n", "ASSAY_REMOTE_TOKEN"),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "endpoint.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"endpoint\.yaml: .*{said}"):
        open_scorer(f"remote:{tmp_path / 'endpoint.yaml'}")


def test_options_for_what_is_no_server() -> None:
    with pytest.raises(InputError, match=r"asked over no network, so remote\.timeout would change nothing"):
        open_scorer("baseline:longest", remote=RemoteConfig(timeout=3))
    with pytest.raises(ConfigError, match=r"remote\.url: the scorer's own address says that"):
        opened("tei:http://h", url="http://other")


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("sglang:http://h", {}, r"takes finished text.*remote\.tokenizer=FOLDER; or --template plain"),
        ("openrlhf:http://h", {}, "takes finished text"),
        ("vllm:http://h", {"batch": 4}, "one conversation a request"),
        ("vllm:http://h", {"template": "own.jinja"}, "needs the tokenizer it is for"),
        ("tei:http://h", {"row_tokens": 5}, "counted by the model's tokenizer"),
        ("tei:http://h", {"max_tokens": 5}, "tei does not say how many tokens it read"),
        pytest.param("vllm:http://h", {"tokenizer": "no-such-folder"}, "no-such-folder", marks=pytest.mark.slow),  # hub
    ],
)
def test_options_that_do_not_go_together_cost_no_request(text: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(AssayError, match=said):
        _ = opened(text, **options).fingerprint
