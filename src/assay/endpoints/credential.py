"""The credential of a server: read from the environment when it is sent, and taken out of every text that is kept."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from assay.errors import ConfigError

SHOWN = "[token]"
BY_CHANCE = 16  # characters from which on nobody writes a token by chance: `EMPTY` and `password` stand in answers


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer token, or none. It has no place in repr, artifacts, fingerprints and errors."""

    token: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    def hidden(self, text: str) -> str:
        """The text with the token taken out: servers repeat what they were sent."""
        for spelling in self._spellings():
            text = text.replace(spelling, SHOWN)
        return text

    def hidden_in(self, raw: bytes, *, answer: bool) -> bytes:
        """The same of a body, before anything is read or cut out of it: half a token is still a secret.

        answer: it is one that will be used; a token so short that it may be a word is left in it, since to change
        what a model said would be the greater fault.
        """
        if self.token is None or (answer and len(self.token) < BY_CHANCE):
            return raw
        for spelling in self._spellings():
            raw = raw.replace(spelling.encode(), SHOWN.encode())
        return raw

    def _spellings(self) -> Iterable[str]:
        """As it is, as JSON may escape it, and as a URL would."""
        if self.token is None:
            return ()
        return dict.fromkeys((self.token, self.token.replace("/", "\\/"), quote(self.token, safe="")))


def credential_from(names: Sequence[str]) -> Credential:
    """Of the first variable that is set. Raises ConfigError, without the value, where no header can hold it."""
    for name in names:
        token = os.environ.get(name, "").strip()
        if token:
            if not (token.isascii() and token.isprintable()) or " " in token:
                raise ConfigError(f"{name}: holds characters that no token has (blanks, controls, not ASCII).")
            return Credential(token)
    return Credential()
