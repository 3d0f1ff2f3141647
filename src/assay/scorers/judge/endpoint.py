"""Questions to an OpenAI-compatible server, several at a time: time limit, retries with back-off, cache by content.

A question that fails is a NoReply with its reason and costs no other. Where the server turns everything away, the rest
is not asked. The key comes from the environment, goes into one header, and into no message.
"""

from __future__ import annotations

import math
import os
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import orjson

from assay.artifacts.files import sha256_json
from assay.errors import ConfigError, InputError
from assay.scorers.judge.judge_config import JudgeConfig
from assay.scorers.judge.questions_put import Asked, NoReply, excerpt
from assay.scorers.judge.reply_cache import ReplyCache

if TYPE_CHECKING:
    import httpx2

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds between tries: doubled each time, up to the longest
MOST_BYTES = 4 * 2**20  # of one answer; a reply of a million tokens is a fault
TOP = 20  # likeliest tokens asked for: the most that OpenAI's own servers give
IN_A_ROW = 8  # questions that got no answer at all, one after the other, before the rest is not asked
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})  # what may be otherwise at the next try


class TriedError(Exception):
    """One try failed. again: whether the next may not; wait: as the server asks, in seconds; answered: not silence."""

    def __init__(self, why: str, *, again: bool, wait: float | None = None, answered: bool = True) -> None:
        super().__init__(why)
        self.again, self.wait, self.answered = again, wait, answered


class EndpointJudge:
    """A Judge behind `POST {endpoint}/chat/completions`. cache: where replies are kept."""

    def __init__(self, config: JudgeConfig, cache: ReplyCache) -> None:
        assert config.endpoint is not None
        self.config, self.cache = config, cache
        self.address = config.endpoint.rstrip("/") + "/chat/completions"
        self.requests = 0  # that went out, retries included
        self._key = _key(config.key_env)
        self._silent = 0
        self._refused: str | None = None
        self._count = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """Of where and what is asked; what a server runs behind that name cannot be seen from here."""
        return sha256_json({"address": self.address, "model": self.config.model})

    def replies(self, asked: Sequence[Asked]) -> list[str | NoReply]:
        """Equal questions are asked once. Raises InputError where the server refuses the key or the model."""
        return self._all(asked, by_token=False)

    def _all(self, asked: Sequence[Asked], *, by_token: bool) -> list[str | NoReply]:
        """by_token: a reply is the JSON of its first token's likeliest alternatives, [[token, logprob], ...]."""
        distinct = list(dict.fromkeys(asked))
        self._silent, self._refused = 0, None
        # A client a call: lines to the server are closed when nobody waits for them.
        with self._client() as client, ThreadPoolExecutor(self.config.concurrency) as pool:
            found = dict(zip(distinct, pool.map(partial(self._reply, client, by_token), distinct), strict=True))
        if self._refused is not None:
            raise InputError(self._refused)
        return [found[one] for one in asked]

    def odds(self, asked: Sequence[Asked], tokens: tuple[str, str], begun: str) -> list[float | NoReply]:
        """log P(first word) - log P(second word) as the first of the reply, in nats, from the endpoint's top_logprobs.

        Tokens are compared by their words (" Yes" and "Yes" are one, their chances added), since a reply begins without
        the blank that stands after `begun`; that is not sent, for a chat has no place for it. A word that is not among
        those returned leaves its answer without odds: its chance is small and unknown, not zero. Raises InputError
        where the endpoint returns no logprobs, or refuses the key or the model.
        """
        words = [token.strip() for token in tokens]
        found: list[float | NoReply] = []
        for reply in self._all(asked, by_token=True):
            found.append(reply if isinstance(reply, NoReply) else log_odds(orjson.loads(reply), words))
        return found

    def _client(self) -> httpx2.Client:
        import httpx2

        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        return httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(self.config.seconds),
            limits=httpx2.Limits(max_connections=self.config.concurrency),
        )

    def _body(self, asked: Asked, by_token: bool) -> dict[str, object]:
        first_token = {"max_tokens": 1, "logprobs": True, "top_logprobs": TOP}
        return {
            "model": self.config.model,
            "messages": [{"role": message.role, "content": message.content} for message in asked.chat],
            "temperature": self.config.heat,
            "max_tokens": self.config.most_tokens,
            "seed": asked.seed,
            **(first_token if by_token else {}),
        }

    def _reply(self, client: httpx2.Client, by_token: bool, asked: Asked) -> str | NoReply:
        body = self._body(asked, by_token)
        known = self.cache.get([self.address, body])
        if known is not None:
            return known
        for left in reversed(range(self.config.retries + 1)):
            if self._refused is not None or self._silent >= IN_A_ROW:
                return NoReply(f"{self.address} was not asked: it answered none of the {IN_A_ROW} questions before")
            try:
                content = self._tried(client, body)
                reply = self._first_token(content) if by_token else _written(content)
            except TriedError as error:
                if error.again and left:
                    time.sleep(_pause(self.config.retries - left, error.wait))
                    continue
                self._seen(error.answered)
                return NoReply(self._without_key(f"{self.address} {error}"))
            self._seen(True)
            self.cache.put([self.address, body], reply)
            return reply
        raise AssertionError("the last try returns")

    def _seen(self, answered: bool) -> None:
        with self._count:
            self._silent = 0 if answered else self._silent + 1

    def _first_token(self, content: bytes) -> str:
        """The likeliest tokens of a reply's first place. Raises TriedError, and stops all where there are none."""
        try:
            found = orjson.loads(content)["choices"][0]
        except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
            raise TriedError(f"answered no chat completion: {excerpt(_text(content))}", again=False) from None
        try:
            top = found["logprobs"]["content"][0]["top_logprobs"]
            return orjson.dumps([[str(one["token"]), float(one["logprob"])] for one in top]).decode()
        except (KeyError, IndexError, TypeError, ValueError):
            self._refused = (
                f"{self.address} returns no top_logprobs for model {self.config.model!r}, so no probability of a token "
                "can be read. Ask a server that gives them (vLLM, sglang, llama.cpp), or judge by words: mode: score, "
                "or mode: pairwise with read: text."
            )
            raise TriedError("returned no top_logprobs", again=False) from None

    def _tried(self, client: httpx2.Client, body: dict[str, object]) -> bytes:
        """One request's answer. Raises TriedError."""
        import httpx2

        with self._count:
            self.requests += 1
        try:
            status, headers, content = self._sent(client, body)
        except httpx2.TimeoutException:
            raise TriedError(f"gave no answer within {self.config.seconds:g} s", again=True, answered=False) from None
        except httpx2.HTTPError as error:
            told = str(error) or type(error).__name__
            raise TriedError(f"could not be asked: {told}", again=True, answered=False) from None
        if status in {401, 403, 404}:
            named = f"${self.config.key_env}" if self.config.key_env else "no key (key_env names none)"
            self._refused = self._without_key(
                f"{self.address} refuses model {self.config.model!r} with {named}: {status} "
                f"{excerpt(_text(content))}. Put endpoint, model and key_env right."
            )
            raise TriedError(f"answered {status}", again=False)
        if status != 200:
            raise TriedError(
                f"answered {status} {excerpt(_text(content))}", again=status in PASSING, wait=_asked_wait(headers)
            )
        return content

    def _sent(self, client: httpx2.Client, body: dict[str, object]) -> tuple[int, httpx2.Headers, bytes]:
        """Status, headers and content, in `seconds` as a whole: a server that drips bytes would never time out."""
        import httpx2

        end = time.monotonic() + self.config.seconds
        headers = {"Content-Type": "application/json"}
        with client.stream("POST", self.address, content=orjson.dumps(body), headers=headers) as response:
            parts, size = [], 0
            for part in response.iter_bytes():
                size += len(part)
                parts.append(part)
                if time.monotonic() > end:
                    raise httpx2.ReadTimeout("dripped")
                if size > MOST_BYTES:
                    raise TriedError(f"answered with over {MOST_BYTES >> 20} MiB", again=False)
            return response.status_code, response.headers, b"".join(parts)

    def _without_key(self, text: str) -> str:
        """A server may repeat the key that it was sent."""
        return text.replace(self._key, "(key)") if self._key else text


def log_odds(top: Sequence[tuple[str, float]], words: Sequence[str]) -> float | NoReply:
    """log P(first) - log P(second) of two words among the likeliest tokens [(token, log P)], in nats.

    >>> log_odds([("Yes", -1.0), (" No", -3.0)], ["Yes", "No"])
    2.0
    """
    logs = [[log for token, log in top if token.strip() == word] for word in words]
    for word, found in zip(words, logs, strict=True):
        if not found:
            return NoReply(f"{word!r} is not among the {len(top)} likeliest tokens its endpoint returned")
    # Sums of probabilities, the largest taken out first: what is left cannot vanish.
    first, second = (max(found) + math.log(sum(math.exp(log - max(found)) for log in found)) for found in logs)
    return first - second


def _written(content: bytes) -> str:
    """The text of a chat completion. Raises TriedError for what is none."""
    try:
        found = orjson.loads(content)
        choice = found["choices"][0]
        text = choice["message"]["content"]
    except orjson.JSONDecodeError:
        raise TriedError(f"answered what is no JSON: {excerpt(_text(content))}", again=False) from None
    except (KeyError, IndexError, TypeError):
        raise TriedError(f"answered no chat completion: {excerpt(_text(content))}", again=False) from None
    if not isinstance(text, str) or not text.strip():
        ended = choice.get("finish_reason")
        raise TriedError(f"answered with no text (finish_reason {ended})", again=False)
    return text


def _text(content: bytes) -> str:
    return content[:1000].decode("utf-8", "replace")


def _key(name: str | None) -> str | None:
    """Raises ConfigError where the variable is not set."""
    if name is None:
        return None
    found = os.environ.get(name, "").strip()
    if not found:
        raise ConfigError(f"key_env: ${name} is not set. Set it to the endpoint's key, or leave key_env out.")
    return found


def _asked_wait(headers: httpx2.Headers) -> float | None:
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None


def _pause(tries: int, asked: float | None) -> float:
    """Seconds before the next try: as the server asks, else doubled each time; spread, so that tries do not meet."""
    wait: float = min(FIRST_WAIT * 2**tries * random.uniform(0.75, 1.25), LONGEST_WAIT)
    return wait if asked is None else min(max(asked, wait), LONGEST_WAIT)
