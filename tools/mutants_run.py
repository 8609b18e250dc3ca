"""Lets the tests judge mutants: a plugin of pytest that collects once and forks for each mutant.

First one child runs every test and notes which functions it reaches, and how long it takes. Then each mutant has a
child of its own that runs the tests reaching its function, the quick ones first, until one fails. A child begins
before any test has run, so nothing that an earlier test computed and kept can hide the mutant.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, settings
from mutmut.mutation import trampoline
from mutmut.state import state

_ROOM_S = 3
"""CPU seconds a test has with a mutant, beyond five times what it takes without: whoever needs more runs for ever."""
_FRAMES = 4
"""For each call of a function that has mutants: it is called through others. A test of what is nested as deep as the
interpreter follows must find it as deep as without."""
_NO_MUTANT = "nothing"
_FEW = 5
"""How many examples each property test tries of a mutant that is listed as making no difference. To ask it everything
takes as long as hundreds of others, and that a test notices it after all is seldom."""


class Tests(NamedTuple):
    """What the tests do without a mutant."""

    reaching: dict[str, list[int]]
    """by function, the tests that call it, the quick ones first"""
    seconds: list[float]


os.environ["MUTANT_UNDER_TEST"] = "stats"
# Each call of a function that has mutants is noted.
trampoline.record_trampoline_hit = lambda name, caller=None: state()._stats.add(name)


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """A mutant killed by luck is not killed: the examples are the same in every run, and none is made smaller."""
    settings.register_profile(
        "mutants",
        settings(),
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        max_examples=int(os.environ.get("MUTANTS_EXAMPLES") or settings().max_examples),
    )
    settings.load_profile("mutants")
    sys.setrecursionlimit(_FRAMES * sys.getrecursionlimit())


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Judge every mutant named in mutants.json and write the verdicts to judged.json."""
    at_import = frozenset(state()._stats)
    caches = [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]
    gc.freeze()
    mutants: dict[str, bool] = json.loads(Path("mutants.json").read_text())
    done = _forked(lambda: _note_calls(session))
    if os.waitstatus_to_exitcode(os.waitpid(done, 0)[1]):
        raise pytest.UsageError("a test fails without any mutant")
    tests = Tests(*json.loads(Path("reached.json").read_text()))
    all_reaching = sorted({index for each in tests.reaching.values() for index in each})
    control = _forked(lambda: _judge(session, _NO_MUTANT, all_reaching, tests.seconds, caches))
    if os.waitstatus_to_exitcode(os.waitpid(control, 0)[1]):
        raise pytest.UsageError(
            "a test fails in a child without any mutant (control.log): every mutant would seem killed"
        )
    verdicts: dict[str, str] = {}
    running: dict[int, str] = {}
    for mutant, is_listed in mutants.items():
        function = mutant.partition("__mutmut_")[0]
        module = function.rpartition(".")[0]
        reaching = tests.reaching.get(function, [])
        anew = None if reaching or function not in at_import else module
        if anew:
            reaching = sorted(
                {test for each, found in tests.reaching.items() if each.startswith(module) for test in found}
            )
        if not reaching:
            verdicts[mutant] = "no test reaches it"
            continue
        if len(running) >= int(os.environ.get("MUTANTS_JOBS", "1")):
            verdicts.update(_next_verdict(running))
        judging = partial(_judge, session, mutant, reaching, tests.seconds, caches, anew, few=is_listed)
        running[_forked(judging)] = mutant
    while running:
        verdicts.update(_next_verdict(running))
    Path("judged.json").write_text(json.dumps(verdicts))
    return True


def _forked(work: Callable[[], int]) -> int:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = work()
        finally:
            os._exit(code)
    return child


def _next_verdict(running: dict[int, str]) -> dict[str, str]:
    child, status = os.wait()
    mutant, verdict = running.pop(child), "lives" if status == 0 else "killed"
    print(verdict, mutant, flush=True)
    return {mutant: verdict}


def _note_calls(session: pytest.Session) -> int:
    seconds: list[float] = []
    reaching: dict[str, list[int]] = {}
    state()._stats.clear()
    for index, item in enumerate(session.items):
        begun = time.process_time()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        seconds.append(time.process_time() - begun)
        if session.testsfailed:
            print(f"\nfails without any mutant: {item.nodeid}", flush=True)
            return 1
        for function in state()._stats:
            reaching.setdefault(function, []).append(index)
        state()._stats.clear()
    for indexes in reaching.values():
        indexes.sort(key=seconds.__getitem__)
    Path("reached.json").write_text(json.dumps([reaching, seconds]))
    return 0


def _judge(
    session: pytest.Session,
    mutant: str,
    chosen: list[int],
    seconds: list[float],
    caches: list[Any],
    anew: str | None = None,
    *,
    few: bool = False,
) -> int:
    """Whether a test notices the mutant; a test that runs without end does.

    ``anew`` is the module to load again, for a function that is called only while its module is loaded; ``few``:
    whether property tests try only a few examples.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.environ["MUTANT_UNDER_TEST"] = mutant
    trampoline.get_mutant_under_test = lambda: mutant
    for cache in caches:
        cache.cache_clear()
    if anew:
        importlib.reload(sys.modules[anew])
    items = [session.items[index] for index in chosen]
    for index, item, following in zip(chosen, items, [*items[1:], None], strict=True):
        if few:
            _try_few(item)
        signal.setitimer(signal.ITIMER_PROF, _ROOM_S + 5 * seconds[index])
        try:
            # Without the reports of pytest, which take longer than most tests.
            item.ihook.pytest_runtest_setup(item=item)
            item.ihook.pytest_runtest_call(item=item)
            item.ihook.pytest_runtest_teardown(item=item, nextitem=following)
        except pytest.skip.Exception:
            continue
        except BaseException:
            if mutant == _NO_MUTANT:
                Path("control.log").write_text(f"{item.nodeid}\n{traceback.format_exc()}")
            return 1
    return 0


def _try_few(item: pytest.Item) -> None:
    """Have a property test try only a few examples; any other test is left as it is."""
    function = getattr(item, "function", None)
    usual = getattr(function, "_hypothesis_internal_use_settings", None)
    if function is not None and usual is not None:
        function._hypothesis_internal_use_settings = settings(usual, max_examples=_FEW)
