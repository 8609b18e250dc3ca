"""A finished film, played as a player would: each segment's times, both tracks, the first picture and the last."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from media_pipeline import ffmpeg
from media_pipeline.boxes import BoxError, Run, Track, read_runs, read_tracks

# Times in a file are whole ticks, and some files count in milliseconds.
_SLACK = Fraction(2, 1000)
# A sound's packets are 21 ms long and come a little after the pictures that they belong to.
_SOUND_LAG = Fraction(1, 2)
_SOUND_END = Fraction(1, 20)
_PLAYED_TIME = timedelta(minutes=2)


class UnplayableError(Exception):
    """The product would stop, jump or end elsewhere than it says; the message says where, for the operator."""


@dataclass(frozen=True)
class PlaylistFile:
    """One file of a playlist. Times are seconds after the film's beginning."""

    name: str
    start: Fraction
    end: Fraction
    pictures: int


def settle_playlist(playlist: Path, *, has_sound: bool) -> tuple[PlaylistFile, ...]:
    """Check every segment of one size and write its real times into the playlist. Raises UnplayableError.

    What a player adds up is then exactly what lies in the files.
    """
    folder = playlist.parent
    lines = playlist.read_text("utf-8").splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    initial = re.search(r'#EXT-X-MAP:URI="([^"]+)"', "\n".join(lines))
    if initial is None or not names:
        raise UnplayableError("a playlist without segments")
    try:
        tracks = read_tracks((folder / initial[1]).read_bytes())
        segments = _read_segments(folder, names, tracks, has_sound=has_sound)
    except (BoxError, OSError) as error:
        raise UnplayableError(f"{playlist.parent.name}: {error}") from error
    _decode(folder, initial[1], segments)
    _write_playlist(playlist, initial[1], segments)
    return segments


def refuse_sizes_that_differ(sizes: Sequence[tuple[PlaylistFile, ...]]) -> None:
    """All sizes must be cut at the same moments: players change between them at any cut. Raises UnplayableError."""
    first = sizes[0]
    for other in sizes[1:]:
        if len(other) != len(first) or any(
            abs(mine.start - its.start) > _SLACK or abs(mine.end - its.end) > _SLACK
            for mine, its in zip(first, other, strict=True)
        ):
            raise UnplayableError("the sizes are cut at different moments")


def _read_segments(
    folder: Path, names: list[str], tracks: tuple[Track, ...], *, has_sound: bool
) -> tuple[PlaylistFile, ...]:
    kinds = {track.kind: track for track in tracks}
    if set(kinds) != ({"vide", "soun"} if has_sound else {"vide"}) or len(tracks) != len(kinds):
        raise UnplayableError(f"tracks are {sorted(kinds)}")
    if any(track.edited for track in tracks):
        raise UnplayableError("a track with an edit list")
    video = kinds["vide"]
    segments: list[PlaylistFile] = []
    before: dict[int, Run] = {}
    for name in names:
        runs = read_runs((folder / name).read_bytes())
        for number, run in runs.items():
            expected = before[number].start + before[number].duration if number in before else 0
            scale = next(track.timescale for track in tracks if track.number == number)
            if abs(run.start - expected) > max(Fraction(1), _SLACK * scale):
                raise UnplayableError(f"{name}: track {number} begins at {run.start}, not at {expected}")
        if video.number not in runs or not runs[video.number].begins_with_key:
            raise UnplayableError(f"{name}: does not begin with a whole picture")
        shown = runs[video.number]
        if abs(shown.first_shown - shown.start) > max(Fraction(1), _SLACK * video.timescale):
            raise UnplayableError(f"{name}: the first picture is shown at {shown.first_shown}, not at {shown.start}")
        before |= runs
        end = Fraction(shown.start + shown.duration, video.timescale)
        start = segments[-1].end if segments else Fraction(0)
        segments.append(PlaylistFile(name, start, end, shown.samples))
        if has_sound:
            _check_sound(name, before, kinds["soun"], end, last=name == names[-1])
    return tuple(segments)


def _check_sound(name: str, runs: dict[int, Run], track: Track, pictures_end: Fraction, *, last: bool) -> None:
    run = runs.get(track.number)
    if run is None:
        # A segment shorter than the sound's lag may have none yet, but never a whole one.
        if pictures_end > _SOUND_LAG:
            raise UnplayableError(f"{name}: no sound")
        return
    sound_end = Fraction(run.start + run.duration, track.timescale)
    if not -(_SOUND_END if last else _SOUND_LAG) <= sound_end - pictures_end <= _SOUND_LAG:
        raise UnplayableError(f"{name}: sound to {float(sound_end):.3f} s, pictures to {float(pictures_end):.3f} s")


def _decode(folder: Path, initial: str, segments: Sequence[PlaylistFile]) -> None:
    """Decode the first and the last segment each by itself, as after a jump to it. Raises UnplayableError."""
    for segment in {segments[0].name: segments[0], segments[-1].name: segments[-1]}.values():
        pieces = "|".join(f"file:{(folder / name).resolve()}" for name in (initial, segment.name))
        pictures: list[str] = []
        finished = ffmpeg.run(
            [
                *(
                    "-protocol_whitelist",
                    "file,concat",
                    "-format_whitelist",
                    "mov",
                    "-threads",
                    "1",
                    "-i",
                    f"concat:{pieces}",
                ),
                *("-map", "0:v:0", "-c:v", "wrapped_avframe", "-f", "framecrc", "-"),
            ],
            timeout=_PLAYED_TIME,
            on_line=pictures.append,
        )
        count = sum(not line.startswith("#") for line in pictures)
        if finished.status != 0 or count != segment.pictures:
            last_error = " ".join(finished.errors[-1:])
            raise UnplayableError(f"{segment.name}: {count} of {segment.pictures} pictures {last_error}")


def _write_playlist(playlist: Path, initial: str, segments: Sequence[PlaylistFile]) -> None:
    longest = max(segment.end - segment.start for segment in segments)
    lines = [
        *("#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{max(1, math.floor(longest + Fraction(1, 2)))}"),
        *("#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-INDEPENDENT-SEGMENTS"),
        f'#EXT-X-MAP:URI="{initial}"',
    ]
    for segment in segments:
        # Differences of rounded ends, so that the rounding never adds up.
        microseconds = round(segment.end * 1_000_000) - round(segment.start * 1_000_000)
        lines += [f"#EXTINF:{microseconds // 1_000_000}.{microseconds % 1_000_000:06d},", segment.name]
    playlist.write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]), "utf-8")
