"""Whether a reward may be served: a gate that passed on evidence about these very weights; and whether it still does.

A run proves its weights file by file (`gate/gate_standing.py`). Any other scorer is proven by an audit of its own
(`assay audit` and `assay gate` in one folder), which names its fingerprint. What is missing, stale or of other weights
is no pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.audit_body import AuditBody
from assay.artifacts.files import sha256_file
from assay.artifacts.run_evidence import AUDIT, GATE, RUN, RunEvidence
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.run_models import model_of_a_run
from assay.errors import AssayError, GateError
from assay.gate.gate_standing import gate_standing
from assay.scorers.local import LocalScorer, headed
from assay.scorers.protocol import Scorer

WAY_OUT = "--ungated serves it all the same, and says so in every answer and in the log"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePass:
    """What stands behind a served reward. path: the gate's file; sha256: of its bytes; weights: of what it passed.

    None, all three: no gate, as asked.
    """

    path: Path | None = None
    sha256: str | None = None
    weights: str | None = None

    @property
    def header(self) -> str:
        return "ungated" if self.path is None else f"pass {self.sha256}"


UNGATED = GatePass()


def gate_folder(spec: str) -> Path | None:
    """The folder of the run that a scorer is a model of, or None."""
    found = model_of_a_run(headed(spec)[0])
    return None if found is None else found.run.resolve()


def read_pass(spec: str, scorer: Scorer, *, gate: Path | None = None) -> GatePass:
    """The pass of the gate in folder `gate`, or in the folder that `spec` is in.

    Raises GateError where there is none, it did not pass, or its evidence is of something else; ArtifactError where
    it is torn or stale.
    """
    folder = gate if gate is not None else gate_folder(spec)
    if folder is None:
        raise GateError(
            f"{spec}: no gate passed it, as far as can be seen here. Audit it (`assay audit`), decide (`assay gate`) "
            f"and name that folder with --gate; {WAY_OUT}."
        )
    path = folder / GATE
    if not path.is_file():
        raise GateError(f"{folder} has no {GATE}: decide with `assay gate {folder}`; {WAY_OUT}.")
    # Before it is read: a file that changes in between is then told apart from what was read.
    digest = sha256_file(path)
    found = RunEvidence.read(RunFolder(folder), names=(RUN, AUDIT, GATE), needed=(AUDIT, GATE))
    assert found.gate is not None
    assert found.audit is not None
    if found.gate.verdict != "pass":
        failed = "; ".join(f"{one.text}: {one.reason}" for one in found.gate.criteria if one.verdict != "pass")
        raise GateError(f"{folder} did not pass its gate: {found.gate.verdict} ({failed}); {WAY_OUT}.")
    if AUDIT not in found.gate.inputs:
        raise GateError(f"{path} was not decided on {AUDIT}, so it says nothing of single rewards; {WAY_OUT}.")
    weights = _by_files(folder, scorer) or _by_fingerprint(found.audit, scorer)
    if weights is None:
        raise GateError(
            f"{path} passed other weights than those of {spec}: neither does its audit name this scorer, nor are these "
            f"the files of a seed it audited; {WAY_OUT}."
        )
    return GatePass(path=path, sha256=digest, weights=weights)


def _by_fingerprint(audit: AuditBody, scorer: Scorer) -> str | None:
    """The scorer's fingerprint, if the audit was of this very one, as `assay audit` records it."""
    audited = [value for name, value in audit.inputs.items() if name.startswith("scorer ")]
    # Of an audit of several seeds none has passed by itself. A fingerprint opens the model: only where one is named.
    return audited[0] if len(audited) == 1 and audited[0] == scorer.fingerprint else None


def _by_files(folder: Path, scorer: Scorer) -> str | None:
    """Of the files of a scorer that is a seed of the run, with the scores that its gate decided on, the hash."""
    if not isinstance(scorer, LocalScorer) or scorer.template is not None:
        return None
    found = model_of_a_run(Path(scorer.model).expanduser().resolve())
    if found is None or found.run != folder.resolve():
        return None
    standing = gate_standing(folder, found.seed)
    return standing.weights if standing.passed else None


Stat = tuple[int, ...] | None


class GateWatch:
    """Whether the gate still says what it said when serving began, by a look at its file now and then.

    A file that is gone or changed closes the gate until one that passes stands there again: requests are refused, those
    under way are answered. What it passes has to be what was loaded: a run that was trained anew in its folder, or a
    link that points to another run, has a gate for weights that are not the ones served. closed: why, or None.
    """

    def __init__(self, spec: str, scorer: Scorer, passed: GatePass) -> None:
        self.spec, self.scorer, self.passed = spec, scorer, passed
        self.closed: str | None = None
        self._seen: Stat = self._stat()
        # A model's files take seconds to hash: what was written meanwhile is not what was read, and is looked at.
        self._again = not self._still_read()

    @property
    def header(self) -> str:
        return self.passed.header if self.closed is None else "closed"

    def look(self) -> bool:
        """Look once; whether anything changed."""
        if self.passed.path is None:
            return False
        seen = self._stat()
        if seen == self._seen and not self._again:
            return False
        self._seen, self._again = seen, False
        before = (self.closed, self.passed)
        try:
            self.passed = self._read(self.passed.path.parent)
            self.closed = None
        except OSError as error:  # a store that answers late, or not now
            self.closed, self._again = str(error), True
        except Exception as error:  # whatever is wrong with it: a watch that ended here would leave the gate open
            self.closed = str(error) if isinstance(error, AssayError) else type(error).__name__
        return before != (self.closed, self.passed)

    def _read(self, folder: Path) -> GatePass:
        found = read_pass(self.spec, self.scorer, gate=folder)
        if found.weights != self.passed.weights:
            raise GateError(
                f"{found.path} passes other weights now than those that were loaded. Serve those: POST /v1/swap, or "
                "SIGHUP."
            )
        return found

    def _still_read(self) -> bool:
        """Whether the file holds what the pass was read from."""
        try:
            return self.passed.path is None or sha256_file(self.passed.path) == self.passed.sha256
        except OSError:
            return False

    def _stat(self) -> Stat:
        if self.passed.path is None:
            return None
        try:
            found = self.passed.path.stat()
        except OSError:
            return None
        # The time of change (of the inode) as well: the other one can be set, and "pass" is as long as "fail".
        return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
