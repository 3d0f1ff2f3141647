"""text-embeddings-inference's `POST /predict` (texts and pairs) and `POST /rerank` (a query and texts).

A pair is a prompt and its answer, and so are query and text. Raw scores unless `raw_scores` is false in so many words;
TEI's own default is a sigmoid. Nothing is cut, whatever `truncate` says: a row that is too long is refused. Read in
router/src/http/types.rs of 1.9.
"""

from __future__ import annotations

from assay.serve.asked import Asked, Finished, turns
from assay.serve.dialects.dialect import Answering, Dialect, Json, Many, Parsed, RequestBody, listed, validated
from assay.serve.refusal import RefusedError


class Predict(RequestBody):
    """inputs: a text, a pair [a, b], or a batch [[a], [a, b], ...]."""

    inputs: str | Many[str] | Many[Many[str]]
    raw_scores: bool | None = None


class Rerank(RequestBody):
    query: str
    texts: Many[str]
    raw_scores: bool | None = None
    return_text: bool = False


def count_predict(body: Json) -> int:
    """A flat list is one row, as TEI reads it: a text, or the two of a pair."""
    given = body["inputs"]
    return len(given) if isinstance(given, list) and not (given and isinstance(given[0], str)) else 1


def parse_predict(body: Json) -> Parsed:
    given = validated(Predict, body)
    rows = [[given.inputs]] if isinstance(given.inputs, str) else given.inputs
    single = isinstance(given.inputs, str) or bool(rows and isinstance(rows[0], str))
    batch: list[object] = [rows] if single and not isinstance(given.inputs, str) else list(rows)
    asked = tuple(_row(row, place) for place, row in enumerate(batch))
    return Parsed(asked=asked, activated=given.raw_scores is False, memo=single)


def _row(row: object, place: int) -> Asked:
    match row:
        case [str(text)]:
            return Finished(text=text)
        case [str(prompt), str(answer)]:
            return turns(prompt, answer)
        case _:
            raise RefusedError(400, f"inputs.{place}: a row is one text, or the two of a pair")


def answer_predict(of: Answering) -> object:
    rows = [[{"score": value, "label": "LABEL_0"}] for value in of.outputs]
    return rows[0] if of.parsed.memo else rows


def parse_rerank(body: Json) -> Parsed:
    given = validated(Rerank, body)
    asked = tuple(turns(given.query, text) for text in given.texts)
    return Parsed(asked=asked, activated=given.raw_scores is False, memo=given.texts if given.return_text else None)


def answer_rerank(of: Answering) -> object:
    texts = of.parsed.memo
    ranked = sorted(enumerate(of.outputs), key=lambda one: -one[1])
    return [
        {"index": place, **({"text": texts[place]} if isinstance(texts, list) else {}), "score": value}
        for place, value in ranked
    ]


def error(status: int, told: str) -> Json:
    kind = {401: "Unauthenticated", 429: "Overloaded", 503: "Unhealthy"}
    return {"error": told, "error_type": kind.get(status, "Backend" if status >= 500 else "Validation")}


TEI_PREDICT = Dialect(
    name="tei-predict", paths=("/predict",), shape='{"inputs": text, [a, b] or [[a, b], ...]}',
    takes=lambda body: "inputs" in body, count=count_predict, parse=parse_predict, answer=answer_predict,
    error=error,
)  # fmt: skip
TEI_RERANK = Dialect(
    name="tei-rerank", paths=("/rerank",), shape='{"query": text, "texts": [text, ...]}',
    takes=lambda body: "texts" in body, count=listed("texts"), parse=parse_rerank, answer=answer_rerank, error=error,
)  # fmt: skip
