"""What the launcher asks for: whether processes that train together hold the weights whole, or each a part of them.

`accelerate launch` tells its processes by the environment what its configuration file says. Accelerate itself would
wrap models by it as they are opened, on GPUs alone, and in ways that a reward's loop cannot see through; so what is
asked for is read here, refused where it cannot be had, and taken out of the environment. Knows names of variables;
knows no torch and no model.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass

from assay.errors import ConfigError

_log = logging.getLogger(__name__)
_EXAMPLES = "examples/accelerate"
# What would have Accelerate wrap a model by itself; assay does, or says that it cannot.
TAKEN = ("ACCELERATE_USE_FSDP", "ACCELERATE_MIXED_PRECISION", "ACCELERATE_DYNAMO_BACKEND")


@dataclass(frozen=True, slots=True)
class Held:
    """How weights are held among processes.

    in_parts: every process holds its part of weights, gradients and optimiser states (FSDP2). parts_between: a layer's
    weights are given up after its forward pass and gathered again for the backward pass (as in ZeRO-3), not kept for it
    (as in ZeRO-2).
    """

    in_parts: bool = False
    parts_between: bool = True


WHOLE = Held()


@functools.cache
def held() -> Held:
    """What this process was launched with, read once. Raises ConfigError for what assay cannot train with."""
    found = asked(os.environ)
    for name, replaced in _not_used(os.environ).items():
        if int(os.environ.get("RANK", "0")) == 0:
            _log.warning(f"Warning: {replaced} of the launcher's configuration is not used: {name} decides.")
    for name in TAKEN:
        os.environ.pop(name, None)
    return found


def asked(environment: Mapping[str, str]) -> Held:
    """What an environment asks for. Raises ConfigError where training could not do as it says."""
    if _true(environment, "ACCELERATE_USE_DEEPSPEED"):
        raise ConfigError(
            "DeepSpeed (distributed_type: DEEPSPEED) is not supported: its engine takes the optimiser's steps itself. "
            f"FSDP2 holds weights, gradients and optimiser states in parts as ZeRO-3 does ({_EXAMPLES}/fsdp2.yaml), or "
            f"gathers a pass's weights once as ZeRO-2 does ({_EXAMPLES}/fsdp2_zero2.yaml)."
        )
    for name, what in (
        ("ACCELERATE_USE_MEGATRON_LM", "Megatron-LM"),
        ("ACCELERATE_USE_PARALLELISM_CONFIG", "parallelism_config"),
    ):
        if _true(environment, name):
            raise ConfigError(f"{what} is not supported. Take {_EXAMPLES}/ddp.yaml or {_EXAMPLES}/fsdp2.yaml.")
    if not _true(environment, "ACCELERATE_USE_FSDP"):
        return WHOLE
    if environment.get("FSDP_VERSION", "1") != "2":
        raise ConfigError(
            "FSDP in its first version is not supported: it flattens weights, and biases would decay as matrices do. "
            f"Set fsdp_version: 2, or take {_EXAMPLES}/fsdp2.yaml."
        )
    for name, key, instead in (
        ("FSDP_OFFLOAD_PARAMS", "fsdp_offload_params", "Take more devices"),
        ("FSDP_ACTIVATION_CHECKPOINTING", "fsdp_activation_checkpointing", "Set train.gradient_checkpointing=on"),
    ):
        if _true(environment, name):
            raise ConfigError(f"{key}: true is not supported. {instead}, and set it to false.")
    if int(environment.get("WORLD_SIZE", "1")) == 1:
        return WHOLE
    return Held(in_parts=True, parts_between=environment.get("FSDP_RESHARD_AFTER_FORWARD", "true").lower() != "false")


def _not_used(environment: Mapping[str, str]) -> dict[str, str]:
    """Settings of Accelerate for which assay has options of its own: by the option, the setting."""
    found = {}
    precision, compiler = (environment.get(name, "no") for name in TAKEN[1:])
    if precision.lower() != "no":
        found["train.precision"] = f"mixed_precision: {precision}"
    if compiler.lower() != "no":
        found["train.compile"] = f"dynamo_backend: {compiler}"
    return found


def _true(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "false").lower() in {"true", "1", "yes"}
