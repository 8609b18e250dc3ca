"""A course film made of nothing but drawing: numbered slides, a moving bar and a soft sound."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np

from media_pipeline import ffmpeg
from media_pipeline.frames import Pixels

WIDTH, HEIGHT, FRAME_RATE = 1280, 720, 12
_SLIDE_SECONDS = 20
_LONG_RATE = 10
"""Pictures a second of a long film: the least that packaging takes over as they are."""
# OpenCV carries a font with Chinese characters inside its library.
_FONT = "uni"
_BACKGROUNDS = ((246, 243, 238), (240, 246, 240), (238, 242, 248), (246, 240, 246))
_INK, _QUIET, _ACCENT = (60, 44, 28), (120, 104, 92), (176, 96, 24)
POINTS = (
    "作业前确认人员、设备、环境",
    "正确佩戴劳动防护用品",
    "先通风、再检测、后作业",
    "上锁挂牌，能量隔离",
    "发现隐患立即停止并报告",
    "应急处置与撤离路线",
)


def make_demo_film(path: Path, seconds: int, title: str, points: Sequence[str] = POINTS) -> None:
    """Write an MP4 (H.264, AAC, key frames every two seconds) of exactly ``seconds`` to ``path``.

    ``title`` and ``points`` may be Chinese. Raises ``ValueError`` for less than a second and ``RuntimeError`` when
    ffmpeg fails.
    """
    if seconds < 1:
        raise ValueError("a film lasts at least a second")
    count = -(-seconds // _SLIDE_SECONDS)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            slide = draw_slide(title, points[number % len(points)], number + 1, count)
            cv2.imwrite(str(Path(folder) / f"{number:04d}.png"), slide)
        _run(_arguments(Path(folder), path.resolve(), seconds))


def make_long_film(path: Path, seconds: int, title: str, points: Sequence[str] = POINTS) -> None:
    """The same at a small size, cheaply: a minute of slides over and over, which every step after this may copy.

    ``seconds`` is a whole number of minutes. Raises as `make_demo_film` does.
    """
    if seconds < 60 or seconds % 60:
        raise ValueError("a long film lasts whole minutes")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        once = Path(folder) / "once.h264"
        for number in range(60 // _SLIDE_SECONDS):
            slide = draw_slide(title, points[number % len(points)], number + 1, 60 // _SLIDE_SECONDS)
            cv2.imwrite(str(Path(folder) / f"{number:04d}.png"), slide)
        _run(_one_minute(Path(folder), once))
        # Elementary streams may be set one behind the other as they are.
        minutes = Path(folder) / "minutes.h264"
        minutes.write_bytes(once.read_bytes() * (seconds // 60))
        _run(_with_sound(minutes, path.resolve(), seconds))


def _run(arguments: Sequence[str]) -> None:
    finished = ffmpeg.run(arguments, timeout=timedelta(minutes=30))
    if finished.status != 0:
        raise RuntimeError(f"the demonstration film could not be made: {' '.join(finished.errors[-1:])}")


def _one_minute(folder: Path, path: Path) -> list[str]:
    graph = (
        f"[0:v]scale=640:360,fps={_LONG_RATE}[slides];"
        "[slides][1:v]overlay=x='(W-w)*t/60':y=H-12:shortest=1,trim=duration=60,format=yuv420p[v]"
    )
    return [
        *("-framerate", f"1/{_SLIDE_SECONDS}", "-start_number", "0", "-f", "image2", "-i", f"{folder}/%04d.png"),
        *("-f", "lavfi", "-i", f"color=c=0x1860b0:s=24x6:r={_LONG_RATE}:d=60"),
        *("-filter_complex", graph, "-map", "[v]", "-frames:v", str(60 * _LONG_RATE)),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-bf", "0", "-g", str(2 * _LONG_RATE)),
        *(
            "-keyint_min",
            str(2 * _LONG_RATE),
            "-sc_threshold",
            "0",
            "-threads",
            "1",
            "-f",
            "h264",
            "-y",
            f"file:{path}",
        ),
    ]


def _with_sound(pictures: Path, path: Path, seconds: int) -> list[str]:
    return [
        *("-framerate", str(_LONG_RATE), "-f", "h264", "-i", f"file:{pictures}"),
        *("-f", "lavfi", "-i", f"aevalsrc=0.03*sin(2*PI*110*t)*(1+sin(2*PI*0.1*t)):s=16000:d={seconds}"),
        *("-map", "0:v", "-map", "1:a", "-t", str(seconds), "-c:v", "copy", "-c:a", "aac", "-b:a", "32k", "-ac", "1"),
        *("-movflags", "+faststart", "-f", "mp4", "-y", f"file:{path}"),
    ]


def draw_slide(title: str, point: str, number: int, count: int) -> Pixels:
    """One slide, ``[720, 1280, 3]``."""
    slide = np.full((HEIGHT, WIDTH, 3), _BACKGROUNDS[number % len(_BACKGROUNDS)], np.uint8)
    font = cv2.FontFace(_FONT)
    cv2.rectangle(slide, (0, 0), (WIDTH, 14), _ACCENT, -1)
    cv2.putText(slide, title, (90, 150), _INK, font, 54, 700)
    cv2.line(slide, (90, 190), (WIDTH - 90, 190), _QUIET, 2)
    cv2.circle(slide, (150, 350), 56, _ACCENT, -1, cv2.LINE_AA)
    cv2.putText(slide, str(number), (134 if number < 10 else 116, 372), (255, 255, 255), font, 60, 700)
    cv2.putText(slide, point, (250, 370), _INK, font, 46, 500)
    cv2.putText(slide, f"{number} / {count}", (WIDTH - 220, HEIGHT - 70), _QUIET, font, 34, 400)
    return slide


def _arguments(folder: Path, path: Path, seconds: int) -> list[str]:
    bar = f"color=c=0x1860b0:s=48x10:r={FRAME_RATE}:d={seconds}"
    # Two low notes, swelling slowly: enough to hear that the sound works, soft enough for an office.
    sound = f"aevalsrc=0.03*sin(2*PI*110*t)*(1+sin(2*PI*0.1*t))+0.02*sin(2*PI*165*t):s=44100:d={seconds}"
    graph = (
        f"[0:v]fps={FRAME_RATE},format=yuv420p[slides];"
        f"[slides][1:v]overlay=x='(W-w)*t/{seconds}':y=H-24:shortest=1,trim=duration={seconds},format=yuv420p[v]"
    )
    return [
        *("-framerate", f"1/{_SLIDE_SECONDS}", "-start_number", "0", "-f", "image2", "-i", f"{folder}/%04d.png"),
        *("-f", "lavfi", "-i", bar, "-f", "lavfi", "-i", sound),
        *("-filter_complex", graph, "-map", "[v]", "-map", "2:a", "-t", str(seconds)),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-g", str(2 * FRAME_RATE), "-threads", "1"),
        *("-keyint_min", str(2 * FRAME_RATE), "-sc_threshold", "0", "-c:a", "aac", "-b:a", "64k", "-ac", "1"),
        *("-movflags", "+faststart", "-f", "mp4", "-y", f"file:{path}"),
    ]
