"""What a bundle claims about itself: that it is whole, and which program came with it.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import hashlib

from xueji.evidence import bundle as parts
from xueji.evidence.claims import shapes
from xueji.evidence.claims.reading import ClaimContext, Refuted, Unanswered
from xueji.evidence.program import ROOT, digest, program

ALWAYS = (
    parts.EVENTS,
    parts.INCLUSION,
    parts.CHECKPOINT,
    parts.ANCHORS,
    parts.OPENINGS,
    parts.POLICY,
    parts.STATEMENT,
    parts.RULEBOOK,
    parts.README,
    parts.LAUNCHER,
)
"""In every bundle, whoever asked for it."""
PERHAPS = (parts.CONSISTENCY, parts.SUBJECT)
"""The first when it was asked for; the second in every bundle but those of the first release."""
FOLDERS = (parts.TIMESTAMPS, parts.PICTURES, parts.VERIFIER)
"""What may stand in the first two is judged by `outside` and `pictures`, in the last by `verifier`."""


def files(reading: ClaimContext) -> str:
    """Every file of the bundle is there as it was written, and nothing else is.

    The manifest is not signed: this finds what was damaged, lost or added on the way. Whoever changes a file on
    purpose can write its new digest too; what that cannot get past are the other claims.
    """
    bundle = reading.bundle
    twice = bundle.repeated()
    if twice is not None:
        raise Refuted(f"{twice} stands in it twice, and two readers would read two things")
    listed = shapes.fields(bundle.read_json(parts.MANIFEST), parts.MANIFEST, *ALWAYS)
    found = {name for name in bundle.names() if name != parts.MANIFEST}
    for name in sorted(found | listed.keys()):
        if name not in found:
            raise Refuted(f"{name} is missing")
        if name not in listed or not (name in ALWAYS or name in PERHAPS or name.startswith(FOLDERS)):
            raise Refuted(f"{name} is no part of the bundle, and nothing here vouches for it")
        if hashlib.sha256(bundle.read(name)).hexdigest() != listed[name]:
            raise Refuted(f"{name} is not as it was when the bundle was made")
    left = f"; {bundle.passed_over} left by a desktop or system passed over" if bundle.passed_over else ""
    return f"{len(found)} files are there as they were when the bundle was made, and no others{left}"


def verifier(reading: ClaimContext) -> str:
    """The program in the bundle is the one that is judging it, which did not come with it."""
    bundle = reading.bundle
    if bundle.folder is not None and bundle.folder.resolve() in (ROOT, *ROOT.parents):
        raise Unanswered("this program came with the bundle and cannot vouch for itself: use one that you hold")
    mine = program()
    inside = [name for name in bundle.names() if name == parts.LAUNCHER or name.startswith(parts.VERIFIER)]
    theirs = {name: bundle.read(name) for name in inside}
    differing = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
    if differing:
        raise Unanswered(
            f"the program in the bundle is not the one that ran ({len(differing)} files differ, {differing[0]} first): "
            "another release of it, or altered, and nothing here says which"
        )
    return f"the program in the bundle is the one that ran, {len(mine)} files, sha256 {digest(mine)}"
