"""`endpoint:MODEL@http://host:8000/v1`: a model behind an OpenAI-compatible server as a Policy.

One request an answer, each with its own seed, several at a time. An answer that fails is a Generation with its reason
and costs no other. The server renders the chat by its own template, which cannot be seen from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from assay.artifacts.files import sha256_json
from assay.endpoints.address import server_address
from assay.endpoints.calls import CallLimits, Calls, Line, Request
from assay.endpoints.credential import credential_from
from assay.endpoints.failure import AnswerError, Failure, ImpossibleError
from assay.endpoints.server_health import SILENT_OR_REFUSING, ServerHealth
from assay.errors import ConfigError, InputError
from assay.policies.one_by_one import Asked, answer_seed, gathered, with_a_seed
from assay.policies.protocol import Finish, Generation, Generations, Made, Prompt, Sampling, generated
from assay.records import as_messages
from assay.stats.unknown import Unknown

KEY_NAMES = ("ASSAY_ENDPOINT_TOKEN", "ASSAY_REMOTE_TOKEN")  # variables of the environment, looked at first first
IN_A_ROW = 8  # requests that got no answer at all, one after the other, before the rest is not sent
FINISH: Mapping[str, Finish] = {"stop": "stop", "length": "length", "content_filter": "filtered"}


class EndpointPolicy:
    """Answers by `POST {url}/chat/completions`. url: with the version, such as http://host:8000/v1."""

    def __init__(self, model: str, url: str, *, limits: CallLimits | None = None) -> None:
        self.model, self.url, self.limits = model, url.rstrip("/"), limits or CallLimits()

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
        health = ServerHealth(IN_A_ROW, SILENT_OR_REFUSING)
        calls = Calls(self.url, self.limits, credential=credential_from(KEY_NAMES), health=health)

        async def answer(line: Line, one: Asked) -> Generation:
            body = self._body(one, sampling)
            seed = answer_seed(sampling.seed or 0, one)
            request = Request(
                path="/chat/completions", read=lambda told: read_completion(told, seed=seed), body=body | {"seed": seed}
            )
            found = await line.ask(request)
            if isinstance(found, Failure):
                return Generation(text=Unknown(found.reason), finish="error", seed=seed)
            return found

        try:
            with calls.each(asked, answer) as answers:
                yield from answers
        except ImpossibleError as error:
            raise InputError(
                f"{self.url} refuses: {error.status}{error.said}. Put the address, the model and ${KEY_NAMES[0]} right."
            ) from None

    def _body(self, asked: Asked, sampling: Sampling) -> dict[str, object]:
        messages = as_messages(asked.prompt.text, role="user")
        body: dict[str, object] = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        }
        return body | ({"stop": list(sampling.stop)} if sampling.stop else {})


def read_completion(found: object, *, seed: int) -> Generation:
    """The answer in a chat completion, or why it holds none. Raises AnswerError for what is no JSON object."""
    if not isinstance(found, Mapping):
        raise AnswerError("it is no chat completion")
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
    if not at or not model.strip():
        raise ConfigError("endpoint: give endpoint:MODEL@http://host:port/v1, the model as the server calls it.")
    url = f"http{url}"
    server_address(url, option="endpoint", example="http://host:port/v1", credential="ASSAY_ENDPOINT_TOKEN")
    # As it was written: the address stands in the fingerprint, and so in files of answers that are gone on with.
    return EndpointPolicy(model, url)
