"""`http://host:8000/MODEL` -> where a server is and what it is asked for. Refuses an address that holds a password."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from assay.errors import ConfigError
from assay.scorers.remote.config import Kind

NAMES_A_MODEL = ("vllm", "sglang")  # the others serve one model, and a path stands before their route


@dataclass(frozen=True, slots=True)
class Address:
    """url: without a slash at its end, user, query or fragment. model: None where the address names none."""

    url: str
    model: str | None = None


def parse_address(kind: Kind, text: str) -> Address:
    """The address in `kind:text`. Raises ConfigError, which never repeats the text where a secret may stand in it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{kind}: the address cannot be read ({error}). Give http://host:port.") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigError(
            f"{kind}: the address holds a user, a password, a query or a fragment, which would end up in artifacts and "
            "logs. Give http://host:port alone, and a token in the environment as ASSAY_REMOTE_TOKEN."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{kind}:{text}: no address of a server. Give {kind}:http://host:port, or https://.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    origin = f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
    path = unquote(parts.path).strip("/")
    # Clients of the OpenAI kind are given http://host/v1: nobody's model is called that.
    if kind in NAMES_A_MODEL and path != "v1":
        return Address(origin, path or None)
    return Address(origin + (f"/{path}" if path and path != "v1" else ""))
