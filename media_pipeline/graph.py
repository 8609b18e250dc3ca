"""ffmpeg's filters for a film: one timeline from nought to the film's end that both pictures and sound are brought
to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from media_pipeline.film import FilmFacts
from media_pipeline.streams import Stream

SOUND_RATE = 48_000
# What ffmpeg's AAC encoder puts before the first sample. Players without edit lists play it, so as much is left out.
SOUND_PRIMING = 1024
_MOST_RATE, _LEAST_RATE = 30, 10
STILLNESS_SIZE = (64, 36)
"""Width and height of the small grey picture of each second from which stillness is judged."""
STRIP_PICTURES, _STRIP_SIZE, _STRIP_LAYOUT = 12, (160, 90), "6x2"
_HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
# Below so many lines a picture of unknown colours is taken for one of standard television, as players do.
_LARGE_LINES = 720
_BT709 = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"


@dataclass(frozen=True)
class Timeline:
    """How long the finished film is: ``frames`` pictures at ``rate`` a second."""

    frames: int
    rate: Fraction

    @property
    def seconds(self) -> Fraction:
        return self.frames / self.rate


def timeline(facts: FilmFacts) -> Timeline:
    """The film's own rate where it is between 10 and 30 pictures a second, else a whole part or multiple of it."""
    rate = facts.rate
    while rate > _MOST_RATE + Fraction(1, 2):
        rate /= 2
    if rate < _LEAST_RATE:
        rate *= -(-_LEAST_RATE // rate)
    return Timeline(max(1, round(facts.duration_ms * rate / 1000)), rate)


def transfer(picture: Stream) -> str | None:
    """The transfer curve of a picture of high dynamic range, None for an ordinary one.

    Ten bits with the matrix of BT.2020 and no word on the curve are taken for HLG, which looks right also when it was
    none.
    """
    if picture.transfer in _HDR_TRANSFERS:
        return picture.transfer
    deep = "10" in picture.pixel_format or "12" in picture.pixel_format
    if picture.matrix.startswith("bt2020") and not picture.transfer.startswith("bt") and deep:
        return "arib-std-b67"
    return None


def pictures(facts: FilmFacts, line: Timeline, sizes: Sequence[tuple[str, int, int]], *, copying: bool) -> list[str]:
    """The filter chains for the pictures. Each of ``sizes`` is the label of an output and its width and height.

    Beside those there are ``[decoded]`` (every picture that could be read, for its time alone), ``[still]``,
    ``[strip]`` and ``[poster]``.
    """
    source = f"[0:{facts.picture.index}]"
    begin = f"{facts.begin_ms / 1000:.6f}"
    # Not flagged as progressive is not known to be interlaced either: the filter looks at each picture's own flag.
    weave = "" if facts.picture.progressive else "bwdif=mode=send_frame:deint=interlaced,"
    even = (
        f"trim=start={begin},setpts=PTS-({begin})/TB,fps=fps={line.rate}:start_time=0,"
        f"tpad=stop=-1:stop_mode=clone,trim=end_frame={line.frames}"
    )
    labels = [label for label, _, _ in sizes] + ["still", "strip", "poster"]
    parts = "".join(f"[p{place}]" for place in range(len(labels)))
    largest = _fitted_poster(facts) if copying or not sizes else sizes[0][1:]
    chains = [
        f"{source}split=2[decoded][shown]",
        f"[shown]{weave}{even},{_ordinary_colours(facts.picture, largest)}split={len(labels)}{parts}",
    ]
    seconds = line.seconds
    width, height = _fitted_poster(facts)
    ends = {
        label: f"{_scale(facts.picture, each_width, each_height)},format=yuv420p"
        for label, each_width, each_height in sizes
    }
    ends["still"] = f"fps=1:start_time=0,scale={STILLNESS_SIZE[0]}:{STILLNESS_SIZE[1]}:flags=area,format=gray"
    ends["strip"] = (
        f"fps={STRIP_PICTURES / seconds}:start_time=0:round=up,"
        f"scale={_STRIP_SIZE[0]}:{_STRIP_SIZE[1]}:force_original_aspect_ratio=decrease,setsar=1,"
        f"pad={_STRIP_SIZE[0]}:{_STRIP_SIZE[1]}:-1:-1,tile={_STRIP_LAYOUT},scale=out_range=pc,format=yuv420p"
    )
    # A tenth into the film, past the usual fade from black.
    ends["poster"] = (
        f"trim=start={float(seconds / 10):.3f},trim=end_frame=1,"
        f"scale={width}:{height}:out_range=pc,setsar=1,format=yuv420p"
    )
    return chains + [f"[p{place}]{ends[label]}[{label}]" for place, label in enumerate(labels)]


def sound(facts: FilmFacts, line: Timeline) -> list[str]:
    """The filter chains for ``[sound]``: gaps, and what is missing before and after it, are filled with silence.

    It is exactly as long as the pictures. ``[heard]`` is what could be read of it.
    """
    if facts.sound is None:
        return []
    begin = f"{facts.begin_ms / 1000:.6f}"
    # Whole packets, so that it does not outlast the last picture: players go on to the end of the longer one.
    samples = int(line.seconds * SOUND_RATE) // SOUND_PRIMING * SOUND_PRIMING
    return [
        f"[0:{facts.sound.index}]asplit=2[heard][all]",
        f"[all]atrim=start={begin},asetpts=PTS-({begin})/TB,aresample={SOUND_RATE}:async=1:first_pts=0,"
        f"aformat=channel_layouts=stereo,apad,atrim=start_sample={SOUND_PRIMING}:end_sample={samples}[sound]",
    ]


def _fitted_poster(facts: FilmFacts) -> tuple[int, int]:
    return fitted(facts, 720)


def fitted(facts: FilmFacts, short_side: int) -> tuple[int, int]:
    """Width and height with the shorter side at most ``short_side`` and the longer at most three times that, both
    even."""
    shorter, longer = sorted((facts.width, facts.height))
    scale = min(1.0, short_side / shorter, 3 * short_side / longer)
    return max(2, round(facts.width * scale / 2) * 2), max(2, round(facts.height * scale / 2) * 2)


def _scale(picture: Stream, width: int, height: int) -> str:
    if transfer(picture) is not None:
        return f"scale={width}:{height}:flags=bicubic,setsar=1,{_BT709}"
    if picture.matrix:
        matrix = "auto"
    else:
        matrix = "bt709" if max(picture.width, picture.height) >= _LARGE_LINES * 16 // 9 else "bt601"
    given = "pc" if picture.full_range else "auto"
    return (
        f"scale={width}:{height}:flags=bicubic:in_color_matrix={matrix}:out_color_matrix=bt709"
        f":in_range={given}:out_range=tv,setsar=1,{_BT709}"
    )


def _ordinary_colours(picture: Stream, size: tuple[int, int]) -> str:
    """High dynamic range brought into BT.709, at the largest size that is wanted; nothing for an ordinary picture."""
    curve = transfer(picture)
    if curve is None:
        return ""
    width, height = size
    # What the file does not say is written onto its pictures first: the filter converts only what it knows both ends
    # of.
    return (
        f"setparams=color_primaries={picture.primaries or 'bt2020'}:color_trc={curve}"
        f":colorspace={picture.matrix or 'bt2020nc'},zscale=w={width}:h={height}:t=linear:npl=203,"
        "format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,"
        f"zscale=t=bt709:m=bt709:r=tv,format=yuv420p,setsar=1,{_BT709},"
    )
