"""What a face check costs beside the naive way, how much memory it takes, and how long it keeps others waiting.

    python -m bench.faces            a table
    python -m bench.faces --json     the same as JSON

Ratios are taken within one run on one machine. The picture is a free portrait that a test dependency carries.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from bench import judging
from bench.row import Row
from media_pipeline import strips
from media_pipeline.alignment import FACE_SIDE
from media_pipeline.descriptors import compare
from media_pipeline.engine import Engine, Search
from media_pipeline.frames import Pixels, decode
from media_pipeline.judge import judge
from media_pipeline.selftest import TOLERANCE, descriptor_by_opencv
from media_pipeline.verdict import JudgeSettings, Prompt, Strip

ROUNDS = 15
SECOND_FACES = 120
TICK_SECONDS = 0.0005
CHECKS = 10
LARGEST = 4480
MOMENT_SIZE = (426, 320)
MOMENTS_MS = (-450, -200, 60, 180, 310, 450, 640, 880, 1200, 1700, 2400, 3200)
"""Of a strip: when its moments are taken, in ms since the movement began; the most that are drawn."""


def portrait() -> Pixels:
    """A 640x480 frame with one face of some 117 pixels."""
    from skimage import data

    picture = cv2.cvtColor(data.astronaut()[:384, :512], cv2.COLOR_RGB2BGR)  # type: ignore[no-untyped-call]
    return np.asarray(cv2.resize(picture, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)


def run() -> list[Row]:
    """Measure everything; takes about half a minute."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder))
        frame = portrait()
        data = _jpeg(frame)
        return [
            *_costs(engine, data),
            _distance_to_opencv(engine, frame),
            _second_faces(engine, frame),
            _held(engine, data),
            *worker_memory(frame),
        ]


def _processor_ms(work: Callable[[], object], rounds: int) -> float:
    """The median processor time of ``work`` in milliseconds."""
    work()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return float(np.median(times)) * 1000


def _costs(engine: Engine, data: bytes) -> list[Row]:
    import face_recognition

    reference = engine.describe(decode(data), engine.find_faces(decode(data))[0])

    def naive() -> None:
        rgb = np.ascontiguousarray(decode(data)[:, :, ::-1])
        places = face_recognition.face_locations(rgb)
        encodings = face_recognition.face_encodings(rgb, places)
        face_recognition.compare_faces([reference], encodings[0])

    def ours(everyone: bool) -> Callable[[], object]:
        settings = JudgeSettings(everyone=everyone)
        return lambda: judge([data], references=[reference], settings=settings, engine=engine)

    def burst() -> None:
        prompts = (Prompt.TURN_LEFT, Prompt.BLINK)
        judge(frames, references=[reference], prompts=prompts, engine=engine)

    def challenge() -> None:
        prompts = tuple(Prompt(name) for name in judging.PROMPTS)
        judge(sent.frames, references=[reference], prompts=prompts, movements=sent.movements, engine=engine)

    frames, sent = _burst(decode(data), 0), _answer(decode(data), 0)
    naive_ms = _processor_ms(naive, max(5, ROUNDS // 2))
    burst_ms = _processor_ms(burst, max(5, ROUNDS // 2))
    challenge_ms = _processor_ms(challenge, max(5, ROUNDS // 2))
    everyone_ms = _processor_ms(ours(True), ROUNDS)
    nearest_ms = _processor_ms(ours(False), ROUNDS)
    return [
        Row("face_recognition, full frame", naive_ms, "ms CPU", None, None),
        Row("verdict, looking for everyone", everyone_ms, "ms CPU", None, None),
        Row("verdict, nearest face only", nearest_ms, "ms CPU", None, None),
        Row("verdict on five frames, two prompts", burst_ms, "ms CPU", None, None),
        Row("verdict on three frames, two movements", challenge_ms, "ms CPU", None, None),
        Row(
            "of that, in verdicts on five frames",
            challenge_ms / burst_ms,
            "times",
            "<= 3",
            challenge_ms <= 3 * burst_ms,
        ),
        Row("bytes of three frames, two movements", sent.size / 1000, "kB", None, None),
        Row("bytes of five frames", sum(map(len, frames)) / 1000, "kB", None, None),
        Row("faster, five frames, two prompts", 5 * naive_ms / burst_ms, "times", ">= 8", 5 * naive_ms / burst_ms >= 8),
        Row("faster, looking for everyone", naive_ms / everyone_ms, "times", ">= 6", naive_ms / everyone_ms >= 6),
        Row("faster, nearest face only", naive_ms / nearest_ms, "times", ">= 8", naive_ms / nearest_ms >= 8),
    ]


def _distance_to_opencv(engine: Engine, frame: Pixels) -> Row:
    """The largest distance between our descriptor and OpenCV's, from the same file, over several cut-outs."""
    chips = [frame[shift : shift + FACE_SIDE, 150 + shift : 150 + shift + FACE_SIDE] for shift in range(0, 200, 40)]
    apart = max(compare(engine.describe_cut_out(chip), descriptor_by_opencv(chip)) for chip in chips)
    return Row("descriptor, distance to OpenCV's", apart, "", "<= 1e-4", apart <= TOLERANCE)


def _second_faces(engine: Engine, frame: Pixels) -> Row:
    """How often a second face of 60 pixels is found, anywhere beside the first, in changing light."""
    face = engine.find_faces(frame)[0]
    margin = face.side * 0.5
    top, left = round(face.top - margin), round(face.left - margin)
    head = frame[max(0, top) : round(face.top + face.side + margin), left : round(face.left + face.side + margin)]
    scale = 60 / face.side
    small = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    random = np.random.default_rng(7)
    found = 0
    for _ in range(SECOND_FACES):
        crowd = frame.copy()
        side = random.integers(2)
        x = int(random.integers(0, left - width)) if side else int(random.integers(left + head.shape[1], 640 - width))
        y = int(random.integers(0, 480 - height))
        light = random.uniform(0.5, 1.2)
        crowd[y : y + height, x : x + width] = np.clip(small[:, :: -1 if random.integers(2) else 1] * light, 0, 255)
        crowd = np.clip(crowd + random.normal(0, 4, crowd.shape), 0, 255).astype(np.uint8)
        faces = engine.find_faces(decode(cv2.imencode(".jpg", crowd)[1].tobytes()), Search.EVERYONE)
        centre = (x + width / 2, y + height / 2)
        found += any(np.hypot(one.centre[0] - centre[0], one.centre[1] - centre[1]) < 30 for one in faces)
    share = found / SECOND_FACES
    return Row("second face of 60 pixels found", 100 * share, "% of frames", ">= 95", share >= 0.95)


def _held(engine: Engine, data: bytes) -> Row:
    """The longest time that a ticking thread is kept from running while verdicts are given."""
    reference = engine.describe(decode(data), engine.find_faces(decode(data))[0])
    done = threading.Event()
    gaps: list[float] = []

    def tick() -> None:
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(TICK_SECONDS)
            now = time.perf_counter()
            gaps.append(now - last - TICK_SECONDS)
            last = now

    def longest(work: Callable[[], object]) -> float:
        """The typical longest gap of a round: one round in which the machine itself stalled is not ours."""
        peaks = []
        for _ in range(ROUNDS):
            gaps.clear()
            work()
            peaks.append(max(gaps, default=0.0))
        return float(np.median(peaks)) * 1000

    ticking = threading.Thread(target=tick)
    ticking.start()
    try:
        held = longest(lambda: judge([data], references=[reference], engine=engine))
    finally:
        done.set()
        ticking.join()
    return Row("other threads kept waiting, longest", held, "ms", "<= 10", held <= 10)


def worker_memory(frame: Pixels) -> list[Row]:
    """What a worker process holds when it has judged 50 pictures, some of them large, and the most it ever held."""
    with tempfile.TemporaryDirectory() as folder:
        held = judging.measure(Path(folder), _jpeg(_enlarged(frame, 1280)), [_answer(frame, n) for n in range(CHECKS)])
    return [
        Row("worker's memory", held.after, "MiB", "<= 240", held.after <= 240),
        Row("worker's memory, highest", held.highest, "MiB", None, None),
    ]


def _burst(frame: Pixels, number: int) -> list[bytes]:
    """Five pictures of one check, none like another: from a webcam, in every third check as wide as a film, and in
    the last two as large as the largest that are taken in."""
    random = np.random.default_rng(number)
    noisy = [np.clip(frame + random.normal(0, 2, frame.shape), 0, 255).astype(np.uint8) for _ in range(5)]
    if number >= CHECKS - 2:
        noisy = [*noisy[:3], *(_enlarged(each, LARGEST) for each in noisy[3:])]
    elif number % 3 == 2:
        noisy = [_enlarged(each, 1920) for each in noisy]
    return [_jpeg(each) for each in noisy]


def _answer(frame: Pixels, number: int) -> judging.Answer:
    """What the page sends for a check: three frames, as large as in ``_burst``, and two strips of twelve moments.

    Nobody moves in them: reading costs the same.
    """
    random = np.random.default_rng(1000 + number)
    small = cv2.resize(frame, MOMENT_SIZE, interpolation=cv2.INTER_AREA)

    def strip() -> Strip:
        moments = [np.clip(small + random.normal(0, 2, small.shape), 0, 255).astype(np.uint8) for _ in MOMENTS_MS]
        return Strip(_jpeg(strips.lay(moments), 80), MOMENTS_MS)

    return judging.Answer(_burst(frame, number)[-3:], [strip(), strip()])


def _enlarged(picture: Pixels, width: int) -> Pixels:
    height = width * picture.shape[0] // picture.shape[1]
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _jpeg(picture: Pixels, quality: int = 90) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def main() -> None:
    rows = run()
    if "--json" in sys.argv[1:]:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        mark = {True: "reached", False: "MISSED", None: ""}[row.reached]
        print(f"{row.name:40} {row.value:12.6g} {row.unit:12} {row.limit or '':8} {mark}")


if __name__ == "__main__":
    main()
