"""The figures that do not depend on how busy the machine is; ``bench.faces`` measures the others."""

from __future__ import annotations

import pytest

from bench.faces import portrait, worker_memory
from xueji.supervisor.programs import WORKER_KIBIBYTES


def test_a_worker_that_judges_stays_within_its_memory_and_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is measured is an installation of its own, on SQLite.
    monkeypatch.delenv("XUEJI_DATABASE_URL", raising=False)
    held, highest = worker_memory(portrait())
    assert held.reached, held
    assert highest.value < WORKER_KIBIBYTES / 1024, highest
