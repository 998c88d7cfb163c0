"""Cuts the wire at the calls of one operation, and sees what comes after.

The operation runs once. At a call that is to be cut the process forks, account and all: the fork is cut there, goes to
its end, and is taken up by a new kernel, once to build and once to delete, while its parent goes on to the next call.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from inner_aws import InnerAws
from wire import CUTS, KILLED, Cut, FakeClock, Wire, WiredSession
from world import Inventory, compare, read_inventory

from podpac_lambda_widgets.aws import lock
from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.aws.builder import own_process, process_has_ended
from podpac_lambda_widgets.engine.inspected import CACHE_VARIABLE
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.errors import PodpacLambdaError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source

#: Runs that may be needed until a fault is overcome; the last must succeed.
RERUNS = 2
#: What may come after.
THEN = ("build", "delete")
#: A fork that is not done in this time hangs, seconds.
_HANGS = 300
_DESTROYED = "destroyed "


@dataclass(frozen=True)
class Wish:
    """What is to be deployed, from where."""

    traits: dict[str, Any]
    source: Source

    def deployment(self) -> Deployment:
        """The wish as a new session would write it down."""
        return Deployment(**self.traits)


@dataclass(frozen=True)
class Operation:
    """What is cut: building ``wish``, or deleting it; ``standing`` is what was built before."""

    name: str
    wish: Wish
    standing: Wish | None = None


@dataclass(frozen=True)
class Case:
    """Cut the operation at call number ``at``."""

    operation: str
    at: int
    call: str
    cut: Cut
    #: What comes after, each from the same account.
    then: tuple[str, ...]

    @property
    def kills(self) -> bool:
        """Whether the process is killed."""
        return "killed" in self.cut.name

    def __str__(self) -> str:
        return f"{self.operation}, call {self.at} ({self.call}), {self.cut}"


@dataclass
class Outcome:
    """What came of the cases of one operation.

    Attributes
    ----------
    possible, tried : int
        How many cases there are, and how many were cut.
    states : int
        How many different accounts the cuts left behind. From each the next run was made, to build and to delete; a
        run from an account that is equal to the last bit, ids and times included, need not be made again.
    failures : list of str
        What went wrong, by case.
    """

    possible: int = 0
    tried: int = 0
    states: int = 0
    failures: list[str] = field(default_factory=list)


class NotConverged(Exception):
    """The case did not end as it should."""


@dataclass
class Bench:
    """The account of the sweep, seen through a wire."""

    aws: InnerAws
    session: WiredSession
    wire: Wire
    #: A session that is not cut, to look at the account with.
    observer: Any
    before: Inventory
    #: The fingerprint of the account when there was nothing of ours in it.
    empty: str = ""
    #: The time, which stands still: a lock that is renewed on the way would be a call that was not foreseen.
    now: float = field(default_factory=time.time)

    def look(self) -> None:
        """Remember the account as it is before anything of ours is in it."""
        self.before, self.empty = read_inventory(self.observer), self.aws.fingerprint()
        plan = self.stack(Wish({"function_name": "sweep"}, Source())).plan_delete()
        if not plan.is_empty:
            raise NotConverged(f"there is something to delete before anything was built:\n{plan}")

    def stack(self, wish: Wish) -> Stack:
        """The stack as a fresh kernel has it."""
        clock = FakeClock()
        return Stack(AwsAccount(self.session, clock, lambda: self.now), wish.deployment(), wish.source, clock)

    def do(self, operation: Operation) -> None:
        """Run the operation once."""
        stack = self.stack(operation.wish)
        if operation.name == "destroy":
            stack.delete(confirm=True)
        else:
            stack.build()

    def prepare(self, operation: Operation) -> None:
        """Build what stands before the operation."""
        if operation.standing is not None:
            self.stack(operation.standing).build()

    def sweep(self, operation: Operation, size: int | None) -> Outcome:
        """Run the operation, cut at ``size`` calls, or at all in every way; the account is not as it was any more."""
        self.prepare(operation)
        calls = self._foresee(operation)
        cases = sample_cases(operation, calls, size) if size else list(all_cases(operation, calls))
        found = Outcome(possible=len(calls) * len(CUTS), tried=len(cases))
        _Sweep(self, operation, cases, found).run()
        return found

    def _foresee(self, operation: Operation) -> list[str]:
        """The calls of the operation when nothing is cut, found out in a fork."""
        return in_fork(lambda: self._record(operation)).splitlines()

    def _record(self, operation: Operation) -> str:
        # What is remembered of archives in a bucket would save the calls that fetch them.
        with tempfile.TemporaryDirectory() as memory, self.wire.recording() as calls:
            os.environ[CACHE_VARIABLE] = memory
            self.do(operation)
        return "\n".join(call.name for call in calls)

    def fingerprint(self) -> str:
        """All that a new kernel can find: the account, and how often a function is still told to be Pending."""
        return f"{self.aws.fingerprint()}-{self.wire.pending}"

    def converge(self, wish: Wish, then: str, destroyed: Collection[str] = ()) -> str:
        """Have a new kernel go on with the wish, or give it up; in the end the account is as it was.

        Parameters
        ----------
        destroyed : collection of str
            Likenesses of whole stacks that were destroyed already: another one need not be.

        Returns
        -------
        str
            The likeness of the stack that was built and destroyed, if it was.
        """
        built = ""
        if then == "build":
            self._rerun(lambda: self.stack(wish).build())
            plan = self.stack(wish).plan()
            if not plan.is_empty:
                raise NotConverged(f"after the rerun the plan is not empty:\n{plan}")
            built = self.aws.likeness()
        if built in destroyed:
            return ""
        self._rerun(lambda: self.stack(wish).delete(confirm=True))
        # S3 remembers an upload in parts, which no call tells.
        if self.aws.fingerprint() != self.empty:
            self._check_empty(wish)
        return built

    def _check_empty(self, wish: Wish) -> None:
        """Ask by calls whether anything of ours is left, or anything of others is not as it was."""
        left = compare(self.before, read_inventory(self.observer))
        if left:
            raise NotConverged("; ".join(left))
        plan = self.stack(wish).plan_delete()
        if not plan.is_empty:
            raise NotConverged(f"after deleting there is still something to delete:\n{plan}")

    @staticmethod
    def _rerun(operation: Callable[[], object]) -> None:
        for _ in range(RERUNS - 1):
            try:
                operation()
            except PodpacLambdaError:
                continue
            return
        operation()


class _Sweep:
    """One operation on its way, which forks where it is cut."""

    def __init__(self, bench: Bench, operation: Operation, cases: Sequence[Case], found: Outcome) -> None:
        self._bench = bench
        self._operation = operation
        self._process = own_process()
        self._found = found
        self._cases: dict[tuple[int, bool], list[Case]] = {}
        for case in cases:
            self._cases.setdefault((case.at, case.cut.after), []).append(case)
        #: What went wrong with the runs from each account that was left behind, or nothing.
        self._known: dict[str, str] = {}
        self._reached = 0
        #: Likenesses of whole stacks that were destroyed without a trace.
        self._destroyed: set[str] = set()
        #: In a fork: its case, and where it tells what came of it.
        self._case: Case | None = None
        self._report = -1

    def run(self) -> None:
        """Do the operation and all its forks."""
        gc.collect()
        # Else every fork copies all memory when it looks for garbage.
        gc.freeze()
        gc.disable()
        try:
            with self._bench.wire.recording(self._choose):
                self._bench.do(self._operation)
        except BaseException as error:
            if self._case is None:
                raise
            # Any error but ours is a fault, and is told as such.
            self._finish("" if isinstance(error, PodpacLambdaError) else traceback.format_exc())
        if self._case is not None:
            self._finish("")
        self._found.states = len({key.split()[0] for key in self._known})
        if self._reached != self._found.tried:
            self._found.failures.append(f"only {self._reached} of {self._found.tried} cases were reached")

    def _choose(self, number: int, after: bool) -> Cut | None:
        """Fork for every case of the call; in the fork, say how it is cut."""
        for case in self._cases.get((number, after), []):
            reading, writing = os.pipe()
            pid = os.fork()
            if pid == 0:
                signal.alarm(_HANGS)
                os.close(reading)
                self._case, self._report, self._cases = case, writing, {}
                self._become(case)
                return case.cut
            os.close(writing)
            code = _exit_code(pid) if case.kills else None
            with os.fdopen(reading) as report:
                told = report.read()
            self._note(case, _exit_code(pid) if code is None else code, told)
        return None

    def _become(self, case: Case) -> None:
        """Be what the fork stands for: the process that it comes from, or another, which sees that one killed."""
        # What the runs after the cut remember of archives would save the one that goes on the calls that fetch them.
        os.environ[CACHE_VARIABLE] = tempfile.mkdtemp(dir=os.environ[CACHE_VARIABLE])
        # The lock is in the name of the one that goes on.
        if not case.kills:
            lock.own_process = lambda: self._process
            return
        lock.process_has_ended = lambda process: process == self._process or process_has_ended(process)
        killed = os.getpid()
        if os.fork() != 0:
            return
        while os.getppid() == killed:
            time.sleep(0.001)
        self._finish("")

    def _note(self, case: Case, code: int, told: str) -> None:
        self._reached += 1
        expected = KILLED if case.kills else 0
        if code != expected or not told:
            self._found.failures.append(f"{case}\nthe process ended with exit code {code}")
            return
        answer = json.loads(told)
        self._known[answer["key"]] = answer["trouble"]
        self._destroyed.update(answer["destroyed"])
        if answer["trouble"]:
            self._found.failures.append(f"{case}\n{answer['trouble']}")

    def _finish(self, trouble: str) -> NoReturn:
        """In a fork: see what comes after, tell it, and end."""
        assert self._case is not None
        then, destroyed = self._case.then, list[str]()
        key = f"{self._bench.fingerprint()} {self._case.kills} {then} {trouble}"
        if not trouble:
            trouble = self._known[key] if key in self._known else self._take_up(then, destroyed)
        _write(self._report, json.dumps({"key": key, "trouble": trouble, "destroyed": destroyed}))

    def _take_up(self, then: Sequence[str], destroyed: list[str]) -> str:
        """Go on from here in each way; what went wrong."""
        troubles = []
        for what in then:
            told = in_fork(lambda what=what: self._attempt(what))
            if told.startswith(_DESTROYED):
                destroyed.append(told.removeprefix(_DESTROYED))
            elif told:
                troubles.append(f"then {what}: {told}")
        return "\n".join(troubles)

    def _attempt(self, what: str) -> str:
        built = self._bench.converge(self._operation.wish, what, self._destroyed)
        return f"{_DESTROYED}{built}" if built else ""


def _exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _write(descriptor: int, text: str) -> NoReturn:
    """Tell it, and end without a word more."""
    with suppress(OSError), os.fdopen(descriptor, "w") as file:
        file.write(text)
    os._exit(0)


def in_fork(work: Callable[[], str], alarm: int = _HANGS) -> str:
    """What the work returns, done in a fork: here nothing has happened."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(alarm)
        os.close(reading)
        try:
            told = work()
        except BaseException:
            told = traceback.format_exc()
        _write(writing, told)
    os.close(writing)
    with os.fdopen(reading) as report:
        told = report.read()
    code = _exit_code(pid)
    return told if not code else f"a fork ended with exit code {code}"


def all_cases(operation: Operation, calls: list[str]) -> Iterator[Case]:
    """Every call with every cut, and both that may come after."""
    for at, call in enumerate(calls):
        for cut in CUTS:
            yield Case(operation.name, at, call, cut, THEN)


def sample_cases(operation: Operation, calls: list[str], size: int) -> list[Case]:
    """As many cases, spread evenly over calls and cuts, the same ones each time."""
    chance = random.Random(f"{operation.name} {operation.wish.traits}")
    cuts = list(CUTS) * -(-size // len(CUTS))
    chance.shuffle(cuts)
    places = [int((index + chance.random()) / size * len(calls)) for index in range(size)]
    return [
        Case(operation.name, at, calls[at], cut, (chance.choice(THEN),)) for at, cut in zip(places, cuts, strict=False)
    ]
