"""The credential of a server: read from the environment when it is sent, and taken out of every text that is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from assay.errors import ConfigError
from assay.scorers.remote.config import Kind

ANY_KIND = "ASSAY_REMOTE_TOKEN"


def names_for(kind: Kind) -> tuple[str, str]:
    """The variables looked at, first first."""
    return f"ASSAY_{kind.upper()}_TOKEN", ANY_KIND


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer token, or none. It has no place in repr, artifacts, fingerprints and errors."""

    token: str | None = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    def hidden(self, text: str) -> str:
        """The text with the token taken out: servers repeat what they were sent."""
        return text if self.token is None else text.replace(self.token, "[token]")


def credential_of(kind: Kind) -> Credential:
    """Raises ConfigError, without the value, for one that cannot stand in a header."""
    for name in names_for(kind):
        token = os.environ.get(name, "").strip()
        if token:
            if not (token.isascii() and token.isprintable()) or " " in token:
                raise ConfigError(f"{name}: holds characters that no token has (blanks, controls, not ASCII).")
            return Credential(token)
    return Credential(None)
