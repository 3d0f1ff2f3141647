"""Training of reward models: losses, the trainer, checkpoints that survive SIGKILL."""

from typing import TYPE_CHECKING

from assay.doors import door
from assay.models.quiet import drop_kernel_advice

if TYPE_CHECKING:
    from assay.train.progress import Progress
    from assay.train.result import TrainResult, read_result
    from assay.train.reward import Seeds, train_reward, train_seeds

drop_kernel_advice()  # before any module here imports transformers.Trainer

__all__ = ["Progress", "Seeds", "TrainResult", "read_result", "train_reward", "train_seeds"]
__getattr__ = door(
    __name__,
    {
        "Progress": "assay.train.progress",
        "TrainResult": "assay.train.result",
        "read_result": "assay.train.result",
        "Seeds": "assay.train.reward",
        "train_reward": "assay.train.reward",
        "train_seeds": "assay.train.reward",
    },
)
