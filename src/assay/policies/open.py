"""A policy from what a user writes: a model, a file, or `kind:argument`. The one parser of all of them.

A new kind of policy is one file beside this one and one line in KINDS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from assay.endpoints.calls import CallLimits
from assay.errors import InputError
from assay.policies.endpoint_policy import EndpointPolicy, endpoint
from assay.policies.local_policy import LocalPolicy, Writing, adapted
from assay.policies.protocol import Policy
from assay.policies.recorded_answers import RecordedPolicy
from assay.policies.support_desk import support_desk

KINDS: Mapping[str, Callable[[str], Policy]] = {
    "adapter": adapted,
    "endpoint": endpoint,
    "local": LocalPolicy,
    "recorded": RecordedPolicy,
    "support": support_desk,
}
ANSWER_FILES = {".jsonl", ".ndjson", ".json", ".gz"}


def open_policy(
    text: Path | str,
    *,
    writing: Writing | None = None,
    template: str | None = None,
    limits: CallLimits | None = None,
    said: Callable[[str], None] | None = None,
) -> Policy:
    """The policy that `text` names.

    A file: the answers recorded in it. `kind:argument`: see KINDS. Anything else: a language model by folder, catalogue
    name or hub id; a folder of an adapter takes its base along. writing, template, said: of a model that is run here.
    limits: of a server. Raises InputError for a kind there is not, and for options that would change nothing. A model
    is looked for when its fingerprint or its answers are asked for.
    """
    policy = _named(str(text))
    if isinstance(policy, LocalPolicy):
        if limits is not None:
            raise InputError(f"{text} is asked over no network, so limits of requests would change nothing.")
        return LocalPolicy(
            policy.model, adapter=policy.adapter, writing=writing, template=template, said=said or (lambda _line: None)
        )
    if template is not None or writing not in {None, Writing()}:
        raise InputError(
            f"{text} is no model that is run here: device, answers at once, cache, precision and template do not "
            "apply. Leave them out."
        )
    if isinstance(policy, EndpointPolicy):
        return EndpointPolicy(policy.model, policy.url, limits=limits)
    if limits is not None:
        raise InputError(f"{text} is asked over no network, so limits of requests would change nothing.")
    return policy


def _named(text: str) -> Policy:
    kind, colon, argument = text.partition(":")
    if colon and kind in KINDS:
        return KINDS[kind](argument)
    path = Path(text).expanduser()
    if path.is_file() or (ANSWER_FILES & set(path.suffixes) and not path.is_dir()):
        return RecordedPolicy(path)
    if colon and kind.isidentifier() and not path.exists():
        raise InputError(f"{text}: no policy of kind {kind!r}. Kinds: {', '.join(f'{one}:...' for one in KINDS)}.")
    if not text.strip():
        raise InputError("An empty name: no policy. Give a model, a file of answers (JSON lines), or kind:argument.")
    return LocalPolicy(text)
