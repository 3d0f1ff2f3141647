"""Training: losses, one loop for every method, checkpoints that survive SIGKILL; reward models are the first method."""

from typing import TYPE_CHECKING

from assay.lazy_names import door
from assay.models.quiet import drop_kernel_advice

if TYPE_CHECKING:
    from assay.train.progress import Progress
    from assay.train.result import TrainResult, read_result
    from assay.train.reward import train_reward

drop_kernel_advice()  # before any module here imports transformers.Trainer

__all__ = ["Progress", "TrainResult", "read_result", "train_reward"]
__getattr__ = door(
    __name__,
    {
        "Progress": "assay.train.progress",
        "TrainResult": "assay.train.result",
        "read_result": "assay.train.result",
        "train_reward": "assay.train.reward",
    },
)
