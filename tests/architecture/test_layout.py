"""Tests lie by part and layer, and what several share lies in `tests/support`."""

from __future__ import annotations

from architecture.house import HOUSE

TESTS = HOUSE / "tests"
LAYERS = {"rules", "services", "web"}
OVER_ALL_PARTS = {"architecture", "attacks", "browser", "frontend", "media_pipeline", "migrations"}


def test_every_test_lies_in_its_part_and_layer() -> None:
    """``tests/<part>/<layer>/test_x.py``; `app` is the whole installation, and a few folders speak of all parts."""
    parts = {folder.name for folder in (HOUSE / "platform" / "xueji").iterdir()} | {"courses", "app"}
    astray = []
    for file in sorted(TESTS.rglob("test_*.py")):
        folders = file.relative_to(TESTS).parts[:-1]
        by_part = len(folders) == 2 and folders[0] in parts and folders[1] in LAYERS
        if not by_part and not (len(folders) == 1 and folders[0] in OVER_ALL_PARTS):
            astray.append(str(file.relative_to(HOUSE)))
    assert astray == []


def test_no_name_of_a_test_repeats_its_part() -> None:
    repeated = [file for file in TESTS.rglob("test_*.py") if file.stem.startswith(f"test_{file.parts[-3]}_")]
    assert [str(file.relative_to(HOUSE)) for file in repeated] == []


def test_what_tests_share_lies_in_support() -> None:
    assert [file.name for file in TESTS.glob("*.py")] == ["conftest.py"]
