"""Where a server is, from what a user wrote. Refuses an address that holds a secret, and never repeats one.

What stands in an address ends up in artifacts, logs and fingerprints, so that no credential may be a part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from assay.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """origin: scheme, host and port. path: what stands behind them, without slashes at its ends."""

    origin: str
    path: str

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        return self.origin + (f"/{self.path}" if self.path else "")


def server_address(text: str, *, option: str, example: str, credential: str) -> ServerAddress:
    """The address in `text`. Raises ConfigError, whose words are made of the other three.

    option: where the address was given, such as `vllm`. example: an address as it should be. credential: where a
    credential belongs instead.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        # The error's own words would repeat what stands where a port belongs: a password whose @host was forgotten.
        raise ConfigError(f"{option}: the address cannot be read. Give {example}.") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ConfigError(
            f"{option}: the address holds a user, a password, a query or a fragment, which would end up in artifacts "
            f"and logs. Give {example} alone, and a credential in the environment: {credential}."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        shown = "" if "@" in text else f"{text} is "  # `http:me:secret@host` has no user in urlsplit's eyes
        raise ConfigError(f"{option}: {shown}no http(s) address of a server. Give {example}, or https://.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    origin = f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
    return ServerAddress(origin, unquote(parts.path).strip("/"))
