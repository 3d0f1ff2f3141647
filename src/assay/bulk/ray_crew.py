"""A crew of Ray actors, one a device, each holding a scorer or a policy (extra `ray`).

Actors, not Ray Data: its blocks are cut by bytes and joined again, so what a scorer is asked at once, and with it the
last bits, would not be ours to say; its checkpoints know rows by an id and not by what they hold; and a block that ends
every worker ends the job or is dropped without its name. Ray starts workers, places them on devices, moves what they
are given and says when they die; what they are given is decided in `dispatch.py`.

An actor does one thing at a time, so that a death is the fault of one block, and is never restarted by Ray. Knows Ray
and openings; knows no block.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from assay.bulk.dispatch import Came, Ended, Lost
from assay.bulk.held_work import Opening, Told
from assay.errors import AssayError, ConfigError, InputError, ModelError, first_line
from assay.machine_size import usable_cpus

if TYPE_CHECKING:
    from ray import ObjectRef, ObjectRefGenerator
    from ray.actor import ActorHandle

Item = TypeVar("Item")
Result = TypeVar("Result")
ADDRESS = "RAY_ADDRESS"  # of a cluster; without it one is started on this machine, for this command alone
CORES = 4  # of a CPU worker, where nothing else was asked for
STARTS = 3  # deaths in a row, before a worker has opened anything, that end the command
STORE = 512 * 2**20  # bytes for blocks on their way; larger ones go by the disk
BEGINS = 3  # times that Ray is started on this machine: it gives itself 30 seconds, which a busy one may not have
# Ray reports its use to its makers unless told not to, says at every start that it will some day change a default, and
# runs workers behind everything else on the machine, which is what they are for here.
SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_worker_niceness": "0"}


class Holder(Generic[Item, Result]):
    """What runs in an actor. An error meant for the user is handed back as a value: no retry would mend it.

    threads: that a product of matrices is computed by, on which its last bits hang; None where they do not.
    """

    def __init__(self, opening: Opening[Item, Result], folder: str, threads: int | None = None) -> None:
        if Path(folder).is_dir():
            os.chdir(folder)  # paths that the user named are relative to it
        if threads is not None:
            # A cluster's processes have what its own environment says, not what stands in this command's.
            os.environ["OMP_NUM_THREADS"] = str(threads)
            if (torch := sys.modules.get("torch")) is not None:  # it read that when it was imported
                torch.set_num_threads(threads)
        self._opening = opening

    def told(self) -> Told | AssayError:
        try:
            self._held = self._opening.open()
            return self._held.told()
        except AssayError as error:
            return error

    def results(self, items: Sequence[Item]) -> Iterator[Sequence[tuple[int, Result]] | AssayError]:
        try:
            yield from self._held.results(items)
        except AssayError as error:
            yield error


@dataclass(frozen=True, slots=True)
class Node:
    """One machine of a cluster: its processors and GPUs."""

    cpus: int
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """What one worker gets of its node; Ray reads fractions as "so many on one"."""

    workers: int
    cpus: float
    gpus: float


@dataclass(slots=True)
class _Worker:
    """One actor. answering: what it gives while it opens (one value) or works (a stream). waiting: items to come.
    heard: when it last gave something, or was given something to do; monotonic seconds."""

    actor: ActorHandle
    answering: ObjectRef | ObjectRefGenerator | None
    ready: bool = False
    waiting: Sequence[object] | None = None
    heard: float = 0.0


class RayCrew(Generic[Item, Result]):
    """Workers on Ray; made by `ray_crew`, which ends them. told: what all of them opened. timeout: see `ray_crew`."""

    def __init__(
        self, opening: Opening[Item, Result], share: Share, said: Callable[[str], None], *, timeout: float | None = None
    ) -> None:
        import ray

        self._ray, self._share, self._said, self._timeout = ray, share, said, timeout
        self._kind = ray.remote(
            num_cpus=share.cpus, num_gpus=share.gpus, max_restarts=0, max_task_retries=0, max_concurrency=1
        )(Holder)
        self._opening = ray.put(opening)
        self._told: Told | None = None
        self._lost_starts = 0
        self._workers = [self._started() for _ in range(share.workers)]

    @property
    def size(self) -> int:
        return len(self._workers)

    @property
    def told(self) -> Told:
        """What the workers opened, as soon as one has. Raises what opening raises."""
        while self._told is None:
            opening = [one.answering for one in self._workers if not one.ready]
            done, _ = self._ray.wait(opening, num_returns=1)
            self._open_done(self._number(done[0]))
        return self._told

    @property
    def threads(self) -> int | None:
        """Threads of a worker: as OMP_NUM_THREADS says, else one a processor of its; None where it has a GPU."""
        if self._share.gpus:
            return None
        asked = os.environ.get("OMP_NUM_THREADS", "")
        return int(asked) if asked.isdigit() and int(asked) else max(1, int(self._share.cpus))

    def until_open(self) -> None:
        """Wait until every worker has opened what it holds. Raises what opening raises."""
        while opening := [one.answering for one in self._workers if not one.ready]:
            done, _ = self._ray.wait(opening, num_returns=1)
            self._open_done(self._number(done[0]))

    def give(self, worker: int, items: Sequence[Item]) -> None:
        one = self._workers[worker]
        if one.ready:
            self._begin(one, items)
        else:
            one.waiting = items

    def wait(self) -> Came[Result] | Ended | Lost:
        """The next event. Raises ModelError where workers end while they open, and the errors they hand back."""
        while True:
            streams = [one.answering for one in self._workers if one.answering is not None]
            silent, left = self._longest_silent()
            done, _ = self._ray.wait(streams, num_returns=1, timeout=left, fetch_local=False)
            if not done:
                assert silent is not None  # who waits without end waits until something comes
                why = f"it gave nothing for {self._timeout:g} s"
                self._said(f"worker {silent}: {why}; another is started")
                return Lost(silent, why)
            number = self._number(done[0])
            if not self._workers[number].ready:
                self._open_done(number)
                continue
            return self._next(number)

    def _longest_silent(self) -> tuple[int | None, float | None]:
        """The worker that has given nothing for longest, and in how many seconds it is taken for lost; None: never.

        One that opens what it holds may be fetching it, and is waited for.
        """
        busy = {n: one.heard for n, one in enumerate(self._workers) if one.ready and one.answering is not None}
        if self._timeout is None or not busy:
            return None, None
        silent = min(busy, key=lambda number: busy[number])
        return silent, max(0.0, busy[silent] + self._timeout - time.monotonic())

    def replace(self, worker: int) -> None:
        self._ray.kill(self._workers[worker].actor)
        self._workers[worker] = self._started()

    def _started(self) -> _Worker:
        actor = self._kind.remote(self._opening, str(Path.cwd()), self.threads)
        return _Worker(actor, actor.told.remote())

    def _number(self, stream: object) -> int:
        return next(number for number, one in enumerate(self._workers) if one.answering is stream)

    def _begin(self, one: _Worker, items: Sequence[object]) -> None:
        one.answering = one.actor.results.options(num_returns="streaming").remote(items)
        one.waiting, one.heard = None, time.monotonic()

    def _open_done(self, number: int) -> None:
        """A worker has opened what it holds, or died of it."""
        one = self._workers[number]
        try:
            told = self._ray.get(one.answering)
        except self._ray.exceptions.RayError as error:
            self._lost_starts += 1
            if self._lost_starts >= STARTS:
                raise ModelError(
                    f"{STARTS} workers ended while they opened what they are to hold ({reason(error)}). Is there "
                    "memory for so many? Give fewer --workers."
                ) from None
            self._said(f"worker {number}: {reason(error)} while it opened; another is started")
            fresh = self._started()
            fresh.waiting = one.waiting
            self._workers[number] = fresh
            return
        if isinstance(told, AssayError):
            raise told
        if self._told is not None and told.fingerprints != self._told.fingerprints:
            raise InputError(
                f"Worker {number} opened another scorer or policy than the others did under the same name: the "
                "machines of this cluster hold different files there. Put the same on all."
            )
        self._told, self._lost_starts = told, 0
        one.ready, one.answering = True, None
        if one.waiting is not None:
            self._begin(one, one.waiting)

    def _next(self, number: int) -> Came[Result] | Ended | Lost:
        one = self._workers[number]
        assert one.answering is not None
        try:
            came = self._ray.get(next(one.answering))  # a stream, since it is ready
        except StopIteration:
            one.answering = None
            return Ended(number)
        except self._ray.exceptions.RayError as error:
            self._said(f"worker {number}: {reason(error)}; another is started")
            return Lost(number, reason(error))
        if isinstance(came, AssayError):
            raise came
        one.heard = time.monotonic()
        return Came(number, came)


def reason(error: BaseException) -> str:
    """What befell a worker, without Ray's advice: its death, or the error that its code raised."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, BaseException):
        return f"{type(cause).__name__}: {first_line(cause)}"[:300]
    memory = "memory" in type(error).__name__.lower() or "OutOfMemory" in str(error)
    return "it was ended for lack of memory" if memory else "its process died"


def require_ray() -> None:
    """Raises InputError where the extra is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise InputError("--engine ray needs the extra: pip install 'assay[ray]'. Or leave --engine out.")


def share_of(workers: int | None, nodes: Sequence[Node]) -> Share:
    """How a cluster is parted, so that every worker finds a node with room for it.

    workers: None takes one a GPU, without one a few cores. All get alike, since threads decide last bits: as many
    processors as leave room for all, whichever nodes there are.

    >>> share_of(None, [Node(16, 2)])
    Share(workers=2, cpus=8, gpus=1.0)
    >>> share_of(3, [Node(2)])
    Share(workers=3, cpus=0.5, gpus=0.0)
    >>> share_of(6, [Node(12, 1)]).gpus  # Ray counts in ten-thousandths: six of 0.1667 would be more than one
    0.1666
    >>> share_of(3, [Node(12, 2)]).gpus  # one GPU takes two of them, for what is left of each would take none
    0.5
    >>> share_of(None, [Node(64), Node(8, 1), Node(8, 1)]).cpus  # what has no GPU takes none of them
    8
    """
    gpus = sum(node.gpus for node in nodes)
    count = workers or gpus or max(1, sum(node.cpus for node in nodes) // CORES)
    a_gpu = ceil(count / gpus) if gpus else 0

    def room(cpus: Fraction) -> int:
        return sum(min(node.cpus // cpus, node.gpus * a_gpu if gpus else count) for node in nodes)

    whole = range(max((node.cpus for node in nodes), default=0), 0, -1)
    shares = [*(Fraction(one) for one in whole), *(Fraction(1, one) for one in range(2, count + 1))]
    share = next((one for one in shares if room(one) >= count), Fraction(1, count))
    each = int(share) if share >= 1 else one_of(share.denominator)
    return Share(workers=count, cpus=each, gpus=one_of(a_gpu) if gpus else 0.0)


def one_of(many: int) -> float:
    """A part that so many of make no more than 1 as Ray counts them."""
    return 10_000 // many / 10_000


def node_of(resources: Mapping[str, float]) -> Node:
    """A machine by what Ray says that it has."""
    return Node(int(resources.get("CPU", 0)), int(resources.get("GPU", 0)))


def begin(address: str, options: Mapping[str, int]) -> None:
    """Start Ray, or join the cluster at an address. Raises ConfigError where that fails."""
    import ray

    for left in reversed(range(BEGINS if address == "local" else 1)):
        try:
            ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level="ERROR", **options)
        except Exception as error:  # Ray raises plain Exceptions here
            ray.shutdown()
            if not left:
                raise ConfigError(f"Ray at {address!r} does not start ({first_line(error)}). See {ADDRESS}.") from None
        else:
            return


@contextmanager
def ray_crew(
    opening: Opening[Item, Result], *, workers: int | None, said: Callable[[str], None], timeout: float | None = None
) -> Iterator[RayCrew[Item, Result]]:
    """Workers that hold what `opening` opens, until the end of the block.

    On the cluster that RAY_ADDRESS names, else on this machine, whose devices are theirs for as long. said: gets a line
    when a worker is lost. timeout: seconds after which a worker that gives nothing is taken for lost; None: as soon as
    Ray says so. Raises InputError without the extra, ConfigError where the cluster cannot be reached.
    """
    require_ray()
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import ray

    address = os.environ.get(ADDRESS) or "local"
    # Ray would join any cluster it finds on this machine; and a local one gets the processors that are really there.
    local = {"num_cpus": max(usable_cpus(), workers or 1), "object_store_memory": STORE} if address == "local" else {}
    with redirect_stdout(sys.stderr):  # what Ray tells of deaths goes to standard output, which is the result's
        begin(address, local)
        try:
            nodes = [node_of(one["Resources"]) for one in ray.nodes() if one["Alive"]]
            if address == "local":
                nodes = [Node(usable_cpus(), one.gpus) for one in nodes]
            yield RayCrew(opening, share_of(workers, nodes), said, timeout=timeout)
        finally:
            ray.shutdown()
