"""Hold a folder's weights against the model they make: what is missing would be random, what is left over unread.

A head under another name is recognised, so that it can be converted. Knows names and shapes of weights; runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from assay.errors import ModelError
from assay.models.opening import told_as

# In files beside models that do not use them, and without a say in the reward: buffers that are computed anew, the
# language model's head, and the pooler of encoders whose classifier reads the class token by itself.
HARMLESS = re.compile(
    r"(^|\.)(position_ids|inv_freq|masked_bias|attn\.bias|attention\.bias|lm_head\.(weight|bias|dense\.\w+"
    r"|layer_norm\.\w+|decoder\.\w+)|embed_out\.weight|cls\.(predictions|seq_relationship)\..*|pooler\.dense\.\w+)$"
)
OWN_FILES = ("value_head.safetensors", "value_head.bin", "v_head.safetensors", "v_head.bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueHead:
    """A linear head of one output under another name than the class has for it. bias: None where it has none."""

    name: str
    weight_1H: Tensor
    bias: float | None


def check_whole(folder: Path, *, missing: Collection[str], unused: Collection[str]) -> None:
    """Raises ModelError where weights are missing, or stand in the files and would not be used."""
    left = leftover(unused)
    if missing:
        found = value_head(folder, left)
        if found is not None:
            raise ModelError(
                f"{folder}: its head stands in the files as {found.name}, a name that sequence classification does not "
                f"read. Write a plain reward model of it: assay models convert {folder} --out DIR."
            )
        names = ", ".join(sorted(missing)[:3])
        also = f" In the files, but unknown to the model: {', '.join(left[:3])}." if left else ""
        raise ModelError(
            f"{folder}: {len(missing)} weights are not in the file ({names}), so its rewards would be random. It is a "
            f"base model, or its head was not saved; give a trained reward model.{also}"
        )
    if left:
        raise ModelError(
            f"{folder}: {len(left)} weights in its files are not used by sequence classification "
            f"({', '.join(left[:3])}), so its rewards would not be the ones it was trained to give. Take a model whose "
            "head is one linear layer, or remove these weights if you know that they have no part in the reward."
        )


def check_shapes(folder: Path | str, mismatched: Iterable[Sequence[object]]) -> None:
    """Raises ModelError for weights of another shape than the model's; mismatched: name, shape found, shape wanted."""
    found = sorted(f"{name}: {_shape(had)}, not {_shape(wanted)}" for name, had, wanted in mismatched)
    if found:
        raise ModelError(
            f"{folder}: {len(found)} weights have another shape than config.json says ({'; '.join(found[:3])}). "
            "A reward model has one output; take another model, or the config.json that belongs to these weights."
        )


def _shape(sizes: object) -> str:
    return " x ".join(map(str, sizes)) if isinstance(sizes, Iterable) else str(sizes)


def leftover(unused: Collection[str]) -> list[str]:
    """Of the weights that a model does not use, those that might have a say in the reward."""
    return sorted(name for name in unused if not HARMLESS.search(name))


def value_head(folder: Path, left: Collection[str]) -> ValueHead | None:
    """The head in a file of its own, or among the left-over weights if they are one linear layer of one output."""
    for file in OWN_FILES:
        if (folder / file).is_file():
            return _as_head(dict(_tensors(folder / file)))
    if not left or not all(name.endswith((".weight", ".bias")) for name in left):
        return None
    files = [path for pattern in ("*.safetensors", "*.bin") for path in sorted(folder.glob(pattern))]
    return _as_head({name: tensor for path in files for name, tensor in _tensors(path, only=left)})


def _as_head(tensors: Mapping[str, Tensor]) -> ValueHead | None:
    weights = [name for name, tensor in tensors.items() if name.endswith("weight") and tensor.ndim == 2]
    if len(weights) != 1 or tensors[weights[0]].shape[0] != 1:
        return None
    name = weights[0].removesuffix("weight").rstrip(".")
    bias = tensors.get(weights[0].removesuffix("weight") + "bias")
    if set(tensors) - {weights[0], weights[0].removesuffix("weight") + "bias"} or (
        bias is not None and bias.numel() != 1
    ):
        return None
    return ValueHead(name=name, weight_1H=tensors[weights[0]].float(), bias=None if bias is None else float(bias))


def _tensors(path: Path, only: Collection[str] | None = None) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a file, or those named `only`."""
    with told_as(lambda why: f"{path}: the weights cannot be read ({why}). Fetch the file again."):
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 (it is no mapping)
                    if only is None or name in only:
                        yield name, file.get_tensor(name)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
            yield from ((name, tensor) for name, tensor in found.items() if only is None or name in only)
