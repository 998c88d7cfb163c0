"""One case of the cut wire: an operation that is cut at one call, and what comes after."""

from __future__ import annotations

import os
import random
import traceback
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wire import CUTS, KILLED, Call, Cut, FakeClock, Wire, WiredSession
from world import Inventory, compare, read_inventory, scrub

from podpac_lambda_widgets.aws.account import AwsAccount
from podpac_lambda_widgets.engine.stack import Stack
from podpac_lambda_widgets.errors import PodpacLambdaError
from podpac_lambda_widgets.model.deployment import Deployment
from podpac_lambda_widgets.model.source import Source

#: Runs that may be needed until a fault is overcome; the last must succeed.
RERUNS = 2


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
    """Cut the operation at call number ``at``; then ``build`` goes on with the wish, or ``delete`` gives it up."""

    operation: Operation
    at: int
    call: str
    cut: Cut
    then: str

    def __str__(self) -> str:
        return f"{self.operation.name}, call {self.at} ({self.call}), {self.cut}, then {self.then}"


class NotConverged(Exception):
    """The case did not end as it should."""


@dataclass
class Bench:
    """The account of the sweep, seen through a wire."""

    session: WiredSession
    wire: Wire
    #: A session that is not cut, to look at the account with.
    observer: Any
    before: Inventory

    def stack(self, wish: Wish) -> Stack:
        """The stack as a fresh kernel has it."""
        clock = FakeClock()
        return Stack(AwsAccount(self.session, clock), wish.deployment(), wish.source, clock)

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

    def calls_of(self, operation: Operation) -> list[Call]:
        """The calls of the operation when nothing is cut."""
        self.prepare(operation)
        with self.wire.recording() as calls:
            self.do(operation)
        self.stack(operation.wish).delete(confirm=True)
        return calls

    def run(self, case: Case) -> str:
        """Run the case; returns what went wrong, or an empty string."""
        try:
            self.prepare(case.operation)
            self._cut(case)
            self._converge(case)
            left = compare(self.before, read_inventory(self.observer))
            if left:
                raise NotConverged("; ".join(left))
        except Exception:
            told = f"{case}\n{traceback.format_exc()}"
            scrub(self.observer, self.before)
            return told
        return ""

    def _cut(self, case: Case) -> None:
        if "killed" in case.cut.name:
            self._kill(case)
            return
        # Any other error of the operation is a fault of ours, and is told as such.
        with suppress(PodpacLambdaError), self.wire.recording(case.cut, case.at):
            self.do(case.operation)

    def _kill(self, case: Case) -> None:
        with warnings.catch_warnings():
            # The threads that Python warns of are pytest's own; the child never returns to them.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            try:
                self.session.hang_up()
                with self.wire.recording(case.cut, case.at):
                    self.do(case.operation)
            finally:
                os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != KILLED:
            raise NotConverged(f"the process was not killed at the call: exit code {code}")

    def _converge(self, case: Case) -> None:
        wish = case.operation.wish
        if case.then == "build":
            self._rerun(lambda: self.stack(wish).build())
            plan = self.stack(wish).plan()
            if not plan.is_empty:
                raise NotConverged(f"after the rerun the plan is not empty:\n{plan}")
        self._rerun(lambda: self.stack(wish).delete(confirm=True))
        plan = self.stack(wish).plan_delete()
        if not plan.is_empty:
            raise NotConverged(f"after deleting there is still something to delete:\n{plan}")

    def _rerun(self, operation: Any) -> None:
        for _ in range(RERUNS - 1):
            try:
                operation()
            except PodpacLambdaError:
                continue
            return
        operation()


def all_cases(operation: Operation, calls: list[Call]) -> Iterator[Case]:
    """Every call with every cut; what comes after alternates."""
    for at, call in enumerate(calls):
        for number, cut in enumerate(CUTS):
            yield Case(operation, at, call.name, cut, ("build", "delete")[(at + number) % 2])


def sample_cases(operation: Operation, calls: list[Call], size: int) -> list[Case]:
    """As many cases, spread evenly over calls and cuts, the same ones each time."""
    chance = random.Random(f"{operation.name} {operation.wish.traits}")
    cuts = list(CUTS) * -(-size // len(CUTS))
    chance.shuffle(cuts)
    places = [int((index + chance.random()) / size * len(calls)) for index in range(size)]
    return [
        Case(operation, at, calls[at].name, cut, chance.choice(("build", "delete")))
        for at, cut in zip(places, cuts, strict=False)
    ]
