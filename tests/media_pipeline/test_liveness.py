"""The signs of life, one by one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from media_pipeline.liveness import find_replay, is_virtual_camera, motion, screen_pattern, unanswered_prompts
from media_pipeline.mesh import Expression
from media_pipeline.verdict import PictureHash, Prompt


def face(
    yaw: float = 0, eyes: float = 0.25, mouth: float = 0.1, cavity: float = 0.0, presence: float = 1.0
) -> Expression:
    return Expression(yaw, 0, 0, eyes, mouth, cavity, presence)


REST = face()
LEFT, RIGHT = face(yaw=20), face(yaw=-20)
SHUT, OPEN = face(eyes=0.1), face(mouth=0.6, cavity=0.5)


@pytest.mark.parametrize(
    ("prompts", "expressions", "unanswered"),
    [
        ([], [], ()),
        ([Prompt.TURN_LEFT], [REST, LEFT], ()),
        ([Prompt.TURN_LEFT], [REST, RIGHT], (0,)),
        ([Prompt.TURN_LEFT], [LEFT, LEFT, LEFT], (0,)),
        ([Prompt.TURN_RIGHT], [REST, RIGHT], ()),
        ([Prompt.BLINK], [REST, SHUT, REST], ()),
        ([Prompt.BLINK], [SHUT, SHUT, SHUT], (0,)),
        ([Prompt.BLINK], [REST, face(eyes=0.2)], (0,)),
        ([Prompt.OPEN_MOUTH], [REST, OPEN], ()),
        ([Prompt.OPEN_MOUTH], [REST, face(mouth=0.1, cavity=0.4)], ()),
        ([Prompt.OPEN_MOUTH], [OPEN, OPEN], (0,)),
        ([Prompt.OPEN_MOUTH], [REST, face(mouth=0.3)], (0,)),
        ([Prompt.BLINK, Prompt.OPEN_MOUTH], [REST, SHUT, REST, OPEN], ()),
        ([Prompt.BLINK, Prompt.OPEN_MOUTH], [REST, OPEN, REST, SHUT], (1,)),
        ([Prompt.BLINK, Prompt.OPEN_MOUTH], [REST, face(eyes=0.1, mouth=0.6), REST], (1,)),
        ([Prompt.BLINK, Prompt.BLINK], [REST, SHUT, REST], (1,)),
        ([Prompt.BLINK, Prompt.BLINK], [REST, SHUT, REST, SHUT], ()),
        ([Prompt.BLINK], [None, REST, None, SHUT], ()),
        ([Prompt.BLINK], [REST, face(eyes=0.1, presence=0.2)], (0,)),
        ([Prompt.BLINK], [SHUT], (0,)),
        ([Prompt.TURN_LEFT, Prompt.BLINK], [], (0, 1)),
    ],
)
def test_a_prompt_asks_for_a_change_in_its_own_frame_and_turn(
    prompts: list[Prompt], expressions: list[Expression | None], unanswered: tuple[int, ...]
) -> None:
    assert unanswered_prompts(prompts, expressions) == unanswered


@pytest.mark.parametrize(
    "label",
    [
        "OBS Virtual Camera",
        "OBS-Camera",
        "ManyCam Virtual Webcam",
        "Dummy video device (0x0000)",
        "v4l2loopback",
        "Snap Camera",
        "DroidCam Source 3",
        "XSplit VCam",
        "e2eSoft iVCam",
        "虚拟摄像头",
    ],
)
def test_known_virtual_cameras_are_told(label: str) -> None:
    assert is_virtual_camera(label)


@pytest.mark.parametrize(
    "label",
    [
        "",
        "Integrated Camera (04f2:b6d9)",
        "FaceTime HD Camera",
        "HD Pro Webcam C920",
        "camera2 1, facing front",
        "USB2.0 VGA UVC WebCam",
        "fake_device_0",
        "前置摄像头",
        "Jobson Camera",
    ],
)
def test_real_cameras_are_left_in_peace(label: str) -> None:
    assert not is_virtual_camera(label)


class TestMotion:
    def test_camera_noise_alone_is_alive(self) -> None:
        chance = np.random.default_rng(0)
        frames = [np.clip(chance.normal(120, 3, (480, 640, 3)), 0, 255).astype(np.uint8) for _ in range(3)]
        assert not motion(frames)[1]

    def test_the_same_pixels_are_not(self) -> None:
        assert motion([np.full((480, 640, 3), 90, np.uint8)] * 3) == (0, True)

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_too_few_frames_say_nothing(self, count: int) -> None:
        assert not motion([np.full((480, 640, 3), 90, np.uint8)] * count)[1]

    def test_one_frame_that_moves_is_enough(self) -> None:
        still = np.full((480, 640, 3), 90, np.uint8)
        assert not motion([still, still, still + 3, still])[1]


class TestReplay:
    ONE = PictureHash("a" * 64, "0" * 64)
    FAR = PictureHash("c" * 64, "f" * 64)

    def test_nothing_earlier_is_nothing(self) -> None:
        assert find_replay([self.ONE], [], 4) is None

    def test_the_same_bytes_are_zero_bits_away(self) -> None:
        assert find_replay([self.FAR, PictureHash("a" * 64, "f" * 64)], [self.ONE], 4) == 0

    @pytest.mark.parametrize(
        ("perceptual", "found"),
        [
            ("7" + "0" * 63, 3),
            ("f" + "0" * 63, 4),
            ("1f" + "0" * 62, None),
            ("1" + "0" * 62 + "2", 1),
            ("1" + "0" * 62 + "9", None),
            ("", None),
        ],
    )
    def test_a_copy_is_alike_and_has_its_face_in_the_same_place(self, perceptual: str, found: int | None) -> None:
        assert find_replay([PictureHash("b" * 64, perceptual)], [self.ONE], 4) == found

    @pytest.mark.parametrize(("copies", "others", "found"), [(1, 0, 0), (2, 2, 0), (2, 3, None), (1, 4, None)])
    def test_half_the_burst_must_look_alike(self, copies: int, others: int, found: int | None) -> None:
        burst = [PictureHash("b" * 64, "0" * 64)] * copies + [self.FAR] * others
        assert find_replay(burst, [self.ONE], 4) == found


def test_a_screen_pattern_is_a_hint_and_a_smooth_wall_none() -> None:
    y, x = np.mgrid[0:480, 0:640]
    wall = np.repeat((100 + x / 8 + y / 12)[:, :, None], 3, axis=2)
    chance = np.random.default_rng(1)
    noisy = np.clip(wall + chance.normal(0, 3, wall.shape), 0, 255).astype(np.uint8)
    lattice = 6 * np.sin(2 * np.pi * x / 3.7) * np.sin(2 * np.pi * y / 4.1)
    screen = np.clip(noisy + lattice[:, :, None], 0, 255).astype(np.uint8)
    assert screen_pattern(noisy) is None
    assert screen_pattern(np.asarray(cv2.GaussianBlur(noisy, (0, 0), 2), np.uint8)) is None
    enlarged = cv2.resize(noisy[::4, ::4], (1280, 960), interpolation=cv2.INTER_CUBIC)
    assert screen_pattern(np.asarray(enlarged, np.uint8)) is None
    assert screen_pattern(screen) is not None
    assert screen_pattern(screen[:100]) is None
