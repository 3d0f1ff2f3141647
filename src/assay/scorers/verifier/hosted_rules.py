"""Rules that a hostile text or pattern could keep busy for ever, and so run in a process with a time limit: a regular
expression, a JSON schema, mathematical equality. Imports what one rule needs when that rule is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson

from assay.errors import ConfigError, InputError, first_line
from assay.scorers.protocol import Reward, Scored, Unscored
from assay.scorers.verifier.checked_item import Checked, final_answer

FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL | re.IGNORECASE)
EXTRA = "pip install 'assay[verify]'"


def regex(pattern: str) -> Callable[[Checked], Scored]:
    """1 where the pattern is found anywhere in the answer. Raises InputError for what is no pattern."""
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise InputError(f"verifier:regex:{pattern}: no regular expression: {error}.") from None
    return lambda item: Reward(float(wanted.search(item.answer) is not None))


def json_schema(file: str) -> Callable[[Checked], Scored]:
    """1 where the answer, or the one fenced block in it, is JSON that the schema of a file takes.

    References to other places than the schema itself are never fetched. Raises InputError for what is no schema.
    """
    try:
        from jsonschema.exceptions import SchemaError
        from jsonschema.validators import validator_for
        from referencing import Registry
    except ImportError:
        raise ConfigError(f"verifier:json_schema needs jsonschema: {EXTRA}.") from None
    try:
        schema = orjson.loads(Path(file).expanduser().read_bytes())
        kind = validator_for(schema)
        kind.check_schema(schema)
        validator = kind(schema, registry=Registry())
    except (OSError, orjson.JSONDecodeError, SchemaError, TypeError, AttributeError) as error:
        raise InputError(f"verifier:json_schema:{file}: no JSON schema: {first_line(error)}.") from None

    def rule(item: Checked) -> Scored:
        blocks = FENCED.findall(item.answer)
        try:
            found = orjson.loads(blocks[0] if len(blocks) == 1 else item.answer)
        except orjson.JSONDecodeError as error:
            return Reward(0.0, detail={"why": f"no JSON: {error}"})
        fault = next(validator.iter_errors(found), None)
        return (
            Reward(1.0) if fault is None else Reward(0.0, detail={"why": f"{fault.json_path}: {fault.message}"[:200]})
        )

    return rule


def math(_: str) -> Callable[[Checked], Scored]:
    """1 where math-verify finds the answer equal to the reference; its own time limits need this main thread."""
    try:
        from math_verify import parse, verify
    except ImportError:
        raise ConfigError(f"verifier:math needs math-verify: {EXTRA}.") from None

    def parsed(text: str) -> list[object]:
        # A bare number or formula is no LaTeX; the final answer stands in dollars and, failing that, as it is.
        final = final_answer(text)
        whole = final == text.strip()
        return list((parse(f"${final}$") if not whole or len(final) < 40 else []) or parse(text))

    def rule(item: Checked) -> Scored:
        wanted = parsed(item.reference or "")
        if not wanted:
            return Unscored(f"its reference {(item.reference or '')[:60]!r} is no mathematics that math-verify reads")
        found = parsed(item.answer)
        # The order matters: the reference comes first.
        return Reward(
            float(bool(found) and bool(verify(wanted, found))), detail={} if found else {"why": "nothing read"}
        )

    return rule


HOSTED: Mapping[str, Callable[[str], Callable[[Checked], Scored]]] = {
    "regex": regex,
    "json_schema": json_schema,
    "math": math,
}
