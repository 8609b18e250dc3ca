"""Which part of a film a file belongs to."""

from __future__ import annotations

import pytest

from courses.film_parts import parts_of


def playlist(*seconds: float) -> str:
    files = "".join(f"#EXTINF:{length:.6f},\n{number:05d}.m4s\n" for number, length in enumerate(seconds))
    return f'#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-MAP:URI="init.mp4"\n{files}#EXT-X-ENDLIST\n'


def test_a_part_is_as_many_files_as_reach_a_minute() -> None:
    found = parts_of(playlist(*[4.0] * 40))
    assert (found["00000.m4s"], found["00014.m4s"]) == ((0, 60_000), (0, 60_000))
    assert found["00015.m4s"] == (60_000, 120_000)
    assert found["00039.m4s"] == (120_000, 160_000)


def test_parts_follow_one_another_whatever_the_files_last() -> None:
    found = parts_of(playlist(*[7.3] * 30, 0.5))
    parts = sorted(set(found.values()))
    assert [first for first, _ in parts[1:]] == [last for _, last in parts[:-1]]
    assert parts[0][0] == 0
    assert parts[-1][1] == 219_500


def test_a_film_shorter_than_a_part_has_one() -> None:
    assert set(parts_of(playlist(4, 4, 1.0005)).values()) == {(0, 9_000)}


def test_no_film_has_no_parts() -> None:
    assert parts_of("#EXTM3U\n") == {}


def test_what_is_no_playlist_is_refused() -> None:
    with pytest.raises(ValueError, match="length"):
        parts_of("#EXTM3U\n00000.m4s\n")
