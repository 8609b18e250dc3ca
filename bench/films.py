"""What making a film costs beside ffmpeg's own command, and what large bodies leave behind in the web process.

    python -m bench films

A ratio is of processor time within this run: other work on the machine slows both alike.
"""

from __future__ import annotations

import os
import resource
import tempfile
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from bench.attacks import upload
from bench.beats import family, serving
from bench.learners import make
from bench.row import Row
from media_pipeline import ffmpeg
from media_pipeline.hls import package_film

SECONDS = 30
LEAST_SPEED = 0.9
BODY_BYTES = 30 * 1024 * 1024
SENDERS, ROUNDS = 4, 3
MOST_MIB = 250


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        return [*_films(Path(name)), *_bodies(Path(name))]


def _films(folder: Path) -> list[Row]:
    """A moving picture of 1080 lines made into two sizes, and one of 720 lines whose pictures are copied."""
    rows = []
    for name, size, filters, maps in (
        ("1080p, both sizes made", "1920x1080", "[0:v]split[a][b];[a]scale=1280:720[v];[b]scale=640:360[w]", "[v]"),
        ("720p, one size copied", "1280x720", "[0:v]scale=640:360[w]", "0:v"),
    ):
        source = folder / f"{size}.mp4"
        _source(source, size)
        bare = _cpu_seconds(partial(_bare, source, folder, filters, maps))
        ours = _cpu_seconds(partial(package_film, source, folder / "made"))
        rows += [
            Row(f"{name}, ffmpeg alone", bare / SECONDS * 1000, "ms of a second's film"),
            Row(f"{name}, of ffmpeg's speed", bare / ours, "times", f">= {LEAST_SPEED:g}", bare / ours >= LEAST_SPEED),
        ]
    return rows


def _source(path: Path, size: str) -> None:
    """ffmpeg's second test picture: something moves everywhere."""
    picture = f"testsrc2=s={size}:r=25"
    options = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "50", "-c:a", "aac"]
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "anoisesrc=c=pink:a=0.2:r=48000"]
    finished = ffmpeg.run([*inputs, "-t", str(SECONDS), *options, str(path)], timeout=timedelta(minutes=10))
    assert finished.status == 0, finished.errors


def _bare(source: Path, folder: Path, filters: str, first: str) -> None:
    """The command that a person would write for the same two sizes: nothing is looked at, nothing is checked."""
    copied = first == "0:v"
    arguments = ["-threads", "1", "-i", str(source), "-filter_complex_threads", "1", "-filter_complex", filters]
    arguments += ["-map", first, "-map", "[w]", "-map", "0:a", "-map", "0:a", "-c:v", "libx264", "-preset", "veryfast"]
    arguments += ["-threads", "1", "-sc_threshold", "0"]
    arguments += ["-c:v:0", "copy"] if copied else ["-crf:v:0", "23", "-maxrate:v:0", "2.5M", "-bufsize:v:0", "5M"]
    arguments += ["-profile:v:1", "main", "-crf:v:1", "24", "-maxrate:v:1", "700k", "-bufsize:v:1", "1.4M"]
    arguments += ["-force_key_frames:v", "source" if copied else "expr:gte(t,n_forced*2)"]
    arguments += ["-c:a", "aac", "-ac", "2", "-b:a:0", "128k", "-b:a:1", "64k", "-f", "hls", "-hls_time", "4"]
    arguments += ["-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", "-var_stream_map", "v:0,a:0 v:1,a:1"]
    finished = ffmpeg.run([*arguments, "-y", str(folder / "bare%v.m3u8")], timeout=timedelta(minutes=10))
    assert finished.status == 0, finished.errors


def _cpu_seconds(act: Callable[[], object]) -> float:
    """Of this process and of the children that ended meanwhile."""
    before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    act()
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(before, after, strict=True))


def _bodies(folder: Path) -> list[Row]:
    """Photos of 30 MiB that are none, sent by several people at once, and then again."""
    data = folder / "data"
    learners = make(data, "", SENDERS, 0)
    environment = {"XUEJI_DATA": str(data), "XUEJI_BROKER_URL": "memory://"}
    photo = os.urandom(BODY_BYTES)
    with serving("wsgi:app", environment, sequencer=False, sockets=True) as server:
        quiet = _largest_mib(server.web.pid)
        for _ in range(ROUNDS):
            threads = [threading.Thread(target=upload, args=(server.port, learner, photo)) for learner in learners]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        after = _largest_mib(server.web.pid)
    return [
        Row("web process before large bodies", quiet, "MiB"),
        Row(
            f"web process after {SENDERS * ROUNDS} bodies of 30 MiB", after, "MiB", f"<= {MOST_MIB}", after <= MOST_MIB
        ),
    ]


def _largest_mib(pid: int) -> float:
    """The memory of the largest of the web server's processes."""
    return max(_mib(process) for process in family(pid))


def _mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
