"""What a model folder's small files say against it: adapters without their base, quantised or empty weights.

Read from JSON and from the headers of weights, before anything is opened, and told in one sentence. Knows the files of
a model folder; knows not what the model is opened for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from assay.errors import ModelError

ADAPTER = "adapter_config.json"
WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")
_LONGEST_HEADER = 100_000_000  # what safetensors itself allows


def refuse_adapters(folder: Path | str, *, name: str | None = None) -> None:
    """Raises ModelError for a folder of adapters: transformers would open another model, which they name."""
    path = Path(folder) / ADAPTER
    if path.is_file():
        base = object_in(path).get("base_model_name_or_path") or "a base it does not name"
        raise ModelError(
            f"{name or folder}: {ADAPTER} says that it holds adapters to {base}, not a whole model. Merge them into "
            "their base (PEFT: merge_and_unload, then save_pretrained) and give that folder."
        )


def refuse_quantised(folder: Path | str, *, name: str | None = None) -> None:
    """Raises ModelError for weights that are stored quantised, by the configuration's own words."""
    for method in _quantised(object_in(Path(folder) / "config.json")):
        raise ModelError(
            f"{name or folder}: its weights are stored quantised ({method}), which assay neither trains nor scores. "
            "Take the model's unquantised weights; model.tuning=qlora trains them in 4 bit."
        )


def refuse_empty(folder: Path | str, *, name: str | None = None) -> None:
    """Raises ModelError for weights without a number in them, as a run under ZeRO-3 leaves them."""
    empty = sorted(key for key, shape in shapes_in(Path(folder)).items() if 0 in shape)
    if empty:
        raise ModelError(
            f"{name or folder}: {len(empty)} weights are empty ({', '.join(empty[:3])}), as ZeRO-3 leaves them if they "
            "are not gathered. Write whole weights with zero_to_fp32.py in the checkpoint's folder."
        )


def refuse_without_weights(folder: Path | str, *, name: str) -> None:
    """Raises ModelError for a folder in which no weights lie."""
    if not any(any(Path(folder).glob(pattern)) for pattern in WEIGHTS):
        raise ModelError(f"{name}: no weights stand beside config.json ({', '.join(WEIGHTS)}). Fetch the folder again.")


def shapes_in(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every weight in a folder's safetensors files; a file that is none says nothing here."""
    found: dict[str, tuple[int, ...]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        for key, entry in _header(path).items():
            shape = entry.get("shape") if isinstance(entry, dict) else None
            if isinstance(shape, list):
                found[key] = tuple(shape)
    return found


def object_in(path: Path) -> dict[str, object]:
    """The JSON object in a file; empty where there is none, which transformers then says in its own way."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _header(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            found = json.loads(file.read(length)) if length <= _LONGEST_HEADER else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _quantised(config: Mapping[str, object]) -> Iterator[str]:
    """How weights are stored where a configuration, or one inside it, says that they are quantised."""
    for key, value in config.items():
        if key in {"quantization_config", "compression_config"} and isinstance(value, dict) and value:
            bits = [f"{bit} bit" for bit in (4, 8) if value.get(f"load_in_{bit}bit")]
            yield " ".join([str(value.get("quant_method", "method not named")), *bits])
        elif isinstance(value, dict):
            yield from _quantised(value)
