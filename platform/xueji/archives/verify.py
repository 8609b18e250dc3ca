"""The offline verifier: reads an evidence bundle and prints one line for each claim it makes.

It needs nothing but Python's standard library and this package's pure modules, copies of which lie in every bundle.
Exit status 0 when every claim that could be checked holds, 1 when one does not.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from xueji.archives import bundle as parts
from xueji.archives.bundle import Bundle, BundleError
from xueji.archives.claims import content, log
from xueji.archives.claims.reading import Policy, Reading, Refuted, Unanswered

Claim = Callable[[Reading], str]

CLAIMS: tuple[tuple[str, str, Claim], ...] = (
    ("leaves", "记录完好", log.leaves),
    ("signatures", "签名有效", log.signatures),
    ("inclusion", "收录在案", log.inclusion),
    ("consistency", "只增不改", log.consistency),
    ("chain", "前后连续", log.chain),
    ("times", "时间相符", log.times),
    ("outside", "外部时间", log.outside),
    ("hours", "学时重算", content.hours),
    ("openings", "承诺相符", content.openings),
    ("pictures", "照片相符", content.pictures),
)
"""In this order, since later ones use what earlier ones read."""

HOLDS, FALLS, UNANSWERED = "ok  ", "FAIL", "--  "


def verify(bundle: Bundle, *, policy: str | None = None, held: str | None = None) -> list[tuple[str, str, str]]:
    """(verdict, claim, what was found) for each claim. ``policy``, ``held``: texts the auditor brought along."""
    written = policy if policy is not None else bundle.read_text(parts.POLICY)
    try:
        reading = Reading(bundle, Policy.parse(json.loads(written)), held)
    except ValueError as error:
        raise BundleError(f"the policy cannot be read: {error}") from error
    found = []
    for name, _, claim in CLAIMS:
        try:
            found.append((HOLDS, name, claim(reading)))
        except Unanswered as nothing:
            found.append((UNANSWERED, name, str(nothing)))
        except Refuted as refutation:
            found.append((FALLS, name, str(refutation)))
        except (BundleError, LookupError, TypeError, ValueError, AttributeError) as error:
            found.append((FALLS, name, f"it cannot be read: {error}"))
    return found


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
        policy = given.policy.read_text("utf-8") if given.policy else None
        held = given.checkpoint.read_text("utf-8") if given.checkpoint else None
        bundle = Bundle(given.bundle)
        found = verify(bundle, policy=policy, held=held)
        trusted = policy if policy is not None else bundle.read_text(parts.POLICY)
    except (OSError, UnicodeDecodeError, BundleError) as error:
        _say(f"{FALLS} bundle 证据包: {error}")
        return 1
    labels = {name: f"{name} {label}" for name, label, _ in CLAIMS}
    for verdict, name, said in found:
        _say(f"{verdict} {labels[name]}: {said}")
    whence = "yours" if policy is not None else "the bundle's own; compare with a policy you hold"
    _say(f"     keys 公钥: {whence}, sha256 {hashlib.sha256(trusted.encode()).hexdigest()}")
    fallen = [name for verdict, name, _ in found if verdict == FALLS]
    if fallen:
        _say(f"NOT VERIFIED 验证未通过: {', '.join(fallen)}")
        return 1
    _say("VERIFIED 验证通过")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
