"""Somebody who moves before a camera as people do, and those who only seem to: prints, paint, bent photographs.

Nobody here is a person: a free portrait is turned and bent in memory. Whoever lives sways, and never sits twice alike;
whoever is printed is carried about whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from support.faces import Puppet, add_noise, encode_jpeg

from media_pipeline import strips
from media_pipeline.frames import Pixels
from media_pipeline.verdict import Prompt, Strip

MOMENT_SIZE = (426, 320)
MOMENTS_MS = (-450, -200, 60, 180, 310, 450, 640, 880, 1200, 1700, 2400, 3200)
GAP_S = 4.0
"""From the beginning of one movement to the next."""


@dataclass(frozen=True)
class Answer:
    """What the page sends for one check."""

    frames: list[bytes]
    movements: list[Strip]


Scene = Callable[[float, Prompt | None, float], Pixels]
"""What the camera sees at a time (s): while this prompt stands (None: at rest), so long (s) after it began."""


def answer(
    scene: Scene,
    prompts: Sequence[Prompt],
    *,
    rate: float = 15.0,
    noise: float = 2.0,
    seed: int = 0,
    late_s: float = 0.0,
    moments_ms: Sequence[int] = MOMENTS_MS,
) -> Answer:
    """As the page takes it: two frames at rest, then a strip for each movement.

    ``rate`` is the camera's, in pictures a second; ``late_s`` how long after the movement began the page saw it.
    """
    random = np.random.default_rng(seed)

    def at(time: float, prompt: Prompt | None, since: float) -> Pixels:
        # A slow camera shows the picture before.
        lag = (time * rate) % 1 / rate
        return add_noise(scene(time - lag, prompt, since - lag), noise, random)

    start = float(random.uniform(0, 60))
    frames = [encode_jpeg(at(start + wait, None, -9.0), 85) for wait in (0.0, 0.3)]
    movements = []
    for place, prompt in enumerate(prompts):
        began = start + 2.0 + GAP_S * place
        moments = [
            np.asarray(
                cv2.resize(
                    at(began + late_s + ms / 1000, prompt, late_s + ms / 1000),
                    MOMENT_SIZE,
                    interpolation=cv2.INTER_AREA,
                ),
                np.uint8,
            )
            for ms in moments_ms
        ]
        movements.append(Strip(encode_jpeg(strips.lay(moments), 80), tuple(moments_ms)))
    return Answer(frames, movements)


@dataclass(frozen=True)
class Living:
    """A person: sways, and follows a prompt slowly or quickly. ``growth_s``: from rest to the end of a movement."""

    puppet: Puppet
    growth_s: float = 0.6
    far: float = 1.0
    seed: int = 0

    def __call__(self, time: float, prompt: Prompt | None, since: float) -> Pixels:
        amount = min(1.0, max(0.0, since / self.growth_s))
        yaw, pitch, aside, down, light = self.sway(time)
        puppet = self.puppet
        if prompt is Prompt.BLINK and amount > 0:
            puppet = replace(puppet, picture=puppet.blinking(amount))
        elif prompt is Prompt.OPEN_MOUTH and amount > 0.1:
            puppet = replace(puppet, picture=puppet.with_open_mouth(0.4 * amount * self.far))
        elif prompt is Prompt.TURN_LEFT:
            yaw += 26 * amount * self.far
        elif prompt is Prompt.TURN_RIGHT:
            yaw -= 30 * amount * self.far
        way = (prompt is Prompt.TILT_LEFT) - (prompt is Prompt.TILT_RIGHT)
        tilted = 22 * amount * self.far * way
        picture = puppet.posed(yaw, pitch, (aside, down), tilted)
        return np.asarray(np.clip(picture * light, 0, 255), np.uint8)

    def sway(self, time: float) -> tuple[float, float, float, float, float]:
        """Yaw and pitch in degrees, the head's shift in pixels, the light: slow, and never twice the same."""
        phase = np.random.default_rng(self.seed).uniform(0, 2 * math.pi, 10)
        slow = [
            math.sin(time * (0.31 + 0.17 * n) + phase[n]) + 0.5 * math.sin(time * (0.9 + 0.23 * n) + phase[n + 5])
            for n in range(5)
        ]
        return 3.0 * slow[0], 2.5 * slow[1], 6.0 * slow[2], 4.0 * slow[3], 1 + 0.03 * slow[4]


@dataclass(frozen=True)
class Printed:
    """Pictures carried before the camera: ``show`` says which one answers a prompt, the first is shown at rest.

    Moved, tilted, scaled and relit at random from one moment to the next, as a script does that wants to look alive.
    """

    rest: Pixels
    acts: dict[Prompt, Callable[[float], Pixels]]
    growth_s: float = 0.0
    seed: int = 0
    shake: float = 1.0

    def __call__(self, time: float, prompt: Prompt | None, since: float) -> Pixels:
        picture = self.rest
        if prompt is not None and since > 0 and prompt in self.acts:
            picture = self.acts[prompt](min(1.0, since / self.growth_s) if self.growth_s else 1.0)
        random = np.random.default_rng((self.seed, int(time * 1000)))
        height, width = picture.shape[:2]
        angle, size = self.shake * random.uniform(-2, 2), 1 + self.shake * random.uniform(0.0, 0.08)
        there = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), angle, size), np.float64)
        there[:, 2] += self.shake * random.uniform(-12, 12, 2)
        moved = cv2.warpAffine(picture, there, (width, height), borderMode=cv2.BORDER_REPLICATE)
        lit = moved * (1 + self.shake * random.uniform(-0.1, 0.1)) + self.shake * random.uniform(-8, 8)
        return np.asarray(np.clip(lit, 0, 255), np.uint8)


def painted(puppet: Puppet) -> dict[Prompt, Callable[[float], Pixels]]:
    """Lids of skin colour over the eyes, a dark dot on the mouth."""

    def dot(amount: float) -> Pixels:
        picture = puppet.picture.copy()
        width = float(np.linalg.norm(puppet.points[78] - puppet.points[308]))
        x, y = puppet.points[[13, 14], :2].mean(axis=0)
        reach = (int(width * 0.3 * amount) + 1, int(width * 0.34 * amount) + 1)
        cv2.ellipse(picture, (int(x), int(y + 0.2 * width)), reach, 0, 0, 360, (20, 15, 25), -1)
        return picture

    return {Prompt.BLINK: puppet.blinking, Prompt.OPEN_MOUTH: dot}


@dataclass(frozen=True)
class Filmed:
    """A film of somebody alive at rest, over which ``acts`` are painted: no two moments of it are one picture."""

    living: Living
    acts: dict[Prompt, Callable[[float], Pixels]]
    growth_s: float = 0.6

    def __call__(self, time: float, prompt: Prompt | None, since: float) -> Pixels:
        living = self.living
        if prompt is not None and since > 0 and prompt in self.acts:
            picture = self.acts[prompt](min(1.0, since / self.growth_s))
            living = replace(living, puppet=replace(living.puppet, picture=picture))
        return living(time, None, -9.0)


def at_once(living: Living, turn: float, tilted: float = 0.0) -> Scene:
    """A film of her in which, at each movement, she turns and tilts her head, shuts her eyes and opens her mouth."""

    def scene(time: float, prompt: Prompt | None, since: float) -> Pixels:
        amount = min(1.0, max(0.0, since / living.growth_s)) if prompt is not None else 0.0
        puppet = living.puppet
        if amount > 0.1:
            puppet = replace(puppet, picture=puppet.blinking(amount))
            puppet = replace(puppet, picture=puppet.with_open_mouth(0.4 * amount))
        yaw, pitch, aside, down, light = living.sway(time)
        picture = puppet.posed(yaw + turn * amount, pitch, (aside, down), tilted * amount)
        return np.asarray(np.clip(picture * light, 0, 255), np.uint8)

    return scene


def bent(puppet: Puppet) -> dict[Prompt, Callable[[float], Pixels]]:
    """One photograph, stretched after a mesh that makes every movement, slowly."""
    return {
        Prompt.TURN_LEFT: lambda amount: puppet.turned(26 * amount),
        Prompt.TURN_RIGHT: lambda amount: puppet.turned(-30 * amount),
        Prompt.TILT_LEFT: lambda amount: puppet.posed(0, 0, tilted=22 * amount),
        Prompt.TILT_RIGHT: lambda amount: puppet.posed(0, 0, tilted=-22 * amount),
        Prompt.BLINK: puppet.blinking,
        Prompt.OPEN_MOUTH: lambda amount: puppet.with_open_mouth(0.4 * amount) if amount > 0.1 else puppet.picture,
    }


def ends_only(acts: dict[Prompt, Callable[[float], Pixels]]) -> dict[Prompt, Callable[[float], Pixels]]:
    """A stack of prints: each movement as its end alone."""

    def shown(picture: Pixels) -> Callable[[float], Pixels]:
        return lambda _amount: picture

    return {prompt: shown(act(1.0)) for prompt, act in acts.items()}
