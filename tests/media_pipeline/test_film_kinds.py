"""What people own besides the film out of a textbook: each kind is finished to the millisecond, or refused by its
name."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.films import (
    AAC,
    SMALL,
    described,
    film,
    heard,
    joined,
    moving,
    picture,
    pitch,
    run,
    seen,
    tone,
    whole_size,
)

from media_pipeline import hls
from media_pipeline.film import FilmError, FilmFault, probe
from media_pipeline.hls import STRIP, FilmRemark, PackagedFilm, package_film
from media_pipeline.playing import UnplayableError, refuse_sizes_that_differ, settle_playlist


def refused(source: Path, folder: Path) -> FilmError:
    with pytest.raises(FilmError) as error:
        package_film(source, folder)
    return error.value


def made(source: Path) -> tuple[PackagedFilm, Path]:
    """The finished film and its smallest size as one file."""
    folder = source.parent / "made"
    finished = package_film(source, folder)
    return finished, whole_size(folder, finished.renditions[-1].name)


class TestSoundAndPicture:
    def test_sound_that_ends_early_is_followed_by_silence_to_the_last_picture(self, tmp_path: Path) -> None:
        finished, whole = made(film(tmp_path / "film.mp4", seconds=14, sound=3))
        assert finished.duration_ms == 14_000
        assert finished.renditions[0].copied
        loud = heard(whole)
        assert loud[10:140].min() > 0.05
        assert loud[160:].max() < 0.01
        assert len(loud) * 20 == pytest.approx(14_000, abs=60)

    def test_sound_that_begins_late_is_heard_when_it_was_meant_to_be(self, tmp_path: Path) -> None:
        run(*picture(4), "-itsoffset", "2", *tone(2), *SMALL, *AAC, str(tmp_path / "film.mp4"))
        finished, whole = made(tmp_path / "film.mp4")
        assert finished.duration_ms == 4000
        loud = heard(whole)
        assert loud[:98].max() < 0.02
        assert loud[103:190].min() > 0.05

    def test_the_last_picture_is_held_for_longer_sound_and_that_is_said(self, tmp_path: Path) -> None:
        finished, whole = made(film(tmp_path / "film.mp4", seconds=2, sound=5))
        assert finished.duration_ms == 5000
        assert FilmRemark.PICTURE_HELD in finished.remarks
        pictures = seen(whole)
        assert len(pictures) == 125
        assert np.abs(pictures[60].astype(int) - pictures[-1]).max() <= 12

    def test_a_film_is_not_made_of_sound_with_hardly_a_picture(self, tmp_path: Path) -> None:
        error = refused(film(tmp_path / "film.mp4", seconds=1.2, sound=90), tmp_path / "made")
        assert error.fault is FilmFault.PICTURE_MISSING
        assert error.at_ms == pytest.approx(1200, abs=60)

    def test_of_several_sounds_the_default_is_heard_then_the_chinese_one(self, tmp_path: Path) -> None:
        both = [*picture(2), *tone(2, 300), *tone(2, 900), "-map", "0", "-map", "1", "-map", "2", *SMALL, "-c:a", "aac"]
        named = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=chi"]
        chosen = {}
        for name, first, second in (("second", "0", "default"), ("first", "default", "0"), ("neither", "0", "0")):
            (tmp_path / name).mkdir()
            source = tmp_path / name / "film.mkv"
            run(*both, *named, "-disposition:a:0", first, "-disposition:a:1", second, str(source))
            chosen[name] = round(pitch(made(source)[1]), -2)
        assert chosen == {"second": 900, "first": 300, "neither": 900}


class TestRecordings:
    def test_what_was_trimmed_away_is_neither_shown_nor_counted(self, tmp_path: Path) -> None:
        film(tmp_path / "whole.mp4", "-g", "100", seconds=6)
        run("-ss", "1.4", "-i", str(tmp_path / "whole.mp4"), "-c", "copy", str(tmp_path / "film.mp4"))
        finished, whole = made(tmp_path / "film.mp4")
        assert not finished.renditions[0].copied
        assert finished.duration_ms == pytest.approx(4600, abs=40)
        first, wanted = seen(whole)[0], seen(tmp_path / "whole.mp4")[35]
        assert np.abs(first.astype(int) - wanted).mean() < 12

    def test_a_recorders_stream_is_taken_as_it_is(self, tmp_path: Path) -> None:
        finished, _ = made(film(tmp_path / "film.ts"))
        assert finished.duration_ms == 3000

    def test_a_recording_begun_in_the_middle_starts_with_its_first_whole_picture(self, tmp_path: Path) -> None:
        data = film(tmp_path / "whole.ts", seconds=6).read_bytes()
        (tmp_path / "film.ts").write_bytes(data[len(data) // 188 // 6 * 188 :])
        finished, whole = made(tmp_path / "film.ts")
        assert finished.duration_ms == 4000
        wanted = seen(tmp_path / "whole.ts")[50]
        assert np.abs(seen(whole)[0].astype(int) - wanted).mean() < 12

    def test_recordings_that_were_joined_go_on_after_the_joint(self, tmp_path: Path) -> None:
        parts = [film(tmp_path / "a.ts", seconds=2), film(tmp_path / "b.ts", seconds=2)]
        finished, whole = made(joined(tmp_path, "film.ts", parts))
        assert finished.duration_ms == pytest.approx(4000, abs=80)
        # A moment of the joint itself is lost: the second recording's sound begins anew there.
        assert (heard(whole)[5:-5] < 0.02).sum() <= 4

    def test_joined_broadcasts_have_no_gap_at_the_joint(self, tmp_path: Path) -> None:
        run(*picture(2), *tone(2), "-c:v", "mpeg2video", "-c:a", "ac3", str(tmp_path / "a.ts"))
        finished, _ = made(joined(tmp_path, "film.ts", [tmp_path / "a.ts", tmp_path / "a.ts"]))
        assert finished.duration_ms == pytest.approx(4000, abs=80)

    def test_a_picture_that_changes_its_size_goes_on(self, tmp_path: Path) -> None:
        for name, size in (("a", "320x180"), ("b", "240x180")):
            run(*picture(2, size=size), "-c:v", "libvpx", "-deadline", "realtime", str(tmp_path / f"{name}.ivf"))
        (tmp_path / "list.txt").write_text("file a.ivf\nfile b.ivf\n")
        run("-f", "concat", "-i", str(tmp_path / "list.txt"), "-c", "copy", str(tmp_path / "film.webm"))
        finished, whole = made(tmp_path / "film.webm")
        assert finished.duration_ms == 4000
        assert len(seen(whole)) == 100

    def test_pictures_at_uneven_times_are_shown_when_they_were_taken(self, tmp_path: Path) -> None:
        uneven = "setpts='if(lt(N,25),N/25,1+(N-25)*0.2)/TB'"
        run(*picture(2), "-vf", uneven, "-fps_mode", "vfr", *SMALL, str(tmp_path / "film.mkv"))
        finished, _ = made(tmp_path / "film.mkv")
        assert not finished.renditions[0].copied
        assert finished.duration_ms == pytest.approx(6000, abs=250)


class TestPictures:
    def test_interlaced_pictures_are_made_whole(self, tmp_path: Path) -> None:
        bar = moving("white", "24x288", "t*150", seconds=2, size="360x288", rate=50)
        lines = ["-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ildct+ilme"]
        run(*bar, *lines, "-c:v", "mpeg2video", "-q:v", "3", str(tmp_path / "film.mpg"))
        finished, whole = made(tmp_path / "film.mpg")
        assert finished.duration_ms == 2000

        def combs(path: Path) -> float:
            """How much lines differ from those above and below: of an upright bar not at all, unless it is torn."""
            lines = seen(path, "360x288").astype(int)[10:40]
            return float(np.abs(lines[:, 1:-1] * 2 - lines[:, :-2] - lines[:, 2:]).mean())

        assert combs(whole) < 0.2 * combs(tmp_path / "film.mpg")
        assert "progressive" in described(whole)

    @pytest.mark.parametrize("curve", ["arib-std-b67", "smpte2084"])
    def test_high_dynamic_range_becomes_ordinary_with_its_colours(self, tmp_path: Path, curve: str) -> None:
        known = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
        colours = f"{known},zscale=t={curve}:p=bt2020:m=bt2020nc:r=tv:npl=203,format=yuv420p10le"
        bars = ["-f", "lavfi", "-i", "smptebars=s=320x180:d=2"]
        tags = ["-color_primaries", "bt2020", "-color_trc", curve, "-colorspace", "bt2020nc"]
        options = ["-vf", colours, "-c:v", "libx265", "-preset", "ultrafast", *tags]
        run(*bars, *options, str(tmp_path / "film.mov"))
        _, whole = made(tmp_path / "film.mov")
        assert "yuv420p(tv, bt709" in described(whole)
        shown = seen(whole)[-1][6]
        # Grey, yellow, cyan, green, magenta, red and blue bars: which channels are high stays what it was.
        columns = [shown[2 + round(place * 32 / 7)] for place in range(7)]
        bars_seen = [tuple(colour > colour.max() * 0.6) for colour in columns]
        assert bars_seen == [
            (True, True, True),
            (True, True, False),
            (False, True, True),
            (False, True, False),
            (True, False, True),
            (True, False, False),
            (False, False, True),
        ]
        assert shown[2].max() > 120

    def test_large_odd_and_upright_pictures_are_scaled(self, tmp_path: Path) -> None:
        sizes = {}
        for size in ("4096x2160", "2160x4096", "321x241", "1000x120"):
            source = tmp_path / size / "film.mkv"
            source.parent.mkdir()
            run(*picture(1.2, size=size, rate="5"), "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", str(source))
            finished, _ = made(source)
            sizes[size] = [(each.width, each.height) for each in finished.renditions]
        assert sizes == {
            "4096x2160": [(1366, 720), (682, 360)],
            "2160x4096": [(720, 1366), (360, 682)],
            "321x241": [(320, 240)],
            "1000x120": [(1000, 120)],
        }

    def test_a_few_pictures_a_second_are_repeated_and_many_are_halved(self, tmp_path: Path) -> None:
        rates = {}
        for rate in ("2", "50"):
            source = film(tmp_path / f"film{rate}.mp4", seconds=4, rate=rate)
            folder = tmp_path / rate
            finished = package_film(source, folder)
            rates[rate] = (finished.duration_ms, len(seen(whole_size(folder, "360p"))))
        assert rates == {"2": (4000, 40), "50": (4000, 100)}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.wmv", ["-c:v", "wmv2", "-c:a", "wmav2"]),
        ("film.avi", ["-c:v", "mpeg4", "-c:a", "mp3"]),
        ("reordered.avi", ["-c:v", "mpeg4", "-bf", "2", "-vtag", "xvid", "-c:a", "mp3"]),
        ("film.flv", ["-c:v", "flv1", "-c:a", "mp3", "-ar", "44100"]),
        ("film.3gp", ["-c:v", "h263", "-s", "352x288", "-c:a", "aac"]),
        ("film.mpg", ["-c:v", "mpeg2video", "-c:a", "mp2"]),
    ],
    ids=["WMV", "AVI", "AVI that names no times", "FLV", "3GP", "MPEG-2"],
)
def test_older_containers_and_codecs_are_films(tmp_path: Path, name: str, options: list[str]) -> None:
    run(*picture(2), *tone(2), *options, str(tmp_path / name))
    finished, whole = made(tmp_path / name)
    assert finished.duration_ms == pytest.approx(2000, abs=100)
    assert heard(whole)[10:80].min() > 0.02


def test_a_browsers_recording_without_a_length_is_a_film(tmp_path: Path) -> None:
    options = ["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus", "-f", "webm", "-live", "1"]
    run(*picture(2), *tone(2), *options, str(tmp_path / "film.webm"))
    assert made(tmp_path / "film.webm")[0].duration_ms == pytest.approx(2000, abs=40)


class TestRefusals:
    def test_a_locked_film_is_called_locked(self, tmp_path: Path) -> None:
        key = "00112233445566778899aabbccddeeff"
        film(
            tmp_path / "film.mp4", "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key, "-encryption_kid", key
        )
        assert refused(tmp_path / "film.mp4", tmp_path / "made").fault is FilmFault.LOCKED

    def test_one_picture_is_no_film_however_long(self, tmp_path: Path) -> None:
        run("-f", "lavfi", "-i", "color=c=teal:s=320x180:d=5:r=10", *tone(5), *SMALL, *AAC, str(tmp_path / "film.mp4"))
        assert refused(tmp_path / "film.mp4", tmp_path / "made").fault is FilmFault.STILL_PICTURE

    def test_a_film_that_turns_no_page_in_ten_minutes_is_marked(self, tmp_path: Path) -> None:
        dot = moving("white", "4x4", "mod(t\\,150)", seconds=640, size="160x90", rate=1)
        run(*dot, *SMALL, str(tmp_path / "film.mp4"))
        assert FilmRemark.ALMOST_STILL in made(tmp_path / "film.mp4")[0].remarks

    def test_a_picture_of_a_thumbs_size_is_refused(self, tmp_path: Path) -> None:
        assert refused(film(tmp_path / "film.mp4", size="64x36"), tmp_path / "made").fault is FilmFault.TOO_FEW_PIXELS

    def test_what_cannot_be_decoded_is_broken_from_its_second_on(self, tmp_path: Path) -> None:
        data = bytearray(film(tmp_path / "film.mp4", "-g", "25", seconds=6, sound=0).read_bytes())
        begin, end = data.index(b"mdat") + 8, data.rindex(b"moov")
        place = begin + (end - begin) // 2
        data[place : end - 8] = b"\x11" * (end - 8 - place)
        (tmp_path / "film.mp4").write_bytes(data)
        error = refused(tmp_path / "film.mp4", tmp_path / "made")
        assert error.fault is FilmFault.BROKEN
        assert error.at_ms is not None
        assert 2000 < error.at_ms < 4500

    def test_a_scratch_is_no_reason_to_refuse_a_film(self, tmp_path: Path) -> None:
        data = bytearray(film(tmp_path / "film.ts", "-g", "25", seconds=4).read_bytes())
        place = len(data) // 188 // 2 * 188
        data[place + 8 : place + 180] = b"\x11" * 172
        (tmp_path / "film.ts").write_bytes(data)
        assert made(tmp_path / "film.ts")[0].duration_ms == pytest.approx(4000, abs=80)


class TestPlaying:
    """The product is played before it is handed out."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        made(film(tmp_path / "film.mp4", seconds=9))
        return tmp_path / "made"

    def test_a_finished_film_plays_from_nought_to_its_length(self, folder: Path) -> None:
        segments = settle_playlist(folder / "360p/index.m3u8", has_sound=True)
        assert [float(segment.end) for segment in segments] == [4.0, 8.0, 9.0]
        refuse_sizes_that_differ([segments, segments])

    @pytest.mark.parametrize("fault", ["a segment lost", "a segment twice", "half a segment", "no sound", "other cuts"])
    def test_what_would_stop_or_jump_is_not_handed_out(self, folder: Path, fault: str) -> None:
        playlist = folder / "360p/index.m3u8"
        text = playlist.read_text()
        if fault == "a segment lost":
            playlist.write_text(text.replace("00001.m4s", ""))
        elif fault == "a segment twice":
            playlist.write_text(text.replace("00001.m4s", "00000.m4s"))
        elif fault == "half a segment":
            segment = folder / "360p/00002.m4s"
            segment.write_bytes(segment.read_bytes()[: segment.stat().st_size // 2])
        with pytest.raises(UnplayableError):
            segments = settle_playlist(playlist, has_sound=fault != "no sound")
            refuse_sizes_that_differ([segments, segments[:-1]])

    def test_a_copy_that_does_not_play_is_encoded_after_all(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = film(tmp_path / "film.mp4", seconds=3)
        assert probe(source).whole
        tried: list[bool] = []

        def settle(work: object, renditions: tuple[hls.Rendition, ...]) -> int:
            tried.append(renditions[0].copied)
            if renditions[0].copied:
                raise UnplayableError("as if")
            return 3000

        monkeypatch.setattr(hls, "_settle", settle)
        assert not package_film(source, tmp_path / "made").renditions[0].copied
        assert tried == [True, False]

    def test_a_strip_shows_the_film_from_beginning_to_end(self, folder: Path) -> None:
        strip = cv2.imread(str(folder / STRIP))
        assert strip is not None and strip.shape == (180, 960, 3)
        parts = [
            strip[90 * row : 90 * row + 90, 160 * column : 160 * column + 160] for row in (0, 1) for column in range(6)
        ]
        assert all(np.abs(a.astype(int) - b).mean() > 0.3 for a, b in itertools.pairwise(parts))
