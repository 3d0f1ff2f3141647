"""`assay ...` in a process of its own without the seconds of imports before it: forked from one that has done them.

Each test process keeps a helper, and every command is a child of it, with arguments, environment, folder, output and
exit code of its own, at the entry point of the installed command. Not for tests of what a start itself does (what is
imported, which signal comes meanwhile), nor for two processes that must agree to the bit though they hash differently:
children of one helper hash alike. Those run the installed command.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SECONDS = 300
# Only the thread that forks lives on in a child: pyarrow's allocator would keep one, and OpenMP its teams.
NO_THREADS = {"JE_ARROW_MALLOC_CONF": "background_thread:false", "OMP_NUM_THREADS": "1"}
_helpers: dict[frozenset[tuple[str, str]], subprocess.Popen[str]] = {}


def ready_assay(
    *words: object, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: int = SECONDS
) -> subprocess.CompletedProcess[str]:
    """What `assay *words` did: exit code (negative: the signal that ended it, SIGALRM when time was up) and output.

    env: None takes this process's, with the hub out of reach. Libraries read much of it as they are imported, so each
    environment has a helper of its own.
    """
    environment = dict(env or {**os.environ, "HF_HUB_OFFLINE": "1"})
    environment.pop("PYTEST_CURRENT_TEST", None)
    helper = _helper(environment)
    assert helper.stdin is not None
    assert helper.stdout is not None
    with tempfile.TemporaryDirectory(prefix="assay-command-") as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        told = {"words": [*map(str, words)], "cwd": str(cwd or Path.cwd()), "out": str(out), "err": str(err)}
        helper.stdin.write(json.dumps({**told, "timeout": timeout}) + "\n")
        helper.stdin.flush()
        answer = helper.stdout.readline()
        assert answer, f"the helper of `assay {' '.join(told['words'])}` ended with {helper.wait()}"
        return subprocess.CompletedProcess(
            told["words"], json.loads(answer), out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
        )


def _helper(environment: Mapping[str, str]) -> subprocess.Popen[str]:
    key = frozenset(environment.items())
    if key not in _helpers:
        _close()  # a helper holds half a gigabyte
        _helpers.clear()
        _helpers[key] = subprocess.Popen(
            [sys.executable, "-m", "tests.support.ready_commands"],
            cwd=ROOT, env={**environment, **NO_THREADS}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    return _helpers[key]


@atexit.register
def _close() -> None:
    for helper in _helpers.values():
        helper.communicate()


def _import_what_commands_need() -> None:
    from assay.models.quiet import drop_kernel_advice

    drop_kernel_advice()  # as the command itself does, before anything else
    import transformers
    from transformers.models.bert import modeling_bert
    from transformers.models.llama import modeling_llama

    import assay.cli.main
    import assay.flows.audit
    import assay.flows.bench
    import assay.flows.compare
    import assay.flows.reward
    import assay.flows.score
    import assay.flows.study
    import assay.report.run.card
    import assay.report.run.page
    import assay.rewards.new_model
    import assay.study.plan.create
    import assay.train.reward

    _ = modeling_bert, modeling_llama, assay, transformers.AutoTokenizer, transformers.Trainer


def _serve() -> None:
    """Until standard input ends: a command a line, and its exit code when it has ended."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints as it is imported is no answer
    _import_what_commands_need()
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a thread would not be there after a fork"
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.close(answers)
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(told: Mapping[str, Any]) -> None:
    """Run the command in this process, and end it as the interpreter would."""
    code = 1
    try:
        signal.alarm(told["timeout"])
        for number, path in enumerate((os.devnull, told["out"], told["err"])):
            opened = os.open(path, os.O_RDWR | os.O_CREAT)
            os.dup2(opened, number)
            os.close(opened)
        os.chdir(told["cwd"])
        code = _main(told["words"])
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _main(words: Sequence[str]) -> int:
    from assay.cli.main import main

    sys.argv = ["assay", *words]
    try:
        main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    return 0


if __name__ == "__main__":
    _serve()
