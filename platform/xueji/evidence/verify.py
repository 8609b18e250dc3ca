"""The offline verifier: reads an evidence bundle and prints one line for each claim it makes.

It needs nothing but Python's standard library and this package's pure modules, copies of which lie in every bundle.
Exit status 0 when every claim that could be checked holds, 1 when one does not.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, Tuple

from xueji.evidence import bundle as parts
from xueji.evidence.bundle import Bundle, BundleError
from xueji.evidence.claims import content, files, log, rooms, subject
from xueji.evidence.claims.reading import ClaimContext, Refuted, Unanswered, utc
from xueji.evidence.program import digest, program

Claim = Callable[[ClaimContext], str]
Found = Tuple[str, str, str]
"""Verdict, claim, and what was found."""

CLAIMS: tuple[tuple[str, str, Claim], ...] = (
    ("files", "文件齐全", files.files),
    ("leaves", "记录完好", log.leaves),
    ("signatures", "签名有效", log.signatures),
    ("inclusion", "收录在案", log.inclusion),
    ("consistency", "只增不改", log.consistency),
    ("chain", "前后连续", log.chain),
    ("times", "时间相符", log.times),
    ("outside", "外部时间", log.outside),
    ("hours", "学时重算", content.hours),
    ("openings", "承诺相符", content.openings),
    ("subject", "人与班级", subject.subject),
    ("rooms", "线下出勤", rooms.rooms),
    ("references", "底照出处", content.references),
    ("pictures", "照片相符", content.pictures),
    ("verifier", "核验程序", files.verifier),
)
"""In this order, since later ones use what earlier ones read."""

HOLDS, FALLS, UNANSWERED = "ok  ", "FAIL", "--  "
UNFORESEEN = "the program stumbled over it, which it should not"
LONGEST_LINE = 600


def verify(bundle: Bundle, *, policy: str | None = None, held: str | None = None) -> list[Found]:
    """One finding for each claim. ``policy``, ``held``: texts the auditor brought along."""
    return _judge(ClaimContext(bundle, policy, held))


def _judge(reading: ClaimContext) -> list[Found]:
    found = []
    for name, _, claim in CLAIMS:
        verdict, said = _judged(claim, reading)
        found.append((verdict, name, said))
    return found


def _judged(claim: Claim, reading: ClaimContext) -> tuple[str, str]:
    """Verdict and finding. Here, and nowhere else, what cannot be read becomes a claim that falls.

    What no claim foresaw is a fault of this program: the claim falls too, for it was not shown, and the place is told.
    """
    try:
        return HOLDS, claim(reading)
    except Unanswered as nothing:
        return UNANSWERED, str(nothing)
    except (Refuted, BundleError) as refutation:
        return FALLS, str(refutation)
    except Exception as fault:
        place = traceback.extract_tb(fault.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        return FALLS, f"{UNFORESEEN}: {type(fault).__name__} in {where}: {fault}"


def main(arguments: Sequence[str] | None = None, *, default: Path | None = None) -> int:
    """``verify.py BUNDLE [--policy FILE] [--checkpoint FILE]``; ``default`` stands in for a bundle not named."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console that cannot show a character shows another
    parser = argparse.ArgumentParser(prog="verify", description="Check a Xueji evidence bundle. 验证学迹证据包。")
    parser.add_argument(
        "bundle",
        type=Path,
        nargs="?" if default else None,
        default=default,
        help="the zip, or the folder it was extracted to 证据包",
    )
    parser.add_argument("--policy", type=Path, help="a policy.json you hold yourself 您自己保存的公钥清单")
    parser.add_argument("--checkpoint", type=Path, help="a checkpoint you hold yourself 您自己保存的检查点")
    given = parser.parse_args(arguments)
    try:
        policy = _yours(given.policy) if given.policy else None
        held = _yours(given.checkpoint) if given.checkpoint else None
    except (OSError, ValueError) as error:
        _say(f"{FALLS} yours 您的文件: what you hold cannot be read: {error}")
        return 1
    try:
        bundle = Bundle(given.bundle)
    except BundleError as error:
        found = [(FALLS, "files", str(error))]
        found += [(UNANSWERED, name, "there is no bundle to look into") for name, _, _ in CLAIMS[1:]]
        return _report(found, [])
    reading = ClaimContext(bundle, policy, held)
    found = _judge(reading)
    whose, keys = _keys(bundle, policy)
    remarks = [f"keys 公钥: {whose}{keys and f', sha256 {keys}'}", f"program 核验程序: sha256 {digest(program())}"]
    return _report(found, remarks, f"; by keys 所依公钥 {keys[:16]}, {whose}{_as_of(reading)}")


def _yours(file: Path) -> str:
    """A text that the auditor kept, whatever an editor or a mail made of its line ends. Raises OSError, ValueError."""
    with file.open("rb") as opened:
        data = opened.read(parts.LARGEST_PART + 1)
    if len(data) > parts.LARGEST_PART:
        raise ValueError(f"{file} is larger than {parts.LARGEST_PART} bytes")
    return data.decode("utf-8-sig").replace("\r\n", "\n")


def _as_of(reading: ClaimContext) -> str:
    """Until when the bundle speaks, and who outside can say that its log is the one others see."""
    if not reading.trees:
        return ""
    try:
        signed = utc(reading.newest.time)
    except Refuted:
        return ""
    outside = ", ".join(sorted(reading.outside))
    seen = f"seen outside by 见证者 {outside}" if outside else "seen by nobody outside 无外部见证"
    return f"; as of 截至 {signed}, nothing later is in here 此后的记录不在内; {seen}"


def _keys(bundle: Bundle, brought: str | None) -> tuple[str, str]:
    """Whose list of keys was gone by, and its SHA-256 (hex); without one, that none could be read."""
    if brought is not None:
        return "yours 您持有的", hashlib.sha256(brought.encode()).hexdigest()
    try:
        own = bundle.read(parts.POLICY)
    except BundleError:
        return "none could be read", ""
    return "the bundle's own, compare with a policy you hold 包内自带，请与您持有的核对", hashlib.sha256(
        own
    ).hexdigest()


def _report(found: Sequence[Found], remarks: Sequence[str], by_whom: str = "") -> int:
    """Prints one line a claim, the remarks and the verdict; the exit status."""
    labels = {name: f"{name} {label}" for name, label, _ in CLAIMS}
    for verdict, name, said in found:
        _say(f"{verdict} {labels[name]}: {said}")
    for remark in remarks:
        _say(f"     {remark}")
    fallen = [name for verdict, name, _ in found if verdict == FALLS]
    if fallen:
        _say(f"NOT VERIFIED 验证未通过: {', '.join(fallen)}")
        return 1
    open_ones = [name for verdict, name, _ in found if verdict == UNANSWERED]
    _say("VERIFIED 验证通过" + (f"; not shown 未证明: {', '.join(open_ones)}" if open_ones else "") + by_whom)
    return 0


def _say(line: str) -> None:
    """One line, whatever a bundle wrote into it: nothing of it may look like a line of ours."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
    sys.stdout.write(shown[:LONGEST_LINE] + "\n")


if __name__ == "__main__":
    sys.exit(main())
