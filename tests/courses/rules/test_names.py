"""Names of files: what is shown of an uploader's, and which a film can have."""

from __future__ import annotations

import pytest

from courses import rules


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("第一课.mp4", "第一课.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\课.mov", "课.mov"),
        ("/", "film"),
        ("\x00\x1f", "film"),
        ("invoice\u202e4pm.exe", "invoice4pm.exe"),
        ("长" * 500, "长" * 120),
    ],
)
def test_a_name_is_shown_without_its_path_and_tricks(given: str, shown: str) -> None:
    assert rules.shown_name(given) == shown


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("master.m3u8", "application/vnd.apple.mpegurl"),
        ("720p/index.m3u8", "application/vnd.apple.mpegurl"),
        ("360p/00012.m4s", "video/iso.segment"),
        ("720p/init.mp4", "video/mp4"),
        ("poster.jpg", "image/jpeg"),
    ],
)
def test_the_files_of_a_film_are_known(path: str, type_: str) -> None:
    assert rules.media_type(path) == type_


@pytest.mark.parametrize(
    "path",
    [
        "../master.m3u8",
        "720p/../../x.mp4",
        "a/b/c.mp4",
        "720p//x.mp4",
        "/x.mp4",
        ".m4s",
        "original",
        "x.MP4",
        "x.mp4\n",
        "x.mp4\x00",
        "%2e%2e/x.mp4",
        "ｘ.mp4",
        "x.html",
        "",
    ],
)
def test_no_film_has_any_other_file(path: str) -> None:
    assert rules.media_type(path) is None


@pytest.mark.parametrize(("to", "order"), [(1, "cab"), (2, "acb"), (3, "abc"), (99, "abc"), (-5, "cab")])
def test_a_lesson_moves_to_its_place(to: int, order: str) -> None:
    assert "".join(rules.moved("abc", "c", to)) == order
