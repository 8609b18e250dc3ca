"""The house's figures may fall and never rise: long functions and files, names that are no nouns, untyped seams.

Each figure below is what the house holds today; whoever brings one down lowers it here, so that it stays there.
`make figures` prints all of them.
"""

from __future__ import annotations

import subprocess

import figures
import pytest
from architecture.house import HOUSE, files, name


@pytest.fixture(scope="module")
def measured() -> figures.Measured:
    return figures.measure(HOUSE)


MOST = {
    "long_files": 10,
    "many_parameters": 38,
    "names": 263,
    "loose_dicts": 87,
    "ignores": 75,
    "template_lines": 374,
}


def test_no_function_is_longer_than_a_screen(measured: figures.Measured) -> None:
    assert measured.long_functions == []


def test_no_more_files_of_more_than_four_hundred_lines(measured: figures.Measured) -> None:
    assert len(measured.long_files) <= MOST["long_files"], measured.long_files


def test_no_more_functions_of_more_than_six_parameters(measured: figures.Measured) -> None:
    assert len(measured.many_parameters) <= MOST["many_parameters"], measured.many_parameters


def test_no_new_thing_is_called_by_a_participle(measured: figures.Measured) -> None:
    assert measured.names.total() <= MOST["names"], dict(measured.names)


def test_no_more_loose_dicts_and_no_more_exceptions_from_the_tools(measured: figures.Measured) -> None:
    assert measured.loose_dicts <= MOST["loose_dicts"]
    assert measured.ignores <= MOST["ignores"]


def test_no_more_lines_of_templates_that_no_screen_shows_whole() -> None:
    assert len(figures.long_template_lines(HOUSE)) <= MOST["template_lines"]


@pytest.mark.parametrize("path", [HOUSE / ".ci" / "run", *files(".sh")], ids=name)
def test_every_shell_script_can_be_read(path: object) -> None:
    assert subprocess.run(["sh", "-n", str(path)], check=False).returncode == 0
