"""Labels of the training side that rewards which did not train on them hold for wrong: what `suspected` leaves out.

The training side is halved several times by other seeds; a reward trained on one half has an audit of the other, which
names suspects. A label counts where that audit holds it likelier wrong than right. Held-out pairs are in no half.
Knows runs and their audits; how suspicion comes about is the audit's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay.artifacts.files import read_jsonl, write_jsonl
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_evidence import RUN
from assay.audits.label_quality.suspects import ARTIFACT
from assay.data.config import DataConfig
from assay.data.native_rows import write_pairs
from assay.errors import ConfigError
from assay.flows.remedy_names import Seeds, with_settings
from assay.flows.reward import run_reward
from assay.train.reward_config import RewardConfig

HALVINGS = 3  # a pair is judged in at least one of three halvings with chance 7/8
LIKELIER_WRONG = 0.5


def out_of_fold_suspects(
    config: RewardConfig, seeds: Seeds, out: Path, *, notify: Callable[[str], None]
) -> tuple[Path, float]:
    """The file of suspected training pairs, as `select.without` reads it, and the seconds of training it took.

    config: of the run without a remedy. Killed, the same call goes on. Raises ConfigError where no label is suspected.
    """
    side = out / "training_side.jsonl"
    out.mkdir(parents=True, exist_ok=True)
    if not side.exists():
        write_pairs(side, [pair for pair, _ in seeds.training], [group for _, group in seeds.training])
    suspected: dict[str, dict[str, object]] = {}
    seconds = 0.0
    for number in range(HALVINGS):
        half = [
            f"split.holdout={max(1, len(seeds.training) // 2)}", "split.rounding=nearest", f"split.seed={number}",
            "train.seeds=[0]", "probes.names=none",
        ]  # fmt: skip
        halved = with_settings(config.model_copy(update={"data": as_written(config.data)}), half)
        run = run_reward(side, out / f"halving-{number}", config=halved, notify=notify)
        seconds += sum(
            one.seconds for one in RunBody.read(run.folder / RUN).stages if one.name.startswith("train seed")
        )
        named = run.folder / ARTIFACT
        for row in read_jsonl(named) if named.exists() else ():
            about = row["source"]
            if isinstance(about, dict) and float(about["wrong"]) >= LIKELIER_WRONG:
                suspected[str(row["id"])] = row
    if not suspected:
        raise ConfigError("No label of the training side is held for likelier wrong than right, so none is left out.")
    path = out / ARTIFACT
    write_jsonl(path, suspected.values())
    return path, seconds


def as_written(asked: DataConfig) -> DataConfig:
    """The options by which a file of native pairs is read again: names of the user's own columns are not in it."""
    kept = ("min_agreement", "ties", "weight", "near_duplicates", "seed")
    return DataConfig.build({name: getattr(asked, name) for name in kept})
