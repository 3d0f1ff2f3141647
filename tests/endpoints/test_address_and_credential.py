"""No secret in an address, and none in what a server repeats."""

from __future__ import annotations

import json

import pytest

from assay.endpoints.address import server_address
from assay.endpoints.credential import Credential, credential_from
from assay.errors import ConfigError

TOKEN = "sk-very+secret/4711=="


@pytest.mark.parametrize(
    "text",
    [
        "http://me:sesame@host/v1",
        "http://sesame@host",
        "http://host/v1?key=sesame",
        "http://host#sesame",
        "http://me:sesame",
        "http:me:sesame@host",
        "ftp://me:sesame@host",
        "me:sesame@host:8000",
        "http://[sesame",
        "http://me:sesame@h\u2105st",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match=r"opt: .*http://host:port") as raised:
        server_address(text, option="opt", example="http://host:port", credential="MY_VARIABLE")
    assert "sesame" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_a_credential_is_taken_out_in_each_spelling_and_before_anything_is_cut() -> None:
    credential = Credential(TOKEN)
    for spelling in (TOKEN, TOKEN.replace("/", "\\/"), "sk-very%2Bsecret%2F4711%3D%3D"):
        assert credential.hidden(f"got {spelling}.") == "got [token]."
    body = b'{"error": "' + b"x" * 190 + TOKEN.encode() + b'"}'
    assert json.loads(credential.hidden_in(body, answer=False))["error"] == "x" * 190 + "[token]"
    assert "sesame" not in repr(Credential("sesame"))


def test_a_word_that_serves_as_a_token_is_left_in_answers() -> None:
    """A key such as `password` would change what a model said; in an error it is hidden all the same."""
    credential = Credential("password")
    assert credential.hidden_in(b"a password needs 8 letters", answer=True) == b"a password needs 8 letters"
    assert credential.hidden_in(b"not password", answer=False) == b"not [token]"
    assert Credential(TOKEN).hidden_in(TOKEN.encode(), answer=True) == b"[token]"


def test_the_first_variable_counts_and_none_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_B", " b ")
    assert credential_from(["ASSAY_A", "ASSAY_B"]).token == "b"
    assert credential_from(["ASSAY_A"]).headers == {}
    monkeypatch.setenv("ASSAY_A", "se\nsame")
    with pytest.raises(ConfigError, match="ASSAY_A: holds characters") as raised:
        credential_from(["ASSAY_A", "ASSAY_B"])
    assert "same" not in str(raised.value)
