"""`endpoint:MODEL@http://host:8000/v1`: a model behind an OpenAI-compatible server as a Policy.

One request an answer, each with its own seed, several at a time. An answer that fails is a Generation with its reason
and costs no other. The server renders the chat by its own template, which cannot be seen from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assay.artifacts.files import sha256_json
from assay.errors import ConfigError
from assay.policies.chat_requests import ChatRequests, Failed, Limits
from assay.policies.one_by_one import Asked, answer_seed, gathered, with_a_seed
from assay.policies.protocol import Finish, Generation, Generations, Made, Prompt, Sampling, generated
from assay.records import as_messages
from assay.stats.unknown import Unknown

if TYPE_CHECKING:
    import httpx2

FINISH: Mapping[str, Finish] = {"stop": "stop", "length": "length", "content_filter": "filtered"}


class EndpointPolicy:
    """Answers by `POST {url}/chat/completions`. url: with the version, such as http://host:8000/v1."""

    def __init__(self, model: str, url: str, *, limits: Limits | None = None) -> None:
        self.model, self.url, self.limits = model, url.rstrip("/"), limits or Limits()

    @property
    def name(self) -> str:
        return f"endpoint:{self.model}@{self.url}"

    @property
    def fingerprint(self) -> str:
        """Of where and what is asked; what a server runs behind that name cannot be seen from here."""
        return sha256_json({"endpoint": self.url, "model": self.model})

    def made(self, sampling: Sampling) -> Made:
        template = Unknown("the server renders the chat by a template of its own")
        return Made(policy=self.name, fingerprint=self.fingerprint, template=template, sampling=sampling)

    def generate(self, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
        return gathered(self, prompts, n, with_a_seed(sampling))

    def answers(self, asked: Sequence[Asked], sampling: Sampling) -> Iterator[tuple[int, Generation]]:
        """Each answer as it comes. Raises InputError, after the last, where the server refuses the key or the model."""
        if not asked:
            return
        requests = ChatRequests(f"{self.url}/chat/completions", self.limits)
        # A client a call: lines to the server are closed when nobody waits for them.
        with requests.client() as client, ThreadPoolExecutor(self.limits.concurrency) as pool:
            places: dict[Future[Generation], int] = {
                pool.submit(self._answer, requests, client, one, sampling): place for place, one in enumerate(asked)
            }
            try:
                for done in as_completed(places):
                    yield places[done], done.result()
            finally:  # interrupted: what was not sent stays unsent
                pool.shutdown(wait=False, cancel_futures=True)
        requests.raise_refused()

    def _answer(self, requests: ChatRequests, client: httpx2.Client, asked: Asked, sampling: Sampling) -> Generation:
        seed = answer_seed(sampling.seed or 0, asked)
        messages = as_messages(asked.prompt.text, role="user")
        body: dict[str, object] = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": seed,
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        found = requests.send(client, body)
        if isinstance(found, Failed):
            return Generation(text=Unknown(found.reason), finish="error", seed=seed)
        return read_completion(found, seed=seed)


def read_completion(found: Mapping[str, object], *, seed: int) -> Generation:
    """The answer in a chat completion, or why there is none."""
    choices, usage = found.get("choices"), found.get("usage")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    ended = choice.get("finish_reason")
    finish, count = FINISH.get(str(ended)), tokens if isinstance(tokens, int) else None
    if finish == "filtered" and not (isinstance(text, str) and text.strip()):
        return Generation(text=Unknown("the server withheld the answer"), finish=finish, tokens=count, seed=seed)
    if not isinstance(text, str):
        why = f"the server answered with no text (finish_reason {ended})" if choice else "no chat completion came back"
        return Generation(text=Unknown(why), finish="error", tokens=count, seed=seed)
    return generated(text, finish=finish, tokens=count, seed=seed)


def endpoint(argument: str) -> EndpointPolicy:
    """The policy of `MODEL@URL`. Raises ConfigError, which never repeats an address that may hold a secret."""
    model, at, url = argument.partition("@http")
    url = f"http{url}"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigError(f"endpoint: the address cannot be read ({error}). Give http://host:port/v1.") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigError(
            "endpoint: the address holds a user, a password, a query or a fragment, which would end up in artifacts "
            "and logs. Give http://host:port/v1 alone, and a key in the environment as ASSAY_ENDPOINT_TOKEN."
        )
    if not at or not model.strip() or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("endpoint: give endpoint:MODEL@http://host:port/v1, the model as the server calls it.")
    return EndpointPolicy(model, url)
