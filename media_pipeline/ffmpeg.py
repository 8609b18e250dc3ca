"""Run ffmpeg as a program: confined to local files, on few threads, within a time, killed when no longer wanted."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

# Containers that hold a film by themselves. Playlists (HLS, DASH, concat) are left out on purpose: they make ffmpeg
# open whatever other file they name.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,live_flv,asf,ogg,mp3,aac,wav,flac,gif,"
    "h264,hevc,m4v,mpegvideo,dv,mxf,rm,dhav,wtv,ivf"
)
_POLL_SECONDS = 0.25
# Only at a line's beginning: a film's own title may say "[error]" too.
_ERROR_LINE = re.compile(r"(\[[^\]]* @ [^\]]*\] )?\[(error|fatal)\]")
_KEPT_LINES = 400


class FilmCancelled(Exception):
    """The work was called off and ffmpeg was killed."""


class FfmpegTimeout(RuntimeError):
    """ffmpeg took longer than it was given and was killed."""


@dataclass(frozen=True)
class Finished:
    """How a run ended: the exit status and the last lines that it wrote to standard error."""

    status: int
    messages: tuple[str, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """The lines that ffmpeg itself calls errors."""
        return tuple(line for line in self.messages if _ERROR_LINE.match(line))


def executable() -> str:
    """The ffmpeg program that comes inside the package. Raises ``RuntimeError`` when there is none."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def confined(path: str) -> list[str]:
    """Options that open ``path`` as a film in one local file and as nothing else."""
    # "file:" so that a name can never be read as an option or as another protocol. A recorder's sound may begin late in
    # the file, so more of it is read for the list of streams than is usual.
    # Only times that go back are a joint: silence of some seconds is silence.
    looked_at = ["-analyzeduration", "20000000", "-probesize", "20000000", "-dts_delta_threshold", "36000"]
    return [*looked_at, "-protocol_whitelist", "file", "-format_whitelist", CONTAINERS, "-i", f"file:{path}"]


def run(
    arguments: Sequence[str],
    *,
    timeout: timedelta,
    on_line: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    cwd: str | os.PathLike[str] | None = None,
) -> Finished:
    """Run ffmpeg with ``arguments`` and hand every line of its standard output to ``on_line``.

    ``cancelled`` is asked a few times a second. Whatever ends the run, no process stays behind. Raises
    ``FilmCancelled`` and ``FfmpegTimeout``; a failed run is the caller's to judge by ``status``.
    """
    command = [executable(), "-hide_banner", "-nostdin", "-loglevel", "level+info", *arguments]
    deadline = time.monotonic() + timeout.total_seconds()
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages, start_new_session=True, cwd=cwd
        )
        try:
            _follow(process, deadline, on_line, cancelled)
        finally:
            _kill(process)
        messages.seek(0)
        lines = messages.read().decode("utf-8", "replace").splitlines()
    if len(lines) > 2 * _KEPT_LINES:
        lines = lines[:_KEPT_LINES] + lines[-_KEPT_LINES:]
    return Finished(process.returncode, tuple(lines))


def _follow(
    process: subprocess.Popen[bytes],
    deadline: float,
    on_line: Callable[[str], None] | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    """Read standard output to its end, with an eye on the clock and on the caller."""
    assert process.stdout is not None
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if cancelled is not None and cancelled():
                raise FilmCancelled
            if time.monotonic() > deadline:
                raise FfmpegTimeout("ffmpeg did not finish in time")
            if not selector.select(_POLL_SECONDS):
                continue
            block = os.read(process.stdout.fileno(), 1 << 16)
            if not block:
                break
            *lines, rest = (rest + block).split(b"\n")
            if on_line is not None:
                for line in lines:
                    on_line(line.decode("utf-8", "replace"))
    while process.poll() is None:
        if cancelled is not None and cancelled():
            raise FilmCancelled
        if time.monotonic() > deadline:
            raise FfmpegTimeout("ffmpeg did not finish in time")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_POLL_SECONDS)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
