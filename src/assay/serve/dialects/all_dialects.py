"""The languages that are spoken: a dialect is a file beside this one and a line here.

Clients find out what is served in their own way too: `described` holds what vLLM, sglang and TEI tell at which path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.serve.dialects.dialect import Dialect, Json
from assay.serve.dialects.documents import DOCUMENTS
from assay.serve.dialects.openrlhf import OPENRLHF
from assay.serve.dialects.plain_groups import GROUPS
from assay.serve.dialects.sglang import SGLANG_CLASSIFY, SGLANG_EMBEDDINGS
from assay.serve.dialects.tei import TEI_PREDICT, TEI_RERANK
from assay.serve.dialects.vllm import VLLM
from assay.serve.refusal import RefusedError

DIALECTS: tuple[Dialect, ...] = (
    GROUPS, OPENRLHF, VLLM, SGLANG_CLASSIFY, SGLANG_EMBEDDINGS, TEI_PREDICT, TEI_RERANK, DOCUMENTS,
)  # fmt: skip
PATHS: Mapping[str, Sequence[Dialect]] = {
    path: [one for one in DIALECTS if path in one.paths] for path in sorted({p for one in DIALECTS for p in one.paths})
}


def spoken(path: str, body: object) -> tuple[Dialect, Json]:
    """The dialect of a body at a path, and the body. Raises RefusedError (400) that says what is taken there."""
    dialects = PATHS[path]
    if isinstance(body, dict):
        for one in dialects:
            if one.takes(body):
                return one, body
    shapes = ", or ".join(f"{one.shape} ({one.name})" for one in dialects)
    raise RefusedError(400, f"the body: {path} takes {shapes}")


def described(*, name: str, fingerprint: str, most_tokens: int | None, rows: int, version: str) -> Mapping[str, Json]:
    """What is told at the paths where clients ask what is served; all of them hold the fingerprint of the weights.

    most_tokens: the longest row the model reads. rows: the most in one request.
    """
    model = {"id": name, "object": "model", "created": 0, "owned_by": "assay", "root": fingerprint, "parent": None}
    return {
        "/v1/models": {"object": "list", "data": [{**model, "max_model_len": most_tokens}]},
        "/get_model_info": {
            "model_path": name, "tokenizer_path": name, "is_generation": False, "weight_version": fingerprint,
        },
        "/info": {
            "model_id": name, "model_sha": fingerprint, "model_dtype": "float32", "version": f"assay {version}",
            "model_type": {"classifier": {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}},
            "max_input_length": most_tokens, "max_client_batch_size": rows, "auto_truncate": False,
        },
    }  # fmt: skip
