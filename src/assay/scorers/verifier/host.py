"""The child process of Python verifiers: `python -m assay.scorers.verifier.host MEGABYTES KIND ARGUMENT`.

Says {"ready": true} or {"fault": ...} first, then answers each line with a verdict until its input ends. What the
function prints goes to stderr, and what it reads is empty, so that neither can get between the lines.
"""

from __future__ import annotations

import importlib.util
import inspect
import math
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, SupportsFloat

import orjson

from assay.errors import AssayError
from assay.scorers.protocol import Reward, Unscored
from assay.scorers.verifier.checked_item import Checked
from assay.scorers.verifier.hosted_rules import HOSTED
from assay.scorers.verifier.memory_bound import bound_memory

GIVEN = ("prompt", "answer", "reference", "source")


class UnusableError(Exception):
    """The function cannot be had or called, and why."""


def main(megabytes: int, kind: str, argument: str) -> None:
    lines, verdicts = own_streams()
    bound_memory(megabytes)

    def say(value: object) -> None:
        verdicts.write(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY, default=str) + b"\n")
        verdicts.flush()

    try:
        rule = HOSTED[kind](argument) if kind in HOSTED else user_function(argument)
    except (AssayError, UnusableError) as error:
        say({"fault": str(error)})
        return
    say({"ready": True})
    for line in lines:
        try:
            item = orjson.loads(line)
            item.pop("id")
            say(as_json(rule(Checked(**item))))
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            say({"reason": f"it raised {type(error).__name__}: {str(error)[:200]}"})


def own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Input and output for the lines alone; whoever prints or reads meets stderr and nothing."""
    lines, verdicts = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return lines, verdicts


def user_function(argument: str) -> Callable[[Checked], object]:
    """The function of FILE.py:function, called with those of GIVEN that it has parameters for. Raises UnusableError."""
    file, _, name = argument.rpartition(":")
    path = Path(file).expanduser().resolve()
    sys.path.insert(0, str(path.parent))  # so that it may import what stands beside it
    called = f"verifier_{path.stem}"  # a file may be called as a module of Python's own
    spec = importlib.util.spec_from_file_location(called, path)
    if spec is None or spec.loader is None:
        raise UnusableError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[called] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise UnusableError(f"{path} cannot be imported: {type(error).__name__}: {error}") from None
    function = getattr(module, name, None)
    if not callable(function):
        raise UnusableError(f"{path} has no function {name!r}")
    names = parameters(function)
    values: Callable[[Checked], Mapping[str, object]] = Checked.sent
    return lambda item: function(**{key: value for key, value in values(item).items() if key in names})


def parameters(function: Callable[..., object]) -> frozenset[str]:
    """Those of GIVEN that a function takes. Raises UnusableError where it takes no answer, or needs something else."""
    found = inspect.signature(function).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in found):
        return frozenset(GIVEN)
    needed = {one.name for one in found if one.default is one.empty and one.kind is not one.VAR_POSITIONAL}
    names = {one.name for one in found if one.kind is not one.POSITIONAL_ONLY}
    if "answer" not in names or needed - set(GIVEN):
        raise UnusableError(
            f"its function takes ({', '.join(one.name for one in found)}); it is called by name with answer and, where "
            "it has them, prompt, reference and source"
        )
    return frozenset(names & set(GIVEN))


def as_json(verdict: object) -> object:
    """A verdict as it goes over the line; what it means is read on the other side."""
    if isinstance(verdict, Reward):
        return {"reward": verdict.value, "detail": dict(verdict.detail)}
    if isinstance(verdict, Unscored):
        return {"reason": verdict.reason}
    found = dict(verdict) if isinstance(verdict, Mapping) else {"reward": verdict}
    if isinstance(verdict, tuple) and len(verdict) == 2:
        found = {"reward": verdict[0], "reason": verdict[1]}
    reward = found.get("reward")
    if isinstance(reward, SupportsFloat) and not isinstance(reward, bool | int):
        number = float(reward)  # numpy's too; JSON has no word for what is not finite
        found["reward"] = number if math.isfinite(number) else str(number)
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
