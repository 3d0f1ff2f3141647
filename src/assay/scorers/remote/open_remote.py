"""A remote scorer from what a user writes: `vllm:http://host:8000/MODEL`, or `remote:FILE.yaml` with all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast, get_args

from assay.config import read_config_file
from assay.endpoints.address import server_address
from assay.errors import ConfigError
from assay.scorers.remote.config import Kind, RemoteConfig
from assay.scorers.remote.remote_scorer import RemoteScorer

NAMES_A_MODEL = ("vllm", "sglang")  # the others serve one model, and a path stands before their route


def parse_address(kind: Kind, text: str) -> tuple[str, str | None]:
    """The server's url, and the model that `kind:text` names if any. Raises ConfigError."""
    found = server_address(text, option=kind, example="http://host:port", credential="ASSAY_REMOTE_TOKEN")
    # Clients of the OpenAI kind are given http://host/v1: nobody's model is called that.
    if found.path == "v1":
        return found.origin, None
    return (found.origin, found.path or None) if kind in NAMES_A_MODEL else (found.url, None)


def at_address(kind: Kind) -> Callable[[str], RemoteScorer]:
    """What opens `kind:address`."""

    def opened(text: str) -> RemoteScorer:
        url, model = parse_address(kind, text)
        return RemoteScorer(RemoteConfig(kind=kind, url=url, model=model))

    return opened


def from_file(text: str) -> RemoteScorer:
    """`remote:FILE.yaml`: kind, url and any other option. Raises ConfigError that names the file."""
    return RemoteScorer(file_config(Path(text).expanduser()))


def file_config(file: Path) -> RemoteConfig:
    values = read_config_file(file)
    try:
        config = RemoteConfig.build(values)
        address = parse_address(config.kind, config.url) if config.kind and config.url else None
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None
    if address is None:
        raise ConfigError(f"{file}: kind and url are needed, such as kind: vllm and url: http://host:8000.")
    url, model = address
    if model is not None and config.model is not None:
        raise ConfigError(f"{file}: the model is named twice, {model} in the url and {config.model}.")
    return config.model_copy(update={"url": url, "model": config.model or model})


def with_options(scorer: RemoteScorer, options: RemoteConfig, *, template: str | None) -> RemoteScorer:
    """The scorer with options over its own: those that were given, not those that have defaults."""
    given = {name: getattr(options, name) for name in options.model_fields_set}
    for name in ("kind", "url"):
        if name in given:
            raise ConfigError(f"remote.{name}: the scorer's own address says that. Leave it out.")
    if template is not None:
        given["template"] = template
    return RemoteScorer(scorer.config.model_copy(update=given)) if given else scorer


REMOTE_KINDS: Mapping[str, Callable[[str], RemoteScorer]] = {
    **{kind: at_address(cast("Kind", kind)) for kind in get_args(Kind)},
    "remote": from_file,
}
