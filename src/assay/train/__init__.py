"""Training of reward models: losses, the trainer, checkpoints that survive SIGKILL."""

from assay.train.progress import Progress
from assay.train.result import TrainResult, read_result
from assay.train.reward import Seeds, train_reward, train_seeds

__all__ = ["Progress", "Seeds", "TrainResult", "read_result", "train_reward", "train_seeds"]
