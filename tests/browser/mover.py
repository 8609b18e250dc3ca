"""Somebody before the camera who can read: makes the movement that the page asks for, as slowly as people do.

A file that plays as a webcam knows no prompts. So the page's camera is a drawing here: pictures of the person of these
tests at rest and along each movement, shown by a script that looks at what the check asks for.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from playwright.sync_api import Page
from support.faces import Puppet, encode_jpeg

from media_pipeline.frames import Pixels
from media_pipeline.verdict import Prompt

STAGES = 6
"""Pictures from rest to the end of a movement."""
REST = 80
"""Pictures of somebody who sits still as people do: each near to the next, and seconds later somewhere else."""
REST_MS = 450
"""How long each of them is seen: she comes back to where she was after 36 seconds, which is longer than a check."""
TIMES = ((-4, 3), (4, -3), (0, 0))
"""How she holds her head (degrees) when she makes a movement for the first, second, third time: never twice alike."""

_SCRIPT = """
(() => {
    const { rest, restful, acts, rate, growth, reaction } = SETTINGS;
    const open = (data) => { const image = new Image(); image.src = 'data:image/jpeg;base64,' + data; return image; };
    const still = rest.map(open);
    const moving = Object.fromEntries(
        Object.entries(acts).map(([name, times]) => [name, times.map((all) => all.map(open))]),
    );
    let asked = null, since = 0, time = 0, aside = [0, 0];
    const draw = (pen, width, height) => {
        const scene = document.querySelector('.check-scene.is-asking');
        const prompt = Object.keys(moving).find((name) => scene?.classList.contains('asks-' + name)) ?? null;
        const now = performance.now();
        if (prompt !== asked) {
            asked = prompt;
            since = now;
            if (prompt !== null) {
                const before = Number(localStorage.getItem('made-' + prompt) ?? 0);
                localStorage.setItem('made-' + prompt, String(before + 1));
                time = before % moving[prompt].length;
            }
        }
        const begun = now - since - reaction;
        let image = still[Math.floor(now / restful) % still.length];
        if (prompt !== null && begun > 0) {
            const all = moving[prompt][time];
            // However slow somebody is, her lids are shut within a second.
            const lasts = prompt === 'blink' ? Math.min(growth, 1000) : growth;
            image = all[Math.min(all.length - 1, Math.floor((begun / lasts) * all.length))];
        }
        // A head sways, and a camera has noise.
        const sway = [3 * Math.sin(now / 1700), 2 * Math.sin(now / 2300 + 1)];
        pen.drawImage(image, aside[0] + sway[0], aside[1] + sway[1], width, height);
        pen.globalAlpha = 0.035;
        for (let dot = 0; dot < 300; dot += 1) {
            pen.fillStyle = Math.random() < 0.5 ? '#000' : '#fff';
            pen.fillRect(Math.random() * width, Math.random() * height, 9, 7);
        }
        pen.globalAlpha = 1;
    };
    navigator.mediaDevices.getUserMedia = async () => {
        // Nobody sits twice in the very same place: pictures that show so are taken for old ones.
        aside = [(Math.random() - 0.5) * 160, (Math.random() - 0.5) * 50];
        const canvas = document.createElement('canvas');
        canvas.width = 640;
        canvas.height = 480;
        const pen = canvas.getContext('2d');
        await Promise.all([...still, ...Object.values(moving).flat(2)].map((image) => image.decode()));
        draw(pen, 640, 480);
        const stream = canvas.captureStream(rate);
        const timer = setInterval(() => draw(pen, 640, 480), 1000 / rate);
        stream.getVideoTracks()[0].addEventListener('ended', () => clearInterval(timer));
        return stream;
    };
})();
"""


@cache
def _pictures(folder: Path) -> str:
    return (folder / "mover.json").read_text("utf-8")


def prepare(folder: Path, person: Puppet) -> None:
    """Draw her once a run."""
    if (folder / "mover.json").exists():
        return
    rest = [_encode(person.posed(*_sway(place / REST))) for place in range(REST)]
    acts = {
        prompt.value: [[_encode(picture) for picture in _stages(person, prompt, *pose)] for pose in TIMES]
        for prompt in Prompt
    }
    made = json.dumps({"rest": rest, "acts": acts})
    (folder / "mover.json").write_text(made, "utf-8")


def _sway(round_: float) -> tuple[float, float, tuple[float, float]]:
    """Turned and lowered (degrees), moved (pixels): once around, and never twice in the same place on the way.

    A drawn face that turns a little is still nearly the same picture. What shows that somebody alive sits there is
    that the head moves before what is behind it, and that it is in no place twice.
    """
    once, twice, thrice = (2 * math.pi * times * round_ for times in (1, 2, 3))
    turned = 3.5 * math.sin(twice) + 1.5 * math.sin(thrice + 1)
    lowered = 3.5 * math.cos(thrice) + 1.5 * math.sin(twice + 2)
    return turned, lowered, (14 * math.sin(once), 9 * math.cos(once + 0.7 * math.sin(once)))


def _stages(person: Puppet, prompt: Prompt, yaw: float, pitch: float) -> Sequence[Pixels]:
    """From rest to the end of a movement, her head held so all the while."""
    stages = []
    for stage in range(1, STAGES + 1):
        amount = stage / STAGES
        puppet, turn, tilt = person, 0.0, 0.0
        if prompt is Prompt.BLINK:
            puppet = replace(person, picture=person.blinking(amount))
        elif prompt is Prompt.OPEN_MOUTH:
            puppet = replace(person, picture=person.with_open_mouth(0.4 * amount))
        elif prompt in (Prompt.TURN_LEFT, Prompt.TURN_RIGHT):
            turn = 26 * amount if prompt is Prompt.TURN_LEFT else -30 * amount
        else:
            tilt = 20 * amount if prompt is Prompt.TILT_LEFT else -20 * amount
        stages.append(puppet.posed(yaw + turn, pitch, tilted=tilt))
    return stages


def stand_before(page: Page, folder: Path, *, rate: int = 15, growth_ms: int = 700, reaction_ms: int = 900) -> None:
    """From the next page on she is what its camera sees: ``rate`` pictures a second, ``growth_ms`` for a movement."""
    pictures = json.loads(_pictures(folder))
    settings = {**pictures, "restful": REST_MS, "rate": rate, "growth": growth_ms, "reaction": reaction_ms}
    page.add_init_script(_SCRIPT.replace("SETTINGS", json.dumps(settings)))


def _encode(picture: Pixels) -> str:
    return base64.b64encode(encode_jpeg(picture, 90)).decode()
