"""The functions of `assay.__all__` that are no other module's own: the stages and flows, as a notebook calls them.

Each is one call of a room below, with defaults; every function here is `assay.<name>`, and nothing else stands here.
Heavy libraries are imported at the first call, so `import assay` is fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.audits.config import AuditConfig
from assay.data.config import DataConfig, SplitConfig
from assay.records import Candidates, Pair, PairScore
from assay.train.reward_config import RewardConfig

if TYPE_CHECKING:
    from assay.audits import Audit
    from assay.data import CheckReport, PairSet, Split
    from assay.flows.reward import RewardRun
    from assay.flows.study import Analysed
    from assay.gate import Verdict
    from assay.scorers.protocol import Scorer
    from assay.simulate.support import Simulation
    from assay.study.config import AnalysisConfig


def read_pairs(source: Any, *, config: DataConfig | None = None) -> PairSet:
    """Read preference pairs into memory: `.pairs`, `.rejects` and `.rows`, with len(pairs) + len(rejects) == rows.

    source: a file, a folder, a Hugging Face dataset id, a list of dicts or Pairs, or a table.
    Raises InputError where the source as a whole cannot be read, or its layout is not clear.
    """
    from assay.data import read_pairs as read

    return read(source, config=config or DataConfig())


def check(source: Any, out: Path | str | None = None, *, config: DataConfig | None = None) -> CheckReport:
    """Check pairs in bounded memory; with `out`, write contract.json, rejects.jsonl and review.jsonl there."""
    from assay.data import check as run

    return run(source, None if out is None else Path(out), config=config or DataConfig())


def split(pairs: Sequence[Pair], *, config: SplitConfig | None = None) -> Split:
    """Grouped, stratified, exact-size split: `.train`, `.held_out` and `.proof`. Raises SplitError if impossible."""
    from assay.data import split as run

    return run(pairs, config=config or SplitConfig())


def load(model: Path | str) -> Scorer:
    """A scorer from a saved reward model: a folder assay wrote, or any sequence-classification model."""
    from assay.scorers.local import LocalScorer

    return LocalScorer(str(model))


def score(model: Scorer | Path | str, items: Sequence[Pair] | Sequence[Candidates]) -> list[Any]:
    """Score pairs (one PairScore each) or candidates (one tuple of rewards each), in the order given."""
    from assay.scorers.protocol import score_pairs

    scorer = load(model) if isinstance(model, (str, Path)) else model
    pairs = [item for item in items if isinstance(item, Pair)]
    if len(pairs) == len(items):
        return list(score_pairs(scorer, pairs))
    return list(scorer.score([item for item in items if isinstance(item, Candidates)]))


def audit(
    scores: Mapping[int, Sequence[PairScore]] | Sequence[PairScore],
    pairs: Sequence[Pair],
    *,
    groups: Sequence[str] | None = None,
    config: AuditConfig | None = None,
) -> Audit:
    """Audit a scorer on labelled pairs it was not trained on; several seeds' scores as a mapping by seed."""
    from assay.audits import audit as run

    return run(scores, pairs, groups=groups, config=config)


def decide(evidence: Audit | Path | str, criteria: Path | str | None = None, *, split: Split | None = None) -> Verdict:
    """Decide an audit, or a run folder, by criteria in YAML (None: the built-in ones).

    split: where an audit's pairs were held out. Without its proof the built-in criteria fail: a leak was not ruled out.
    Raises ConfigError for criteria that cannot be read, ArtifactError for a run folder without an audit.
    """
    from assay.gate import Evidence, decide_run, load_criteria
    from assay.gate import decide as run

    if isinstance(evidence, (str, Path)):
        return decide_run(evidence, criteria)
    proof = None if split is None else split.proof
    return run(Evidence(audit=evidence, split=proof), load_criteria(criteria))


def run_reward(
    source: Any,
    out: Path | str,
    *,
    config: RewardConfig | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> RewardRun:
    """The whole flow into the folder `out`: pairs -> reward model per seed -> audit -> verdict -> report.

    source: what read_pairs takes. notify: gets a line a stage, `print` for one. Killed anywhere, the same call goes on.
    Raises AssayError where data, base, split or folder do not allow it.
    """
    from assay.flows.reward import run_reward as run

    return run(source, out, config=config or RewardConfig(), notify=notify)


def write_report(run: Path | str) -> Path:
    """Write report.html and MODEL_CARD.md of a run folder from its artifacts; gives the report's path.

    Raises ArtifactError where run.json, audit.json or gate.json is missing.
    """
    from assay.artifacts.run_folder import RunFolder
    from assay.report import model_card, render

    folder = RunFolder(run)
    model_card(folder)
    return render(folder)


def analyse_study(
    source: Path | str, out: Path | str, *, config: AnalysisConfig | None = None, criteria: Path | str | None = None
) -> Analysed:
    """Analyse a closed blind study and decide; writes analysis.json, gate.json and result.html to the folder `out`.

    source: the study's SQLite file or postgresql:// URL, or an export. criteria: YAML; None: win rate above one half.
    Raises StudyError while the study is open or where it cannot be vouched for.
    """
    from assay.flows.study import analyse_study as run

    return run(str(source), Path(out), config=config, criteria=criteria)


def simulate_support(pairs: int, *, seed: int = 0, defects: Mapping[str, float] | None = None) -> Simulation:
    """Preference pairs of a support desk whose truth is known: `.rows` for read_pairs, `.truth`, `.write(path)`.

    defects: share of rows by name, such as {"flipped_labels": 0.1}; docs/simulator.md names them.
    Raises ConfigError for an unknown defect or a share that cannot be had.
    """
    from assay.simulate.support import support as run

    return run(pairs, seed=seed, defects=defects)
