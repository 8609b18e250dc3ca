"""A bundle taken apart, changed and put together again, and what the verifier says of it."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xueji.evidence import bundle as parts
from xueji.evidence.bundle import Bundle
from xueji.evidence.verify import FALLS, verify

Parts = dict[str, bytes]


def unpacked(data: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sealed(content: Parts) -> Parts:
    """With a manifest of what is now in it, as whoever changed it on purpose would write one."""
    listed = {name: hashlib.sha256(data).hexdigest() for name, data in content.items() if name != parts.MANIFEST}
    return {**content, parts.MANIFEST: json.dumps(listed).encode()}


def laid_out(folder: Path, content: Parts) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def judged(folder: Path, content: Parts, **brought: str) -> dict[str, tuple[str, str]]:
    """Verdict and finding by claim, of a bundle put together from parts and sealed again."""
    found = verify(Bundle(laid_out(folder, sealed(content))), **brought)
    return {claim: (verdict, said) for verdict, claim, said in found}


def fallen(verdicts: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {claim: said for claim, (verdict, said) in verdicts.items() if verdict == FALLS}


def edited(content: Parts, name: str, change: Callable[[Any], object]) -> None:
    values = json.loads(content[name])
    change(values)
    content[name] = json.dumps(values, ensure_ascii=False).encode()


def flip(data: bytes, place: int = -1) -> bytes:
    place %= len(data)
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def first(content: Parts, prefix: str) -> str:
    return min(name for name in content if name.startswith(prefix))
