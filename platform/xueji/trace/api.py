"""The log as others read it: checkpoint, tiles, policy, proofs (C2SP tlog-tiles), and the witness's one endpoint.

Hashes are for everybody; leaves are for those who supervise, because they say when somebody studied: an administrator
reads all of them, a regulator those of the enrolments she sees.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from flask import Blueprint, Response, jsonify, request

from xueji.kernel.actor import Role
from xueji.kernel.errors import NotFound
from xueji.trace import inclusion, merkle, queries, tiles, witness
from xueji.trace.events import LeavesAsked
from xueji.trace.policy import policy
from xueji.trace.tree import Tree, leaves
from xueji.web.access import public, roles
from xueji.web.session import actor, context, db

blueprint = Blueprint("trace", __name__)

FOR_EVER = "public, max-age=31536000, immutable"
A_MOMENT = "public, max-age=1"
TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"


def _answer(body: str | bytes, content_type: str, caching: str) -> Response:
    response = Response(body, content_type=content_type)
    response.headers["Cache-Control"] = caching
    return response


def _signed() -> queries.SignedLog:
    signed = queries.signed_log(db())
    if signed is None:
        raise NotFound
    return signed


@blueprint.get("/log/checkpoint")
@public
def checkpoint() -> Response:
    return _answer(_signed().note, TEXT, A_MOMENT)


@blueprint.get("/log/tile/<int:level>/<path:number>")
@public
def tile(level: int, number: str) -> Response:
    signed = _signed()
    try:
        place, width = tiles.parse_number_path(number)
        hashes = Tree(db(), signed.log, signed.size).hashes(level, place)
    except tiles.NoSuchTile:
        raise NotFound from None
    if len(hashes) < width:
        raise NotFound
    return _answer(b"".join(hashes[:width]), BYTES, FOR_EVER)


@blueprint.get("/log/tile/entries/<path:number>")
@roles(Role.REGULATOR, Role.ADMINISTRATOR)
def entries(number: str) -> Response:
    signed = _signed()
    try:
        place, width = tiles.parse_number_path(number)
    except tiles.NoSuchTile:
        raise NotFound from None
    if tiles.width_at(0, place, signed.size) < width:
        raise NotFound
    start = place * tiles.WIDTH
    found = leaves(db(), signed.log, start, start + width)
    return _answer(tiles.entry_bundle(_hers(found)), BYTES, "private, no-store")


def _hers(found: Sequence[bytes]) -> list[bytes]:
    """The leaves as the reader may see them: one that is not hers is empty, and its hash stands in the tile as ever."""
    if actor().is_(Role.ADMINISTRATOR):
        return list(found)
    chains = [json.loads(leaf)["chain"] for leaf in found]
    asked = LeavesAsked(db(), actor(), frozenset(chains))
    context().events.publish(asked)
    return [leaf if chain in asked.allowed else b"" for leaf, chain in zip(found, chains, strict=True)]


@blueprint.get("/log/chain/<chain>")
@public
def newest(chain: str) -> Response:
    """How far a chain has come that is signed for: whether a bundle at hand still tells all of it."""
    signed = _signed()
    found = queries.newest_signed(db(), signed, chain)
    if found is None:
        raise NotFound
    response = jsonify(chain=chain, n=found.n, hash=found.hash, signed_size=signed.size)
    response.headers["Cache-Control"] = A_MOMENT
    return response


@blueprint.get("/log/policy")
@public
def log_policy() -> Response:
    response = jsonify(policy(db(), context().settings))
    response.headers["Cache-Control"] = A_MOMENT
    return response


@blueprint.get("/log/proof/<int:index>")
@public
def proof(index: int) -> Response:
    signed = _signed()
    if index >= signed.size:
        raise NotFound
    path = merkle.inclusion_proof(index, signed.size, Tree(db(), signed.log, signed.size).node)
    return _answer(inclusion.proof_text(index, path, signed.note), TEXT, A_MOMENT)


@blueprint.post("/witness/add-checkpoint")
@public
def add_checkpoint() -> Response:
    settings = context().settings
    logs = witness.witnessed_logs(settings)
    if not logs:
        raise NotFound
    # Also of a body that does not say beforehand how long it is.
    request.max_content_length = witness.LARGEST_REQUEST
    try:
        body = request.get_data(cache=False).decode("utf-8")
    except UnicodeDecodeError:
        return Response("the request is not text\n", status=400, content_type=TEXT)
    answer = witness.cosign(db(), body, logs, witness.witness_key(settings))
    return Response(answer.body, status=answer.status, content_type=answer.content_type)
