"""Huey's own tests of its API and storages, run against DurableHuey.

Left out, each with its reason, is what cannot hold for a queue of JSON messages on its own schema:
see `EXCEPTIONS`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

import pytest

# Huey leaves its slow tests out unless it is asked; they take two seconds.
os.environ.setdefault("HUEY_SLOW_TESTS", "1")

from huey import chord
from huey.tests import (
    test_api,
    test_asyncio,
    test_consumer,
    test_helpers,
    test_immediate,
    test_priority,
    test_signals,
    test_storage,
)
from huey.tests.base import BaseTestCase

from worker.queue import DurableHuey
from worker.queue.consumer import DurableConsumer

# Huey's tests call datetime.utcnow and leave connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

EXCEPTIONS = {
    "TestChordPrimitive.test_chord_bookkeeping_cleared": (
        "reads MemoryStorage._counters; test_chord_leaves_nothing_behind does the same on our table"
    ),
    "TestConsumerShutdown.test_immediate_stop_ignores_stop_flag": (
        "expects SIGTERM to interrupt; here it ends gracefully, as SIGINT does (test_workers)"
    ),
    "TestConsumerShutdown.test_signal_handlers": "likewise",
    **dict.fromkeys(
        (
            f"TestConsumerIntegration.test_{name}"
            for name in (
                "consumer_periodic_tasks",
                "consumer_schedule_task",
                "scheduler_periodic_catch_up",
                "scheduler_periodic_enqueue_error",
            )
        ),
        "tells Huey's scheduler the time; ours goes by the storage's clock (test_schedules)",
    ),
}


class Durable:
    """Gives a test case a DurableHuey on files of its own."""

    options: ClassVar[dict] = {"utc": False}
    huey_class = DurableHuey
    consumer_class = DurableConsumer

    def get_huey(self):
        self._folder = Path(tempfile.mkdtemp())
        return self.huey_class(filename=self._folder / "tasks.db", **self.options)

    def tearDown(self):
        super().tearDown()
        if self.huey.durable is not None:  # a test may have left immediate mode on
            self.huey.storage.identity.retire()
            self.huey.storage.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class TestDurableStorage(Durable, test_storage.StorageTests, BaseTestCase):
    supports_ttl = False
    consumer_class = DurableConsumer


class CustomError(DurableHuey):
    def build_error_result(self, task, exception):
        error = super().build_error_result(task, exception)
        error.update(name=task.name, args=task.args)
        return error


# Cases that ask for a Huey with options of their own get a durable one with the same options.
OWN_HUEY: dict[str, dict] = {
    "TestDisableResultStore": {"options": {"utc": False, "results": False}},
    "TestStoreIntermediateErrors": {"options": {"utc": False, "store_intermediate_errors": False}},
    "TestImmediate": {"options": {"utc": False, "immediate": True}},
    "TestCustomErrorMetadata": {"huey_class": CustomError},
}


def _adopt(module) -> None:
    """A subclass of each of the module's test cases that use a Huey of the default kind."""
    for name, case in list(vars(module).items()):
        if not (
            isinstance(case, type) and issubclass(case, BaseTestCase) and case.__module__ == module.__name__
        ):
            continue
        if case.get_huey is not BaseTestCase.get_huey and name not in OWN_HUEY:
            continue
        body = {"__module__": __name__, "__qualname__": f"Durable{name}", **OWN_HUEY.get(name, {})}
        for skipped, reason in EXCEPTIONS.items():
            owner, method = skipped.split(".")
            if owner == name:
                body[method] = pytest.mark.skip(reason=reason)(getattr(case, method))
        globals()[f"TestDurable{name.removeprefix('Test')}"] = type(f"Durable{name}", (Durable, case), body)


def test_chord_leaves_nothing_behind(home):
    huey = DurableHuey(filename=home / "tasks.db", utc=False)

    @huey.task()
    def prod(n):
        return n

    @huey.task()
    def agg(ns):
        return ns

    result = huey.enqueue(chord([prod.s(1), prod.s(2)], agg.s()))
    for _ in range(3):
        huey.execute(huey.dequeue())
    assert result() == [1, 2]
    assert result.results() == [1, 2]
    assert huey.storage.sql("SELECT count(*) FROM counter", results=True) == [(0,)]
    assert huey.result_count() == 0
    huey.storage.identity.retire()
    huey.storage.close()


for _module in (
    test_api, test_asyncio, test_consumer, test_helpers, test_immediate, test_priority, test_signals
):  # fmt: skip
    _adopt(_module)
