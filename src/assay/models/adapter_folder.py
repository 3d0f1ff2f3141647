"""A folder of PEFT adapters (LoRA), and the base they were trained on.

Which base is read from adapter_config.json, or named after an @ behind the folder. Knows adapter folders; knows not
what the model is for.
"""

from __future__ import annotations

from pathlib import Path

from assay.errors import ModelError
from assay.models.folder_faults import ADAPTER, object_in

WEIGHTS = "adapter_model.safetensors"


def adapter_and_base(name: str) -> tuple[Path, str] | None:
    """The folder of adapters that `name` is and the base it goes on, or None where it is no such folder.

    name: FOLDER, or FOLDER@BASE where the base lies elsewhere than the folder says. Raises ModelError for adapters
    that name no base, or whose weights are not safetensors.
    """
    folder, base = Path(name).expanduser(), ""
    if not folder.is_dir() and "@" in name:
        place, _, base = name.rpartition("@")
        folder = Path(place).expanduser()
    if not (folder / ADAPTER).is_file():
        return None
    base = base or str(object_in(folder / ADAPTER).get("base_model_name_or_path") or "")
    if not base:
        raise ModelError(f"{folder}: {ADAPTER} names no base. Give it behind the folder: {folder}@BASE.")
    if not (folder / WEIGHTS).is_file():
        raise ModelError(
            f"{folder}: adapters without {WEIGHTS}; pickled ones may hold more than tensors and are not opened. Save "
            "them with save_pretrained."
        )
    return folder, base
