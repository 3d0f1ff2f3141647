"""A notebook's order: pairs in memory -> split -> reward model -> scores -> audit -> verdict -> a page of it all.

    python examples/audit_notebook.py [FOLDER]

Each part is a cell. The data are simulated, so the best accuracy that can be had is known. With 120 pairs it takes less
than a minute, and the model has hardly begun: the verdict is "fail" or "undecided", with reasons.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import assay


def main(folder: Path) -> None:
    # 1. Pairs, from anything: here dicts. Every row is a pair or a reject with a reason.
    desk = assay.simulate_support(120, seed=0, defects={"ties": 0.03})
    found = assay.read_pairs(desk.rows)
    print(f"{found.rows} rows: {len(found.pairs)} pairs, {len(found.rejects)} rejects ({found.rejects[0].reason}, ...)")

    # 2. Two sides: pairs under one prompt, or nearly one, stay together.
    holdout = assay.SplitConfig(holdout=40, rounding="nearest")
    sides = assay.split(found.pairs, config=holdout)
    print(f"{len(sides.train)} to train on, {len(sides.held_out)} held out")

    # 3. A reward model. Killed here, the same call goes on where it stopped.
    model = assay.ModelConfig(base="minilm", max_tokens=256)
    recipe = assay.TrainConfig(epochs=1, learning_rate=1e-4, precision="float32")
    result = assay.train_reward(sides.train, sides.held_out, out=folder / "seed-0", model=model, config=recipe)

    # 4. Scores: for each pair two rewards, or why there is none.
    scores = assay.score(result.model_folder, sides.held_out)
    print(f"the first pair's margin: {scores[0].margin}")

    # 5. The audit: how much is preference, how much is length or luck. Pairs under one prompt are not independent.
    audit = assay.audit(scores, sides.held_out, groups=sides.held_out_groups)
    for name in ("accuracy", "length_baseline", "accuracy_beyond_length"):
        finding = audit.find(name)
        if finding is not None and finding.bounds is not None:
            print(f"{name}: {finding.known:.3f} ({finding.bounds.low:.3f} to {finding.bounds.high:.3f})")
    print(f"best reachable: {desk.truth['oracle']['accuracy']:.3f}")

    # 6. The verdict, with reasons. Criteria of your own go in a YAML file.
    verdict = assay.decide(audit, split=sides)
    print(f"\nverdict: {verdict.verdict}")
    for line in verdict.criteria:
        print(f"  {line.verdict:<9} {line.text}: {line.reason}")

    # 7. All of it in one call, as `assay reward` does it, with a page that can be mailed. The seed is trained already.
    options = assay.RewardConfig(split=holdout, model=model, train=recipe)
    run = assay.run_reward(desk.rows, folder, config=options, notify=print)
    print(f"\n{run.outcome}; the page: {run.report}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
