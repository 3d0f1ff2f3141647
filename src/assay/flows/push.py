"""A run to the Hugging Face hub: `assay push`. Model at the root, its card as README.md, what it rests on in evidence/.

1. What would go is planned from the run's artifacts; a run whose gate did not pass is refused, unless told otherwise,
   and is called what it is in the card's first line.
2. Rows of the data stay: the report goes without the texts it quotes, audit.json as its figures, scores by pair not;
   and so does where things lay: artifacts that name absolute paths go with the last names of these, and their hashes.
3. It goes as one commit, so that nobody ever sees a model without its card; and only while every file is still the one
   that was there when card and verdict were read, told by its hash.
Credentials are the hub library's business (HF_TOKEN, or `hf auth login`), and are taken out of every message.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from assay.artifacts.files import dumps, sha256_file
from assay.artifacts.run_evidence import AUDIT, CONTRACT, GATE, RUN, SPLIT, TRAIN
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.run_models import ModelOfARun, model_of_a_run, seed_of
from assay.endpoints.credential import Credential
from assay.errors import ArtifactError, InputError, first_line
from assay.gate.gate_standing import GateStanding, gate_standing

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    from assay.report.run.reported_run import ReportedRun

EVIDENCE = "evidence"
CARD = "README.md"
PLAIN = (RUN, GATE, CONTRACT, SPLIT)  # artifacts in which no row stands
PLACED = frozenset({RUN, GATE, CONTRACT, TRAIN})  # in which paths may stand: the data's, the base's, a ledger's
QUOTING = (AUDIT, "report.html")  # in which rows are quoted
# What from_pretrained reads beside a model: of another push it would be opened under this one's card.
OPENED = re.compile(
    r"(pytorch_|adapter_)?model(-\d+-of-\d+)?\.(safetensors|bin)|(pytorch_)?model\.(safetensors|bin)\.index\.json"
    r"|((adapter|generation|tokenizer)_)?config\.json|tokenizer\.(json|model)|spiece\.model|vocab\.(json|txt)"
    r"|merges\.txt|(added_tokens|special_tokens_map)\.json|chat_template\.(json|jinja)|assay\.json",
    re.ASCII,
)
IN_HAND = 16 * 2**20  # bytes of a file that is read whole before it is sent: the hub takes none above 10 MB in a commit
REPO = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)  # what else the hub asks of names, it says itself
WAY = "To share it all the same, with that said in the card's first line: --whatever-the-verdict."


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedFile:
    """One file: its path in the repository, and where its bytes are: on disk, or made here.

    sha256: "sha256:..." of one on disk, from before anything was read of it.
    """

    path: str
    source: Path | bytes
    sha256: str | None = None

    @property
    def size(self) -> int:
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    def refuse_other(self, sha256: str) -> None:
        """Raises ArtifactError where bytes of this hash are not those that were planned."""
        if self.sha256 not in (None, sha256):
            place = self.path if isinstance(self.source, bytes) else self.source
            raise ArtifactError(
                f"{place} changed since the push was planned: the card would speak of another file. Nothing was "
                "committed; give the command again once nothing writes the run."
            )

    def body(self) -> bytes:
        """All its bytes. Raises ArtifactError where they changed since the push was planned."""
        if isinstance(self.source, bytes):
            return self.source
        body = self.source.read_bytes()
        self.refuse_other("sha256:" + hashlib.sha256(body).hexdigest())
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPlan:
    """What would go where. gate: what is known of the verdict on this model. first: the card's first line."""

    repo: str
    seed: int
    gate: GateStanding
    first: str
    files: tuple[PushedFile, ...]

    @property
    def size(self) -> int:
        return sum(one.size for one in self.files)


def push_plan(
    run: Path, repo: str, *, seed: int | None = None, whatever: bool = False, with_texts: bool = False
) -> PushPlan:
    """What `assay push` would send of a run to the repository `repo` ("org/name").

    seed: whose model; needed of several. whatever: also what did not pass. with_texts: with what quotes rows of the
    data, and all as it stands: the whole report and audit.json, and each held-out pair's scores.
    Raises InputError for what is no run, has no such seed, or did not pass; ArtifactError where artifacts are torn.
    """
    refuse_name(repo)
    model = model_of_a_run(run, seed)
    if model is None:
        raise InputError(
            f"{run} holds no trained model. Give the folder of a run that `assay reward` or `assay dpo` made."
        )
    from assay.report.run.reported_run import read_reported_run  # after what can be refused without scipy
    from assay.report.run.shared_pages import findings_alone, placeless, report_without_texts, shared_card

    folder = RunFolder(model.run)
    if not folder.path(GATE).is_file():
        raise ArtifactError(f"{folder.path(GATE)} is missing: decide first, with `assay gate {model.run}`.")
    # Hashed before verdict and card are read: what changes from here on is found when it is sent.
    weights, artifacts = hashed(model_files(model)), hashed(evidence_files(model, folder, with_texts=with_texts))
    evidence = read_reported_run(folder)
    gate = whole_standing(model, folder, evidence)
    if not (gate.passed or whatever):
        raise InputError(f"{run} is not pushed: {gate.sentence} {WAY}")
    evidence = placeless(evidence)
    card = shared_card(folder, evidence, gate, repo=repo, seed=model.seed)
    files = [PushedFile(path=CARD, source=card.encode()), *weights]
    if with_texts:
        files += artifacts
    else:
        findings = dumps(findings_alone(evidence), indent=True) + b"\n"
        files.append(PushedFile(path=f"{EVIDENCE}/report.html", source=report_without_texts(evidence).encode()))
        files.append(PushedFile(path=f"{EVIDENCE}/findings.json", source=findings))
        files += map(without_its_places, artifacts)
    body = card.partition("\n---\n")[2].lstrip()
    return PushPlan(repo=repo, seed=model.seed, gate=gate, first=body.partition("\n")[0], files=tuple(files))


def refuse_name(repo: str) -> None:
    """Raises InputError for what cannot be a repository's name."""
    if not REPO.fullmatch(repo):
        raise InputError(f"{repo!r} is no name of a repository: an owner, a slash, a name. Give --repo ORG/NAME.")


def whole_standing(model: ModelOfARun, folder: RunFolder, evidence: ReportedRun) -> GateStanding:
    """The verdict on what is shared: of a tuned policy only what was concluded with people's votes is one."""
    found = gate_standing(model.run, model.seed)
    if evidence.policy is None or found.word == "unknown":
        return found
    from assay.report.founder.told_run import read_told_run

    concluded = read_told_run(folder).gate
    if concluded is None:
        sentence = (
            f"what it writes was not judged yet: {found.sentence.rstrip('.')}, on held-out pairs alone. Close its "
            f"study, then `assay dpo {model.run} --conclude`."
        )
        return GateStanding(word="undecided", sentence=sentence)
    said = {"pass": "passed it", "fail": "failed it", "undecided": "left it undecided"}[concluded.verdict]
    return GateStanding(
        word=concluded.verdict, sentence=f"the gate of {model.run}, people's votes among its evidence, {said}."
    )


def hashed(files: Mapping[str, Path]) -> list[PushedFile]:
    """Files on disk, by their paths in the repository, as they are now."""
    return [PushedFile(path=name, source=path, sha256=sha256_file(path)) for name, path in files.items()]


def model_files(model: ModelOfARun) -> dict[str, Path]:
    """The seed's model, at the root: `from_pretrained("org/name")` opens it."""
    found = {
        path.relative_to(model.folder).as_posix(): path for path in sorted(model.folder.rglob("*")) if path.is_file()
    }
    found.pop(CARD, None)  # the card says what a README beside the weights said, and the verdict
    return found


def evidence_files(model: ModelOfARun, folder: RunFolder, *, with_texts: bool) -> dict[str, Path]:
    """Verdict, split and training curves; what quotes rows only where it was asked for."""
    seeds = sorted(one for one in model.run.glob("seed-*") if seed_of(one) is not None)
    wanted = [*PLAIN, *(f"{seed.name}/{name}" for seed in seeds for name in (TRAIN, "metrics.jsonl"))]
    if with_texts:
        wanted += [*QUOTING, *(f"{seed.name}/scores.jsonl" for seed in seeds)]
    return {f"{EVIDENCE}/{name}": path for name in wanted if (path := folder.path(name)).is_file()}


def without_its_places(one: PushedFile) -> PushedFile:
    """An artifact without the absolute paths in it; byte by byte where it names none, so that hashes of it hold."""
    from assay.report.run.shared_pages import without_places

    if one.path.rpartition("/")[2] not in PLACED:
        return one
    given = orjson.loads(one.body())
    told = without_places(given)
    return one if told == given else PushedFile(path=one.path, source=dumps(told, indent=True) + b"\n")


def push(plan: PushPlan, *, private: bool = True, endpoint: str | None = None) -> str:
    """Send what was planned as one commit; returns its address.

    private: of a repository that is made now; one that exists stays as it is. endpoint: another hub; None: as the hub
    library is set (HF_ENDPOINT). Evidence and model files of an earlier push that this one has not are taken away.
    Raises InputError, in words without a token, where the hub refuses or is not reached, ArtifactError where a file is
    not the one that was planned.
    """
    from huggingface_hub import HfApi, get_token

    # Of whichever HTTP library the hub's is built on, such as a refused connection; its other errors are OSErrors.
    http_error = import_module("huggingface_hub.errors").HTTPError
    sources = [one.body() if one.size <= IN_HAND else one.source for one in plan.files]
    api = HfApi(endpoint=endpoint)
    secret = Credential(get_token())
    try:
        api.create_repo(plan.repo, private=private, exist_ok=True)
        operations = _operations(api, plan, sources)
        return str(api.create_commit(plan.repo, operations, commit_message=message(plan)).commit_url)
    except (http_error, OSError, RuntimeError, ValueError) as error:
        # Of an upload that broke off the library says which file, and only its cause why.
        said = secret.hidden(first_line(error) + (f" {first_line(error.__cause__)}" if error.__cause__ else ""))
        raise InputError(
            f"{plan.repo}: the hub did not take it ({said}). Log in with `hf auth login`, or set HF_TOKEN to a token "
            "that may write there; nothing was changed unless its page says so."
        ) from None


def message(plan: PushPlan) -> str:
    """Of the commit."""
    return f"assay: seed {plan.seed}, gate {plan.gate.word}"


def _operations(
    api: HfApi, plan: PushPlan, sources: Sequence[Path | bytes]
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """What is committed, large files sent already. Raises ArtifactError where these are not what was planned."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    adds = [
        CommitOperationAdd(path_in_repo=one.path, path_or_fileobj=source)
        for one, source in zip(plan.files, sources, strict=True)
    ]
    # Large files are hashed as they are sent, and shown to nobody before the commit names their hashes.
    api.preupload_lfs_files(plan.repo, adds)
    for one, add in zip(plan.files, adds, strict=True):
        one.refuse_other(f"sha256:{add.upload_info.sha256.hex()}")
    ours = {one.path for one in plan.files}
    # Other files in the repository may be its owner's.
    old = [
        name
        for name in api.list_repo_files(plan.repo)
        if name not in ours and (name.startswith(f"{EVIDENCE}/") or OPENED.fullmatch(name))
    ]
    return [*adds, *(CommitOperationDelete(path_in_repo=name) for name in old)]
