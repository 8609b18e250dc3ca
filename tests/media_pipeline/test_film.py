"""Films are probed without decoding, refused with a reason, cut alike in both sizes, and never outlive a cancel."""

from __future__ import annotations

import os
import re
import subprocess
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from media_pipeline import ffmpeg
from media_pipeline.demo_film import POINTS, draw_slide, make_demo_film
from media_pipeline.ffmpeg import FfmpegTimeout, FilmCancelled
from media_pipeline.film import FilmError, FilmFault, FilmLimits, probe
from media_pipeline.hls import MASTER, POSTER, PackagedFilm, may_be_copied, package_film

SMALL = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"]
WITH_SOUND = ["-c:a", "aac", "-ac", "2"]


def make(
    path: Path, *options: str, size: str = "640x360", seconds: float = 5, rate: int = 25, sound: bool = True
) -> Path:
    """A film of ffmpeg's own test picture."""
    inputs = ["-f", "lavfi", "-i", f"testsrc=s={size}:r={rate}:d={seconds}"]
    if sound:
        inputs += ["-f", "lavfi", "-i", f"sine=f=220:d={seconds}"]
    finished = ffmpeg.run([*inputs, *options, "-y", str(path)], timeout=timedelta(minutes=2))
    assert finished.status == 0, finished.errors
    return path


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that fits: 720p H.264 with a key frame every two seconds, AAC."""
    return make(tmp_path_factory.mktemp("film") / "lecture.mp4", *SMALL, *WITH_SOUND, size="1280x720", seconds=9)


def refused(path: Path, limits: FilmLimits | None = None) -> FilmFault:
    with pytest.raises(FilmError) as error:
        probe(path, limits)
    return error.value.fault


def cuts(folder: Path, playlist: str) -> list[str]:
    return re.findall(r"#EXTINF:([\d.]+)", (folder / playlist).read_text())


def key_frames(folder: Path, name: str) -> list[int]:
    """When, in milliseconds, the key frames of a finished size are shown."""
    listed: list[str] = []
    whole = folder / f"{name}-whole.mp4"
    (segments,) = [sorted((folder / name).glob("*.m4s"))]
    (initial,) = (folder / name).glob("init*.mp4")
    whole.write_bytes(initial.read_bytes() + b"".join(segment.read_bytes() for segment in segments))
    ffmpeg.run(
        [*ffmpeg.confined(str(whole)), "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-"],
        timeout=timedelta(minutes=1),
        on_line=listed.append,
    )
    base = next(line.split(": ")[1] for line in listed if line.startswith("#tb 0"))
    numerator, denominator = (int(part) for part in base.split("/"))
    shown = [line.split(",") for line in listed if line.startswith("0,") and "F=" not in line]
    first = int(shown[0][2])
    return [round((int(fields[2]) - first) * 1000 * numerator / denominator) for fields in shown]


class TestProbe:
    def test_a_film_is_known_to_the_millisecond(self, lecture: Path) -> None:
        facts = probe(lecture)
        assert (facts.duration_ms, facts.frames, facts.key_gap_ms) == (9000, 225, 2000)
        assert (facts.width, facts.height, facts.video_codec, facts.audio_codec) == (1280, 720, "h264", "aac")
        assert (facts.pixel_format, facts.upright) == ("yuv420p", True)
        assert may_be_copied(facts)

    @pytest.mark.parametrize("rate", [12, 24, 30, 50])
    def test_the_length_does_not_depend_on_the_rate(self, tmp_path: Path, rate: int) -> None:
        assert probe(make(tmp_path / "film.mp4", *SMALL, rate=rate, seconds=3, sound=False)).duration_ms == 3000

    def test_a_film_without_sound_is_a_film(self, tmp_path: Path) -> None:
        assert probe(make(tmp_path / "film.mp4", *SMALL, sound=False, seconds=2)).audio_codec is None

    def test_a_film_held_upright_is_measured_as_shown(self, tmp_path: Path) -> None:
        make(tmp_path / "film.mp4", *SMALL, seconds=2)
        source = ["-display_rotation", "90", "-i", str(tmp_path / "film.mp4"), "-c", "copy"]
        ffmpeg.run([*source, str(tmp_path / "turned.mp4")], timeout=timedelta(minutes=1))
        facts = probe(tmp_path / "turned.mp4")
        assert (facts.width, facts.height, facts.upright) == (360, 640, False)
        assert not may_be_copied(facts)

    def test_what_a_title_says_is_not_taken_for_ffmpegs_words(self, tmp_path: Path) -> None:
        title = "[error] Display Matrix: rotation of nothing"
        make(tmp_path / "film.mp4", *SMALL, "-metadata", f"title={title}", seconds=2)
        assert probe(tmp_path / "film.mp4").upright


class TestRefusals:
    def test_text_and_pictures_are_no_films(self, tmp_path: Path) -> None:
        (tmp_path / "text.mp4").write_text("not a film at all " * 50)
        cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((90, 90, 3), np.uint8))
        (tmp_path / "empty.mp4").write_bytes(b"")
        assert {refused(path) for path in tmp_path.iterdir()} == {FilmFault.NOT_A_FILM}

    def test_sound_alone_has_no_video_even_with_a_cover(self, tmp_path: Path) -> None:
        sound = ["-f", "lavfi", "-i", "sine=d=3"]
        cv2.imwrite(str(tmp_path / "cover.png"), np.full((90, 90, 3), 200, np.uint8))
        cover = [
            "-i",
            str(tmp_path / "cover.png"),
            "-map",
            "0",
            "-map",
            "1",
            "-c:v",
            "png",
            "-disposition:v",
            "attached_pic",
        ]
        ffmpeg.run([*sound, str(tmp_path / "a.m4a")], timeout=timedelta(minutes=1))
        ffmpeg.run([*sound, *cover, str(tmp_path / "b.mp3")], timeout=timedelta(minutes=1))
        assert refused(tmp_path / "a.m4a") is FilmFault.NO_VIDEO
        assert refused(tmp_path / "b.mp3") is FilmFault.NO_VIDEO

    def test_too_short_too_long_too_big_and_too_large_are_told_apart(self, lecture: Path) -> None:
        assert refused(lecture, FilmLimits(min_ms=9001)) is FilmFault.TOO_SHORT
        assert refused(lecture, FilmLimits(max_ms=8999)) is FilmFault.TOO_LONG
        assert refused(lecture, FilmLimits(max_bytes=1000)) is FilmFault.TOO_MANY_BYTES
        assert refused(lecture, FilmLimits(max_pixels=640 * 480)) is FilmFault.TOO_MANY_PIXELS

    @pytest.mark.parametrize("share", [0.4, 0.8, 0.97])
    @pytest.mark.parametrize("kind", ["late.mp4", "early.mp4"])
    def test_an_upload_cut_short_is_broken(self, tmp_path: Path, lecture: Path, share: float, kind: str) -> None:
        flags = ["-movflags", "+faststart"] if kind == "early.mp4" else []
        ffmpeg.run(["-i", str(lecture), "-c", "copy", *flags, str(tmp_path / kind)], timeout=timedelta(minutes=1))
        whole = (tmp_path / kind).read_bytes()
        (tmp_path / kind).write_bytes(whole[: int(len(whole) * share)])
        assert refused(tmp_path / kind) is FilmFault.BROKEN

    def test_a_playlist_cannot_read_other_files(self, tmp_path: Path, lecture: Path) -> None:
        (tmp_path / "list.m3u8").write_text(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{lecture}\n#EXT-X-ENDLIST\n"
        )
        (tmp_path / "list.mp4").write_text(f"ffconcat version 1.0\nfile '{lecture}'\n")
        (tmp_path / "list.mpd").write_text(f'<?xml version="1.0"?><MPD><BaseURL>{lecture}</BaseURL></MPD>')
        assert {refused(path) for path in tmp_path.iterdir()} == {FilmFault.NOT_A_FILM}

    def test_a_name_is_never_an_option_or_a_protocol(self, tmp_path: Path, lecture: Path) -> None:
        odd = tmp_path / "-i http:%2d 第一课 %d.mp4"
        odd.write_bytes(lecture.read_bytes())
        assert probe(odd).duration_ms == 9000


@dataclass(frozen=True)
class Packaged:
    """A finished film, where it lies and which progress was told."""

    folder: Path
    made: PackagedFilm
    told: list[int]


@pytest.fixture(scope="module")
def film(lecture: Path, tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    folder = tmp_path_factory.mktemp("packaged") / "film"
    told: list[int] = []
    return Packaged(folder, package_film(lecture, folder, progress=told.append), told)


class TestPackaging:
    def test_what_fits_is_copied_and_a_small_size_made_beside_it(self, film: Packaged) -> None:
        folder, made = film.folder, film.made
        sizes = [(rendition.name, rendition.width, rendition.height, rendition.copied) for rendition in made.renditions]
        assert sizes == [("720p", 1280, 720, True), ("360p", 640, 360, False)]
        assert made.duration_ms == 9000
        master = (folder / MASTER).read_text()
        assert "RESOLUTION=1280x720" in master
        assert "RESOLUTION=640x360" in master
        assert "mp4a.40.2" in master

    def test_both_sizes_are_cut_at_the_same_key_frames(self, film: Packaged) -> None:
        folder, made = film.folder, film.made
        large, small = (cuts(folder, rendition.playlist) for rendition in made.renditions)
        assert large == small
        assert key_frames(folder, "720p") == key_frames(folder, "360p") == [0, 2000, 4000, 6000, 8000]

    def test_everything_is_listed_and_playlists_come_after_their_segments(self, film: Packaged) -> None:
        folder, made = film.folder, film.made
        assert made.files[-1] == MASTER
        assert all((folder / name).stat().st_size > 0 for name in made.files)
        assert POSTER in made.files
        named = [line for line in (folder / "360p/index.m3u8").read_text().splitlines() if line.endswith(".m4s")]
        assert {f"360p/{name}" for name in named} <= set(made.files)

    def test_progress_rises_from_nothing_to_all(self, film: Packaged) -> None:
        assert film.told[0] == 0
        assert film.told[-1] == 1000
        assert film.told == sorted(set(film.told))

    def test_the_poster_is_a_picture_of_the_film(self, film: Packaged) -> None:
        poster = cv2.imread(str(film.folder / POSTER))
        assert poster is not None and poster.shape == (720, 1280, 3)
        assert poster.std() > 20

    @pytest.mark.parametrize(
        ("options", "size", "expected"),
        [
            (
                ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=1"],
                "1280x720",
                [(1280, 720), (640, 360)],
            ),
            ([*SMALL[:-1], "500"], "854x480", [(854, 480), (640, 360)]),
            (SMALL, "1920x1080", [(1280, 720), (640, 360)]),
            (SMALL, "1080x1920", [(720, 1280), (360, 640)]),
            (["-c:v", "mjpeg"], "320x180", [(320, 180)]),
        ],
        ids=["another codec", "few key frames", "too large", "upright", "small"],
    )
    def test_what_does_not_fit_is_made_to_fit(
        self, tmp_path: Path, options: list[str], size: str, expected: list[tuple[int, int]]
    ) -> None:
        suffix = "mov" if "mjpeg" in options else "mp4"
        source = make(tmp_path / f"film.{suffix}", *options, *WITH_SOUND, size=size, seconds=5)
        made = package_film(source, tmp_path / "made")
        assert [(rendition.width, rendition.height) for rendition in made.renditions] == expected
        assert not any(rendition.copied for rendition in made.renditions)
        assert abs(made.duration_ms - 5000) <= 40
        assert {tuple(key_frames(tmp_path / "made", rendition.name)) for rendition in made.renditions} == {
            (0, 2000, 4000)
        }

    def test_a_film_without_sound_or_from_another_container_is_made_too(self, tmp_path: Path) -> None:
        source = make(tmp_path / "film.mkv", *SMALL, seconds=3, sound=False)
        made = package_film(source, tmp_path / "made")
        assert [rendition.copied for rendition in made.renditions] == [True]
        assert made.duration_ms == 3000

    def test_a_refused_film_leaves_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "text.mp4").write_text("no film")
        with pytest.raises(FilmError):
            package_film(tmp_path / "text.mp4", tmp_path / "made")
        assert [path.name for path in tmp_path.iterdir()] == ["text.mp4"]

    def test_making_it_again_replaces_the_first(self, tmp_path: Path) -> None:
        source = make(tmp_path / "film.mp4", *SMALL, seconds=2, size="320x180")
        package_film(source, tmp_path / "made")
        (tmp_path / "made" / "stale.m4s").write_bytes(b"old")
        made = package_film(source, tmp_path / "made")
        assert not (tmp_path / "made" / "stale.m4s").exists()
        assert "stale.m4s" not in made.files


def test_what_a_killed_process_left_is_cleared(tmp_path: Path) -> None:
    source = make(tmp_path / "film.mp4", *SMALL, seconds=2, size="320x180")
    killed = subprocess.Popen(["sleep", "60"])
    killed.kill()
    killed.wait()
    for owner in (killed.pid, os.getpid()):
        (tmp_path / f".made-{owner}-abc").mkdir()
    (tmp_path / ".made-elsewhere-abc").mkdir()
    package_film(source, tmp_path / "made")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"film.mp4", "made", f".made-{os.getpid()}-abc", ".made-elsewhere-abc"}


def children() -> set[str]:
    listed = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, text=True, check=False
    )
    return {name for name in listed.stdout.split() if name.startswith("ffmpeg")}


class TestCancel:
    def test_a_cancelled_film_kills_ffmpeg_and_leaves_nothing(self, tmp_path: Path) -> None:
        source = make(tmp_path / "film.mp4", *SMALL[:-1], "500", size="1280x720", seconds=20)
        told: list[int] = []
        with pytest.raises(FilmCancelled):
            package_film(source, tmp_path / "made", progress=told.append, cancelled=lambda: max(told) >= 30)
        assert told[-1] < 1000
        assert children() == set()
        assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]

    def test_a_run_that_takes_too_long_is_killed(self) -> None:
        endless = ["-re", "-f", "lavfi", "-i", "testsrc2=d=600", "-f", "null", "-"]
        began = time.monotonic()
        with pytest.raises(FfmpegTimeout):
            ffmpeg.run(endless, timeout=timedelta(seconds=0.5))
        assert time.monotonic() - began < 30
        assert children() == set()

    def test_a_film_that_takes_too_long_is_refused(self, lecture: Path, tmp_path: Path) -> None:
        with pytest.raises(FilmError, match="too_slow"):
            package_film(lecture, tmp_path / "made", timeout=timedelta(0))


class TestDemonstration:
    def test_the_film_is_exactly_as_long_as_asked_and_fits(self, tmp_path: Path) -> None:
        make_demo_film(tmp_path / "demo.mp4", 7, "受限空间作业安全")
        facts = probe(tmp_path / "demo.mp4")
        assert (facts.duration_ms, facts.audio_codec, facts.height) == (7000, "aac", 720)
        assert may_be_copied(facts)

    def test_chinese_is_drawn_and_each_slide_differs(self) -> None:
        empty, titled = draw_slide("", "", 1, 3), draw_slide("安全", "", 1, 3)
        assert (empty != titled).any(axis=2).sum() > 1000
        assert (draw_slide("安全", POINTS[0], 1, 3) != draw_slide("安仝", POINTS[0], 1, 3)).any()
        assert (draw_slide("安全", POINTS[0], 1, 3) != draw_slide("安全", POINTS[1], 2, 3)).any()

    def test_a_film_of_no_length_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError):
            make_demo_film(tmp_path / "demo.mp4", 0, "无")
