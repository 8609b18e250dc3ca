"""What a bundle claims about the log: each claim says what it found, or raises Refuted or Unanswered.

Standard library only: a copy of this file is part of every bundle.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from xueji.archives import bundle as parts
from xueji.archives.bundle import Bundle
from xueji.archives.claims.reading import Anchor, Leaf, Policy, Reading, Refuted, Tree, Unanswered, hashes, utc
from xueji.trace import canonical, merkle, note, rules, tokens
from xueji.trace.note import Checkpoint, Note


def signatures(reading: Reading) -> str:
    """Every checkpoint is signed by a log the policy knows, and says by the log's clock when."""
    trees = reading.bundle.read_json(parts.INCLUSION)["trees"]
    anchors = reading.bundle.read_json(parts.ANCHORS)
    if not trees or trees[-1]["checkpoint"] != reading.bundle.read_text(parts.CHECKPOINT):
        raise Refuted("the checkpoint is not the one the proofs were made for")
    stamps = _stamps(reading.bundle)
    for number, tree in enumerate(trees):
        signed = Note.parse(tree["checkpoint"])
        checkpoint, time = _signed_checkpoint(reading.policy, signed)
        mine = [
            _anchor(reading.policy, each, stamps.get((number, each["size"]), []))
            for each in anchors
            if each["tree"] == number
        ]
        reading.trees.append(
            Tree(
                checkpoint,
                signed,
                time,
                [(n, index) for n, index in tree["leaves"]],
                hashes(tree["hashes"]),
                sorted(mine, key=lambda anchor: anchor.checkpoint.size),
            )
        )
    newest = reading.trees[-1]
    return (
        f"checkpoint of {newest.checkpoint.size} leaves of {newest.checkpoint.origin}, signed {utc(newest.time)}; "
        f"{sum(len(tree.anchors) for tree in reading.trees)} earlier ones"
    )


def _signed_checkpoint(policy: Policy, signed: Note) -> tuple[Checkpoint, int]:
    checkpoint = Checkpoint.parse(signed.text)
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


def _anchor(policy: Policy, values: dict[str, Any], stamps: list[bytes]) -> Anchor:
    signed = Note.parse(values["note"])
    checkpoint, time = _signed_checkpoint(policy, signed)
    if checkpoint.size != values["size"]:
        raise Refuted(f"an earlier checkpoint says {checkpoint.size} leaves and is listed with {values['size']}")
    cosigned = signed.with_lines(values["cosignatures"])
    return Anchor(checkpoint, values["note"], cosigned, time, hashes(values["consistency"]), stamps)


def _stamps(bundle: Bundle) -> dict[tuple[int, int], list[bytes]]:
    """Time-stamp tokens by tree and size: their files are called timestamps/<tree>-<size>-<number>.tst."""
    found: dict[tuple[int, int], list[bytes]] = {}
    for name in bundle.names(parts.TIMESTAMPS):
        match = re.fullmatch(r"([0-9]+)-([0-9]+)-[0-9]+\.tst", name[len(parts.TIMESTAMPS) :])
        if match is None:
            raise Refuted(f"{name} does not belong here")
        found.setdefault((int(match[1]), int(match[2])), []).append(bundle.read(name))
    return found


def inclusion(reading: Reading) -> str:
    """Every leaf, by its exact bytes, stands in the tree that was signed."""
    placed = [n for tree in reading.trees for n, _ in tree.leaves]
    if placed != list(range(len(reading.leaves))):
        raise Refuted(f"there are places for {len(placed)} leaves, and {len(reading.leaves)} leaves")
    _ = reading.newest
    for tree in reading.trees:
        placed_leaves = [(index, reading.leaves[n].hash) for n, index in tree.leaves]
        try:
            root = merkle.root_from_pruned(placed_leaves, tree.checkpoint.size, tree.hashes)
        except merkle.ProofError as error:
            raise Refuted(str(error)) from error
        if root != tree.checkpoint.root:
            raise Refuted(
                f"leaves {tree.leaves[0][0]} to {tree.leaves[-1][0]} do not lead to the root that "
                f"{tree.checkpoint.origin} signed: one of them was changed, moved, or never in the log"
            )
    return f"{len(reading.leaves)} leaves stand in the tree as they are here"


def consistency(reading: Reading) -> str:
    """The tree continues every earlier checkpoint, and the one the auditor holds."""
    for tree in reading.trees:
        for anchor in tree.anchors:
            _continues(anchor.checkpoint, tree.checkpoint, anchor.consistency)
    count = sum(len(tree.anchors) for tree in reading.trees)
    newest = reading.newest
    if reading.held is None:
        return f"the log only grew since {count} earlier checkpoints (hold one of your own: --checkpoint)"
    try:
        held, time = _signed_checkpoint(reading.policy, Note.parse(reading.held))
    except note.NoteError as error:
        raise Refuted(f"the checkpoint you hold: {error}") from error
    if held.size == newest.checkpoint.size:
        proof: list[bytes] = []
    else:
        offered = reading.bundle.read_json(parts.CONSISTENCY) if reading.bundle.has(parts.CONSISTENCY) else {}
        if offered.get("from") != held.size:
            raise Refuted(f"the bundle was not made for your checkpoint: ask for one with from={held.size}")
        proof = hashes(offered["hashes"])
    try:
        _continues(held, newest.checkpoint, proof)
    except Refuted as error:
        raise Refuted(f"the checkpoint you hold: {error}") from error
    return f"the log only grew since your checkpoint of {held.size} leaves ({utc(time)}) and {count} others"


def _continues(old: Checkpoint, new: Checkpoint, proof: list[bytes]) -> None:
    if old.origin != new.origin:
        raise Refuted(f"{old.origin} is another log than {new.origin}")
    try:
        merkle.verify_consistency(old.size, old.root, new.size, new.root, proof)
    except merkle.ProofError as error:
        raise Refuted(f"{new.size} leaves do not continue {old.size}: {error}") from error


def leaves(reading: Reading) -> str:
    """Every line is one leaf, written in the one way a leaf can be."""
    for number, data in enumerate(reading.bundle.lines(parts.EVENTS)):
        try:
            said = canonical.decode(data)
            leaf = Leaf(data, merkle.leaf_hash(data), said, rules.epoch_ms(said["at"]))
            known = said["v"] == 1 and isinstance(said["values"], dict) and isinstance(said["n"], int)
        except (canonical.NotCanonical, ValueError, KeyError, TypeError) as error:
            raise Refuted(f"line {number + 1} of {parts.EVENTS} is not a leaf: {error}") from error
        if not known:
            raise Refuted(f"line {number + 1} of {parts.EVENTS} is not a leaf of a form known here")
        reading.leaves.append(leaf)
    return f"{len(reading.leaves)} leaves"


def chain(reading: Reading) -> str:
    """The leaves are one chain, counted from 0 without a gap, each naming the one before; the last one closes it."""
    name: str | None = None
    previous = rules.FIRST_PREVIOUS
    for n, leaf in enumerate(reading.leaves):
        said = leaf.said
        name = said["chain"] if name is None else name
        if said["chain"] != name:
            raise Refuted(f"leaf {n} belongs to another chain, {said['chain']}")
        if said["n"] != n:
            raise Refuted(f"where leaf {n} should stand, leaf {said['n']} stands")
        if said["prev"] != previous.hex():
            raise Refuted(f"leaf {n} does not name leaf {n - 1} as it stands here")
        if n and leaf.at_ms < reading.leaves[n - 1].at_ms:
            raise Refuted(f"leaf {n} says an earlier time than leaf {n - 1}")
        previous = leaf.hash
    last = reading.leaves[-1].said
    if last["event"] != rules.Event.EVIDENCE_EXPORT.value:
        raise Refuted(f"leaf {last['n']} ({last['event']}) does not close the chain: what followed was cut off")
    if last["values"]["size"] != last["n"] or last["values"]["head"] != last["prev"]:
        raise Refuted(f"the closing leaf speaks of {last['values']['size']} leaves, {last['n']} stand before it")
    return f"leaves 0 to {last['n']} of {name}, none missing"


def times(reading: Reading) -> str:
    """Each leaf's time lies between the checkpoint before it and the first one that covers it."""
    _ = reading.newest
    widest = 0
    lag = reading.policy.lag_ms
    for tree in reading.trees:
        marks = [(anchor.checkpoint.size, anchor.time) for anchor in tree.anchors]
        marks.append((tree.checkpoint.size, tree.time))
        for (size, time), (next_size, next_time) in pairwise(marks):
            if next_time < time:
                raise Refuted(f"the checkpoint of {next_size} leaves says an earlier time than that of {size}")
        for n, index in tree.leaves:
            after = next((time for size, time in marks if size > index), None)
            before = next((time for size, time in reversed(marks) if size <= index), None)
            at_ms = reading.leaves[n].at_ms
            if after is None:
                raise Refuted(f"leaf {n} is covered by no checkpoint")
            # Checkpoints tell whole seconds, leaves tell milliseconds.
            if at_ms >= (after + 1) * 1000 + lag:
                raise Refuted(f"leaf {n} says {reading.leaves[n].said['at']}, and was covered already at {utc(after)}")
            if before is not None:
                if at_ms < before * 1000 - lag:
                    raise Refuted(
                        f"leaf {n} says {reading.leaves[n].said['at']}, and was not yet in the log at {utc(before)}"
                    )
                widest = max(widest, after - before)
    return f"every leaf lies between two signed times, at most {widest} s apart where both are here"


def outside(reading: Reading) -> str:
    """Time-stamps and witnesses: others saw these checkpoints, and their clocks agree."""
    _ = reading.newest
    lag = reading.policy.lag_ms
    stamped, witnessed = 0, 0
    latest: list[str] = []
    for tree in reading.trees:
        everything = [*tree.anchors, Anchor(tree.checkpoint, "", tree.signed, tree.time, [], [])]
        for anchor in everything:
            name = f"the checkpoint of {anchor.checkpoint.size} leaves"
            for stamp in anchor.stamps:
                try:
                    time = tokens.Token.parse(stamp).verify(anchor.written.encode(), reading.policy.authorities)
                except tokens.TokenError as error:
                    raise Refuted(f"a time-stamp over {name}: {error}") from error
                _agree(f"a time-stamp over {name}", time, anchor.time, lag)
                stamped += 1
                latest.append(utc(time))
            try:
                cosigned = anchor.signed.verify(reading.policy.witnesses)
            except note.SignatureError as error:
                raise Refuted(f"{name}: {error}") from error
            for each in cosigned:
                if each.time is not None:
                    _agree(f"{each.key.name}, over {name}", each.time, anchor.time, lag)
                    witnessed += 1
                    latest.append(utc(each.time))
    if not latest:
        raise Unanswered("no time-stamp of an authority and no witness: the times are the log's own")
    return f"{stamped} time-stamps and {witnessed} cosignatures of witnesses hold, the latest of {max(latest)}"


def _agree(what: str, time: int, signed: int, lag: int) -> None:
    if time * 1000 + 999 + lag < signed * 1000:
        raise Refuted(f"{what} says {utc(time)}, before the log says it was signed, {utc(signed)}")
