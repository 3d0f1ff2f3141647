"""A judge behind an OpenAI-compatible server: what is asked for, and how its words or its tokens' odds are read.

A question that fails is a NoReply with its reason and costs no other. How the server is asked stands in `endpoints/`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import orjson

from assay.artifacts.files import sha256_json
from assay.endpoints.budget import Budget
from assay.endpoints.calls import CallLimits, Calls, Line, Request
from assay.endpoints.credential import credential_from
from assay.endpoints.failure import AnswerError, Failure, ImpossibleError
from assay.endpoints.kept_answers import KeptAnswers, opened_answers
from assay.endpoints.server_health import SILENT_OR_REFUSING, ServerHealth
from assay.errors import ConfigError, InputError
from assay.scorers.judge.judge_config import JudgeConfig
from assay.scorers.judge.questions_put import Asked, NoReply, excerpt
from assay.scorers.judge.replies_kept import REPLIES, TOKENS, tokens_text, told_tokens
from assay.scorers.judge.spent_calls import Spent

FIRST_WAIT = 0.5  # seconds before the second try
MOST_BYTES = 4 * 2**20  # of one answer; a reply of a million tokens is a fault
TOP = 20  # likeliest tokens asked for: the most that OpenAI's own servers give
IN_A_ROW = 8  # questions that got no answer at all, one after the other, before the rest is not asked


class EndpointJudge:
    """A Judge behind `POST {endpoint}/chat/completions`. folder: where replies are kept. budget: of requests."""

    def __init__(self, config: JudgeConfig, folder: Path, budget: Budget | None = None) -> None:
        assert config.endpoint is not None
        self.config, self.folder = config, folder
        self.url = config.endpoint.rstrip("/")
        self.credential = credential_from([config.key_env] if config.key_env else [])
        if config.key_env and self.credential.token is None:
            raise ConfigError(
                f"key_env: ${config.key_env} is not set. Set it to the endpoint's key, or leave key_env out."
            )
        self.budget = Budget() if budget is None else budget
        self.spent = Spent()
        self.health = ServerHealth(IN_A_ROW, SILENT_OR_REFUSING)

    @property
    def address(self) -> str:
        return f"{self.url}/chat/completions"

    @property
    def requests(self) -> int:
        """How many went out, further tries included; those of others who share the budget too."""
        return self.budget.sent

    @property
    def fingerprint(self) -> str:
        """Of where and what is asked; what a server runs behind that name cannot be seen from here."""
        return sha256_json({"address": self.address, "model": self.config.model})

    def replies(self, asked: Sequence[Asked]) -> list[str | NoReply]:
        """Equal questions are asked once.

        Raises InputError where the server refuses the key or the model, or the cache cannot be used.
        """
        return self._all(asked, {"max_tokens": self.config.most_tokens}, written)

    def odds(self, asked: Sequence[Asked], tokens: tuple[str, str], begun: str) -> list[float | NoReply]:
        """log P(first word) - log P(second word) as the first of the reply, in nats, from the endpoint's top_logprobs.

        Tokens are compared by their words (" Yes" and "Yes" are one, their chances added), since a reply begins without
        the blank that stands after `begun`; that is not sent, for a chat has no place for it. A word that is not among
        those returned leaves its answer without odds: its chance is small and unknown, not zero. Raises InputError
        where the endpoint returns no logprobs, or refuses the key or the model, or the cache cannot be used.
        """
        words = [token.strip() for token in tokens]
        replies = self._all(asked, {"max_tokens": 1, "logprobs": True, "top_logprobs": TOP}, self._first_token)
        return [reply if isinstance(reply, NoReply) else log_odds(orjson.loads(reply), words) for reply in replies]

    def _all(
        self, asked: Sequence[Asked], how: Mapping[str, object], read: Callable[[object], str]
    ) -> list[str | NoReply]:
        """The reply to each question. how: what a body holds beside the question."""
        bodies = {one: self._body(one, how) for one in dict.fromkeys(asked)}
        keys = {one: reply_key(self.address, body) for one, body in bodies.items()}
        found: dict[Asked, str | NoReply] = {}
        sent = self.budget.sent
        with opened_answers(self.folder, REPLIES) as cache, opened_answers(self.folder, TOKENS) as tokens:
            known = self._known(cache, list(keys.values()))
            found |= {one: known[key] for one, key in keys.items() if key in known}
            missing = [one for one in bodies if one not in found]

            async def ask(line: Line, one: Asked) -> tuple[str, tuple[int, int] | None] | Failure:
                both = lambda answer: (read(answer), usage(answer))  # noqa: E731
                return await line.ask(Request(path="/chat/completions", read=both, body=bodies[one]))

            try:
                with self._calls().each(missing, ask) as replies:
                    for place, reply in replies:
                        one = missing[place]
                        found[one] = NoReply(reply.reason) if isinstance(reply, Failure) else reply[0]
                        if not isinstance(reply, Failure):
                            cache.add(keys[one], reply[0])
                            if reply[1] is not None:
                                tokens.add(keys[one], tokens_text(reply[1]))
            except ImpossibleError as error:
                raise InputError(self._impossible(error)) from None
            told = tokens.known([keys[one] for one, reply in found.items() if isinstance(reply, str)])
        self.spent.sent += self.budget.sent - sent
        for one, had in found.items():
            if isinstance(had, str):
                self.spent.calls += 1
                self.spent.tokens(told_tokens(told.get(keys[one])))
        return [found[one] for one in asked]

    def _calls(self) -> Calls:
        limits = CallLimits(
            concurrency=self.config.concurrency,
            seconds=self.config.seconds,
            retries=self.config.retries,
            backoff=FIRST_WAIT,
            most_bytes=MOST_BYTES,
        )
        return Calls(self.url, limits, credential=self.credential, health=self.health, budget=self.budget)

    def _body(self, asked: Asked, how: Mapping[str, object]) -> dict[str, object]:
        return {
            "model": self.config.model,
            "messages": [{"role": message.role, "content": message.content} for message in asked.chat],
            "temperature": self.config.heat,
            "seed": asked.seed,
            **how,
        }

    def _known(self, cache: KeptAnswers[str], keys: Sequence[bytes]) -> dict[bytes, str]:
        """Replies of earlier calls. Those kept a file each, as assay once did, are taken over."""
        known = cache.known(keys)
        for key in keys:
            if key not in known and (reply := reply_in_a_file(self.folder, key)) is not None:
                known[key] = reply
                cache.add(key, reply)
        return known

    def _first_token(self, answer: object) -> str:
        """The likeliest tokens of a reply's first place, as JSON [[token, logprob], ...].

        Raises ImpossibleError where there are none: no question to this server will have them.
        """
        choice = first_choice(answer)
        try:
            place = choice["logprobs"]["content"][0]["top_logprobs"]  # type: ignore[index]
            top = [(str(one["token"]), float(one["logprob"])) for one in place]
        except (KeyError, IndexError, TypeError, ValueError):
            raise ImpossibleError(
                f"{self.address} returns no top_logprobs for model {self.config.model!r}, so no probability of a token "
                "can be read. Ask a server that gives them (vLLM, sglang, llama.cpp), or judge by words: mode: score, "
                "or mode: pairwise with read: text."
            ) from None
        if not all(math.isfinite(log) for _, log in top):
            raise AnswerError("one of its tokens' log-probabilities is not finite")
        return orjson.dumps(top).decode()

    def _impossible(self, error: ImpossibleError) -> str:
        if error.status is None:
            return str(error)
        named = f"${self.config.key_env}" if self.config.key_env else "no key (key_env names none)"
        return (
            f"{self.address} refuses model {self.config.model!r} with {named}: {error.status}{error.said}. Put "
            "endpoint, model and key_env right."
        )


def reply_key(address: str, body: Mapping[str, object]) -> bytes:
    """The key of a reply in the cache: of where and what is asked."""
    return bytes.fromhex(sha256_json([address, body]).removeprefix("sha256:"))


def reply_in_a_file(folder: Path, key: bytes) -> str | None:
    """The reply in `ab/abcd....json`, as assay kept them before; None where there is none or its file is torn."""
    name = key.hex()
    try:
        found = orjson.loads((folder / name[:2] / f"{name}.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    reply = found.get("reply") if isinstance(found, dict) else None
    return reply if isinstance(reply, str) else None


def usage(answer: object) -> tuple[int, int] | None:
    """Tokens read and written, where the server says both; a reply without them is as good a reply."""
    told = answer.get("usage") if isinstance(answer, Mapping) else None
    if not isinstance(told, Mapping):
        return None
    read, wrote = told.get("prompt_tokens"), told.get("completion_tokens")
    return (read, wrote) if isinstance(read, int) and isinstance(wrote, int) else None


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


def first_choice(answer: object) -> Mapping[str, object]:
    """Of a chat completion. Raises AnswerError for what is none."""
    choices = answer.get("choices") if isinstance(answer, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, Mapping):
        raise AnswerError(f"it is no chat completion: {excerpt(orjson.dumps(answer).decode())}")
    return choice


def written(answer: object) -> str:
    """The text of a chat completion. Raises AnswerError for what is none."""
    choice = first_choice(answer)
    message = choice.get("message")
    if not isinstance(message, Mapping) or "content" not in message:
        raise AnswerError(f"it is no chat completion: {excerpt(orjson.dumps(answer).decode())}")
    text = message["content"]
    if not isinstance(text, str) or not text.strip():
        raise AnswerError(f"it holds no text (finish_reason {choice.get('finish_reason')})")
    return text
