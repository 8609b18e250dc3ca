"""What a bundle claims about the log: each claim says what it found, or raises Refuted or Unanswered.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import re
from typing import Any

from xueji.evidence import bundle as parts
from xueji.evidence.bundle import Bundle
from xueji.evidence.claims import shapes
from xueji.evidence.claims.reading import Anchor, BundleLeaf, BundleTree, ClaimContext, Policy, Refuted, Unanswered, utc
from xueji.python38 import pairwise
from xueji.trace import canonical, merkle, note, rules, tokens
from xueji.trace.note import Checkpoint, Note

_STAMP = re.compile(rf"{parts.TIMESTAMPS}(0|[1-9][0-9]{{0,5}})-(0|[1-9][0-9]{{0,15}})-(?:0|[1-9][0-9]{{0,5}})\.tst")
_SALT = re.compile(rf"[0-9a-f]{{{2 * rules.SALT_BYTES}}}")
AUTHORITY = "a time-stamp authority"
LEAF_FIELDS = frozenset({"v", "event", "at", "chain", "n", "prev", "who", "values"})


def signatures(reading: ClaimContext) -> str:
    """Every checkpoint is signed by a log the policy knows, and says by the log's clock when."""
    bundle, policy = reading.bundle, reading.policy
    listed = shapes.only_fields(bundle.read_json(parts.INCLUSION), parts.INCLUSION, "trees")
    trees = [_tree(policy, values) for values in shapes.each(listed["trees"], f"trees in {parts.INCLUSION}")]
    if not trees or str(trees[-1].signed) != bundle.read_text(parts.CHECKPOINT):
        raise Refuted("the checkpoint is not the one the proofs were made for")
    for values in shapes.each(bundle.read_json(parts.ANCHORS), parts.ANCHORS):
        _anchor(policy, values, trees)
    for tree in trees:
        tree.anchors.sort(key=lambda anchor: anchor.checkpoint.size)
    reading.trees = trees
    newest = reading.newest
    played = "; the log of a demonstration: its first weeks were played, so its times prove nothing"
    return (
        f"checkpoint of {newest.checkpoint.size} leaves of {newest.checkpoint.origin}, signed {utc(newest.time)}; "
        f"{sum(len(tree.anchors) for tree in trees)} earlier ones"
        f"{played if newest.checkpoint.origin.startswith(rules.DEMONSTRATION) else ''}"
    )


def _tree(policy: Policy, values: Any) -> BundleTree:
    what = f"a tree in {parts.INCLUSION}"
    shapes.only_fields(values, what, "checkpoint", "leaves", "hashes")
    signed = _note(values["checkpoint"], f"the checkpoint of {what}")
    if str(signed) != values["checkpoint"]:
        raise Refuted(f"the checkpoint of {what} is not written in the one way a note can be")
    checkpoint, time = _signed_checkpoint(policy, signed)
    places = []
    for place in shapes.each(values["leaves"], f"the places of {what}"):
        if type(place) is not list or len(place) != 2:
            raise Refuted(f"a place of {what} is not a pair of numbers")
        places.append((shapes.whole(place[0], f"a place of {what}"), shapes.whole(place[1], f"a place of {what}")))
    return BundleTree(checkpoint, signed, time, places, shapes.hashes(values["hashes"], f"the hashes of {what}"))


def _note(written: Any, what: str) -> Note:
    try:
        return Note.parse(shapes.text(written, what))
    except note.NoteError as error:
        raise Refuted(f"{what}: {error}") from error


def _signed_checkpoint(policy: Policy, signed: Note) -> tuple[Checkpoint, int]:
    try:
        checkpoint = Checkpoint.parse(signed.text)
    except note.NoteError as error:
        raise Refuted(f"a checkpoint cannot be read: {error}") from error
    name = f"the checkpoint of {checkpoint.size} leaves of {checkpoint.origin}"
    if checkpoint.origin not in policy.keys:
        raise Refuted(f"{name} is of a log the policy does not know")
    try:
        by_log = signed.verify(policy.keys[checkpoint.origin])
        by_clock = signed.verify(policy.clocks[checkpoint.origin])
    except note.SignatureError as error:
        raise Refuted(f"{name}: {error}") from error
    if not by_log:
        raise Refuted(f"{name} carries no signature of a key the policy knows")
    times = [each.time for each in by_clock if each.time is not None]
    if not times:
        raise Refuted(f"{name} carries no time of a clock the policy knows")
    return checkpoint, max(times)


def _anchor(policy: Policy, values: Any, trees: list[BundleTree]) -> None:
    """Puts an earlier checkpoint to the tree it belongs to."""
    what = f"an earlier checkpoint in {parts.ANCHORS}"
    shapes.only_fields(values, what, "tree", "size", "note", "cosignatures", "consistency")
    signed = _note(values["note"], what)
    checkpoint, time = _signed_checkpoint(policy, signed)
    if checkpoint.size != shapes.whole(values["size"], f"the size of {what}"):
        raise Refuted(f"an earlier checkpoint says {checkpoint.size} leaves and is listed with {values['size']}")
    number = values["tree"]
    if type(number) is not int or not 0 <= number < len(trees):
        raise Refuted(f"the earlier checkpoint of {checkpoint.size} leaves belongs to no tree of this bundle")
    if checkpoint.origin != trees[number].checkpoint.origin:
        raise Refuted(
            f"the earlier checkpoint of {checkpoint.size} leaves is of another log than the tree it is put to"
        )
    if any(anchor.checkpoint.size == checkpoint.size for anchor in trees[number].anchors):
        raise Refuted(f"the earlier checkpoint of {checkpoint.size} leaves is listed twice")
    cosignatures = [
        shapes.text(line, f"a cosignature of {what}")
        for line in shapes.each(values["cosignatures"], f"the cosignatures of {what}")
    ]
    try:
        cosigned = signed.with_lines(cosignatures)
    except note.NoteError as error:
        raise Refuted(f"the earlier checkpoint of {checkpoint.size} leaves: {error}") from error
    proof = shapes.hashes(values["consistency"], f"the proof of {what}")
    trees[number].anchors.append(Anchor(checkpoint, values["note"], cosigned, time, proof))


def inclusion(reading: ClaimContext) -> str:
    """Every leaf, by its exact bytes, stands in the tree that was signed."""
    known = _placed(reading)
    for tree in reading.trees:
        placed_leaves = [(index, known[n].hash) for n, index in tree.leaves]
        try:
            root = merkle.root_from_pruned(placed_leaves, tree.checkpoint.size, tree.hashes)
        except merkle.ProofError as error:
            raise Refuted(str(error)) from error
        if root != tree.checkpoint.root:
            raise Refuted(
                f"leaves {tree.leaves[0][0]} to {tree.leaves[-1][0]} do not lead to the root that "
                f"{tree.checkpoint.origin} signed: one of them was changed, moved, or never in the log"
            )
    return f"{len(known)} leaves stand in the tree as they are here"


def _placed(reading: ClaimContext) -> list[BundleLeaf]:
    """The leaves, each of which has one place in one tree. Raises Refuted, Unanswered."""
    _ = reading.newest
    known = reading.known_leaves
    placed = [n for tree in reading.trees for n, _ in tree.leaves]
    if placed != list(range(len(known))):
        raise Refuted(f"there are places for {len(placed)} leaves, and {len(known)} leaves")
    if not all(tree.leaves for tree in reading.trees):
        raise Refuted("there is a tree in which no leaf stands")
    return known


def consistency(reading: ClaimContext) -> str:
    """The tree continues every earlier checkpoint, and the one the auditor holds."""
    for tree in reading.trees:
        for anchor in tree.anchors:
            _continues(anchor.checkpoint, tree.checkpoint, anchor.consistency)
    count = sum(len(tree.anchors) for tree in reading.trees)
    newest = reading.newest
    offered = _growth(reading.bundle)
    if reading.held is None:
        return f"the log only grew since {count} earlier checkpoints (hold one of your own: --checkpoint)"
    held, time = _signed_checkpoint(reading.policy, _note(reading.held, "the checkpoint you hold"))
    if held.size == newest.checkpoint.size:
        proof: list[bytes] = []
    else:
        if offered is None or offered[0] != held.size:
            raise Refuted(f"the bundle was not made for your checkpoint: ask for one with from={held.size}")
        proof = offered[1]
    try:
        _continues(held, newest.checkpoint, proof)
    except Refuted as error:
        raise Refuted(f"the checkpoint you hold: {error}") from error
    return f"the log only grew since your checkpoint of {held.size} leaves ({utc(time)}) and {count} others"


def _growth(bundle: Bundle) -> tuple[int, list[bytes]] | None:
    """The size the bundle was asked to prove growth since, and that proof."""
    if not bundle.has(parts.CONSISTENCY):
        return None
    values = shapes.only_fields(bundle.read_json(parts.CONSISTENCY), parts.CONSISTENCY, "from", "hashes")
    proof = shapes.hashes(values["hashes"], f"the hashes in {parts.CONSISTENCY}")
    return shapes.whole(values["from"], f"from in {parts.CONSISTENCY}"), proof


def _continues(old: Checkpoint, new: Checkpoint, proof: list[bytes]) -> None:
    if old.origin != new.origin:
        raise Refuted(f"{old.origin} is another log than {new.origin}")
    try:
        merkle.verify_consistency(old.size, old.root, new.size, new.root, proof)
    except merkle.ProofError as error:
        raise Refuted(f"{new.size} leaves do not continue {old.size}: {error}") from error


def leaves(reading: ClaimContext) -> str:
    """Every line is one leaf, written in the one way a leaf can be."""
    read = []
    for number, data in enumerate(reading.bundle.lines(parts.EVENTS)):
        name = f"line {number + 1} of {parts.EVENTS}"
        try:
            said = canonical.decode(data)
        except canonical.NotCanonical as error:
            raise Refuted(f"{name} is not a leaf: {error}") from error
        if len(data) > rules.LARGEST_LEAF or not _is_known_form(said):
            raise Refuted(f"{name} is not a leaf of a form known here")
        try:
            read.append(BundleLeaf(data, merkle.leaf_hash(data), said, rules.epoch_ms(said["at"])))
        except ValueError as error:
            raise Refuted(f"{name} is not a leaf: {error}") from error
    reading.leaves = read
    return f"{len(read)} leaves"


def _is_known_form(said: Any) -> bool:
    return (
        type(said) is dict
        and said.keys() - {"occurred", "salt"} == LEAF_FIELDS
        and ("salt" not in said or (type(said["salt"]) is str and _SALT.fullmatch(said["salt"]) is not None))
        and said["v"] == 1
        and type(said["n"]) is int
        and type(said["values"]) is dict
        and all(type(value) is str for name, value in said.items() if name not in ("v", "n", "values"))
    )


def chain(reading: ClaimContext) -> str:
    """The leaves are one chain, counted from 0 without a gap, each naming the one before; the last one closes it."""
    name: str | None = None
    previous = rules.FIRST_PREVIOUS
    known = reading.known_leaves
    for n, leaf in enumerate(known):
        said = leaf.said
        name = said["chain"] if name is None else name
        if said["chain"] != name:
            raise Refuted(f"leaf {n} belongs to another chain, {said['chain']}")
        if said["n"] != n:
            raise Refuted(f"where leaf {n} should stand, leaf {said['n']} stands")
        if said["prev"] != previous.hex():
            raise Refuted(f"leaf {n} does not name leaf {n - 1} as it stands here")
        # The operator put a clock right that had been ahead, and the log says so in this very leaf.
        if n and leaf.at_ms < known[n - 1].at_ms and said["event"] != rules.Event.CLOCK_RESET.value:
            raise Refuted(f"leaf {n} says an earlier time than leaf {n - 1}")
        previous = leaf.hash
    last = known[-1].said
    if last["event"] != rules.Event.EVIDENCE_EXPORT.value:
        raise Refuted(f"leaf {last['n']} ({last['event']}) does not close the chain: what followed was cut off")
    values = shapes.fields(last["values"], "the closing leaf", "size", "head")
    if (values["size"], values["head"]) != (last["n"], last["prev"]):
        raise Refuted(f"the closing leaf speaks of {values['size']} leaves, {last['n']} stand before it")
    return f"leaves 0 to {last['n']} of {name}, none missing"


def times(reading: ClaimContext) -> str:
    """Each leaf's time lies between the checkpoint before it and the first one that covers it."""
    known = _placed(reading)
    widest, open_ended = 0, 0
    for tree in reading.trees:
        marks = [(anchor.checkpoint.size, anchor.time) for anchor in tree.anchors]
        marks.append((tree.checkpoint.size, tree.time))
        for (size, time), (next_size, next_time) in pairwise(marks):
            if next_time < time:
                raise Refuted(f"the checkpoint of {next_size} leaves says an earlier time than that of {size}")
        for n, index in tree.leaves:
            before, after = _bracket(known[n], index, marks, reading.policy.lag_ms)
            if before is None:
                open_ended += 1
            else:
                widest = max(widest, after - before)
    if open_ended == len(known):
        raise Unanswered("the bundle holds no signed time before any of its leaves: they could be dated back")
    if open_ended:
        raise Unanswered(
            f"{open_ended} of {len(known)} leaves have no signed time before them in the bundle and could be dated "
            f"back; the others lie between two, at most {widest} s apart"
        )
    return f"every leaf lies between two signed times, at most {widest} s apart"


def _bracket(leaf: BundleLeaf, index: int, marks: list[tuple[int, int]], lag_ms: int) -> tuple[int | None, int]:
    """The signed times before and after a leaf that its own must lie between. Raises Refuted."""
    name = f"leaf {leaf.said['n']}"
    after = next((time for size, time in marks if size > index), None)
    before = next((time for size, time in reversed(marks) if size <= index), None)
    if after is None:
        raise Refuted(f"{name} is covered by no checkpoint")
    # Checkpoints tell whole seconds, leaves tell milliseconds.
    if leaf.at_ms >= (after + 1) * 1000 + lag_ms:
        raise Refuted(f"{name} says {leaf.said['at']}, and was covered already at {utc(after)}")
    if before is not None and leaf.at_ms < before * 1000 - lag_ms:
        raise Refuted(f"{name} says {leaf.said['at']}, and was not yet in the log at {utc(before)}")
    return before, after


def outside(reading: ClaimContext) -> str:
    """Time-stamps and witnesses: others saw these checkpoints, and their clocks agree."""
    _ = reading.newest
    lag = reading.policy.lag_ms
    stamps = _stamps(reading)
    latest: list[str] = []
    for number, tree in enumerate(reading.trees):
        for anchor in tree.anchors:
            what = f"a time-stamp over the checkpoint of {anchor.checkpoint.size} leaves"
            for stamp in stamps.get((number, anchor.checkpoint.size), ()):
                try:
                    time = tokens.TimestampToken.parse(stamp).verify(
                        anchor.written.encode(), reading.policy.authorities
                    )
                except tokens.TokenError as error:
                    raise Refuted(f"{what}: {error}") from error
                _agree(what, time, anchor.time, lag)
                latest.append(utc(time))
                reading.outside.add(AUTHORITY)
    stamped = len(latest)
    for tree in reading.trees:
        for anchor in tree.anchors:
            latest += _witnessed(reading, anchor.signed, anchor.checkpoint, anchor.time)
        latest += _witnessed(reading, tree.signed, tree.checkpoint, tree.time)
    if not latest:
        raise Unanswered("no time-stamp of an authority and no witness: the times are the log's own")
    return (
        f"{stamped} time-stamps and {len(latest) - stamped} cosignatures of witnesses hold, the latest of {max(latest)}"
    )


def _stamps(reading: ClaimContext) -> dict[tuple[int, int], list[bytes]]:
    """Time-stamp tokens by tree and size: their files are called timestamps/<tree>-<size>-<number>.tst."""
    known = {(number, a.checkpoint.size) for number, tree in enumerate(reading.trees) for a in tree.anchors}
    found: dict[tuple[int, int], list[bytes]] = {}
    for name in reading.bundle.names(parts.TIMESTAMPS):
        match = _STAMP.fullmatch(name)
        if match is None:
            raise Refuted(f"{name} is not called as a time-stamp is")
        stamped = int(match[1]), int(match[2])
        if stamped not in known:
            raise Refuted(f"{name} belongs to no checkpoint of this bundle")
        found.setdefault(stamped, []).append(reading.bundle.read(name))
    return found


def _witnessed(reading: ClaimContext, signed: Note, checkpoint: Checkpoint, time: int) -> list[str]:
    """When each witness the policy knows says it saw the checkpoint."""
    name, policy = f"the checkpoint of {checkpoint.size} leaves", reading.policy
    try:
        cosigned = signed.verify(policy.witnesses)
    except note.SignatureError as error:
        raise Refuted(f"{name}: {error}") from error
    said = []
    for one in cosigned:
        if one.time is not None:
            _agree(f"{one.key.name}, over {name}", one.time, time, policy.lag_ms)
            said.append(utc(one.time))
            reading.outside.add(one.key.name)
    return said


def _agree(what: str, time: int, signed: int, lag: int) -> None:
    if time * 1000 + 999 + lag < signed * 1000:
        raise Refuted(f"{what} says {utc(time)}, before the log says it was signed, {utc(signed)}")
