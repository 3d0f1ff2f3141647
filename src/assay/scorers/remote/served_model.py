"""What a server says it serves: asked before data are read, and a part of the fingerprint. Knows no rewards."""

from __future__ import annotations

from collections.abc import Mapping

from assay.endpoints.calls import Calls, Line, Request
from assay.endpoints.failure import Failure, ImpossibleError
from assay.errors import ConfigError, InputError
from assay.scorers.remote.formats import Format


def served_model(calls: Calls, form: Format, *, model: str | None, name: str) -> dict[str, object]:
    """The facts that tell one model from another; empty where the server has no route for them.

    model: the one asked for, if several are served. Raises InputError if the server is not there or fails, ConfigError
    for a model it does not serve, ImpossibleError where it wants other credentials.
    """
    if form.info is None:
        return {}

    async def ask(line: Line, path: str) -> object | Failure:
        return await line.ask(Request(path=path, read=lambda told: told, method="GET"))

    try:
        with calls.each([form.info], ask) as answers:
            ((_, told),) = answers
    except ImpossibleError as error:
        if error.status in {401, 403}:
            raise
        return {}  # behind a gateway that has the scoring route alone
    if isinstance(told, Failure):
        if told.kind == "unreadable":
            return {}
        raise InputError(f"{name}: {told.reason}. Is the server up, and the address right?")
    served = told.get("data") if isinstance(told, Mapping) else None
    facts = _one_of(served, model, name) if isinstance(served, list) else told
    if not isinstance(facts, Mapping):
        return {}
    return {key: facts[key] for key in form.identity if facts.get(key) is not None}


def _one_of(served: list[object], model: str | None, name: str) -> object:
    """The facts of one model in vLLM's list, which holds adapters too."""
    models = {str(one.get("id")): one for one in served if isinstance(one, Mapping)}
    if model is None and len(models) > 1:
        raise ConfigError(f"{name} serves {', '.join(models)}. Name one of them: {name}/MODEL.")
    if model is not None and models and model not in models:
        raise ConfigError(f"{name}: no such model there. It serves {', '.join(models)}.")
    return next(iter(models.values()), None) if model is None else models.get(model)
