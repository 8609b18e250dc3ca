"""What a stranger, a mirror, a regulator and a log asking for a witness get over HTTP."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from support.evidence import new_case
from support.growing_log import GrowingLog, growing_log
from support.people import bearer, someone

from xueji.app import create_app
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.trace import inclusion, merkle, queries, tiles, witness
from xueji.trace.models import LeafRow
from xueji.trace.note import Checkpoint, Note, VerifierKey
from xueji.trace.signing import LOG, KeyFile


@pytest.fixture
def log(context: Context) -> GrowingLog:
    with growing_log(context) as log:
        log.record("a", 600)
        log.settle()
    return log


def test_nothing_is_shown_before_anything_is_signed(client: FlaskClient) -> None:
    for path in ("/log/checkpoint", "/log/tile/0/000", "/log/proof/0"):
        assert client.get(path).status_code == 404
    assert client.get("/log/policy").get_json()["logs"] == []


def test_the_newest_checkpoint_is_everybody_s(client: FlaskClient, log: GrowingLog) -> None:
    answer = client.get("/log/checkpoint")
    assert answer.text == log.notes()[-1]
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=1"


def test_a_mirror_rebuilds_the_root_from_tiles(client: FlaskClient, log: GrowingLog) -> None:
    newest = log.newest()
    assert newest.size == 601
    full = [client.get(f"/log/tile/0/{tiles.number_path(number)}") for number in range(2)]
    ragged = client.get("/log/tile/0/002.p/89")
    above = client.get("/log/tile/1/000.p/2")
    hashes = b"".join(answer.data for answer in [*full, ragged])
    level = [hashes[place : place + 32] for place in range(0, len(hashes), 32)]
    assert merkle.fold(level) == newest.root
    assert above.data == merkle.fold(level[:256]) + merkle.fold(level[256:512])
    assert {answer.content_type for answer in [*full, ragged, above]} == {"application/octet-stream"}
    assert "immutable" in full[0].headers["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["0/002", "0/003", "0/002.p/90", "0/2", "1/000", "1/000.p/3", "7/000", "9/000", "0/x001/000", "0/002.p/0"]
)
def test_a_tile_the_tree_does_not_have_is_not_found(client: FlaskClient, log: GrowingLog, path: str) -> None:
    assert client.get(f"/log/tile/{path}").status_code == 404


def test_a_smaller_ragged_tile_stays_true_when_the_tree_has_grown(client: FlaskClient, log: GrowingLog) -> None:
    whole = client.get("/log/tile/0/002.p/89").data
    assert client.get("/log/tile/0/002.p/7").data == whole[: 7 * 32]
    assert client.get("/log/tile/0/000.p/7").data == client.get("/log/tile/0/000").data[: 7 * 32]


def test_every_leaf_has_a_proof_that_stands_alone(client: FlaskClient, log: GrowingLog) -> None:
    keys = [VerifierKey.parse(key) for key in client.get("/log/policy").get_json()["logs"][0]["keys"]]
    level = b"".join(client.get(f"/log/tile/0/{path}").data for path in ("000", "001", "002.p/89"))
    for index in (0, 255, 256, 600):
        answer = client.get(f"/log/proof/{index}")
        number, path, note = inclusion.parse_proof(answer.text)
        checkpoint = Checkpoint.parse(Note.parse(note).text)
        assert len(Note.parse(note).verify(keys)) == 1
        assert number == index
        leaf = level[index * 32 : index * 32 + 32]
        assert merkle.root_from_inclusion(index, checkpoint.size, leaf, path) == checkpoint.root
    assert client.get("/log/proof/601").status_code == 404


def test_leaves_are_for_those_who_supervise(client: FlaskClient, context: Context, log: GrowingLog) -> None:
    assert client.get("/log/tile/entries/000").status_code == 401
    for role in (Role.TRAINEE, Role.INSTITUTION, Role.ENTERPRISE):
        headers = bearer(context, someone(context, role))
        assert client.get("/log/tile/entries/000", headers=headers).status_code == 403
    headers = bearer(context, someone(context, Role.ADMINISTRATOR))
    answer = client.get("/log/tile/entries/002.p/89", headers=headers)
    leaves = list(tiles.read_entry_bundle(answer.data))
    assert [json.loads(leaf)["n"] for leaf in leaves] == list(range(511, 600))
    hashes = client.get("/log/tile/0/002.p/89").data
    assert b"".join(merkle.leaf_hash(leaf) for leaf in leaves) == hashes
    assert answer.headers["Cache-Control"] == "private, no-store"
    for path in ("002", "003", "1", "002.p/90"):
        assert client.get(f"/log/tile/entries/{path}", headers=headers).status_code == 404


def test_a_regulator_reads_the_leaves_of_enrolments_she_sees(client: FlaskClient, context: Context) -> None:
    with growing_log(context) as growing:
        growing.settle()
        chain = new_case(context, growing).chain
        growing.settle()
    with context.database.reading() as session:
        at = session.scalars(select(LeafRow.position).where(LeafRow.chain == chain)).one()
        size = queries.state(session).signed_size
    place, width = at // 256, min(256, size - at // 256 * 256)
    path = f"/log/tile/entries/{tiles.number_path(place)}" + (f".p/{width}" if width < 256 else "")
    for region, sees in (("620100", True), ("650100", False)):
        headers = bearer(context, someone(context, Role.REGULATOR, region=region))
        entries = list(tiles.read_entry_bundle(client.get(path, headers=headers).data))
        assert bool(entries[at % 256]) is sees
        assert [number for number, leaf in enumerate(entries) if leaf and number != at % 256] == []


def test_anybody_may_ask_how_far_a_chain_has_come(client: FlaskClient, context: Context, log: GrowingLog) -> None:
    name = "a"
    with context.database.reading() as session:
        (*_, last) = queries.chain_bytes(session, name)
    answer = client.get(f"/log/chain/{name}")
    assert answer.json == {
        "chain": name, "n": last[0], "hash": merkle.leaf_hash(last[1]).hex(),
        "signed_size": answer.get_json()["signed_size"],
    }  # fmt: skip
    assert client.get("/log/chain/nobody").status_code == 404


def test_the_policy_lists_the_keys(client: FlaskClient, context: Context, log: GrowingLog) -> None:
    policy = client.get("/log/policy").get_json()
    keys = KeyFile(context.settings.keys).load("tests.example/log")
    assert policy["logs"] == [
        {
            "origin": "tests.example/log",
            "keys": [str(key.public) for key in keys if key.purpose == LOG],
            "clocks": [str(key.public) for key in keys if key.purpose != LOG],
        }
    ]
    assert policy["lag_ms"] == 5000


def test_the_measures_tell_how_the_log_is(client: FlaskClient, log: GrowingLog) -> None:
    measures = client.get("/metrics").text
    assert "xueji_log_leaves 601.0" in measures
    assert "xueji_log_signed_leaves 601.0" in measures
    assert "xueji_log_pending_leaves 0.0" in measures


def test_there_is_no_witness_unless_it_is_switched_on(client: FlaskClient) -> None:
    assert client.post("/witness/add-checkpoint", data="old 0\n").status_code == 404


def test_a_witness_answers_over_http(context: Context, log: GrowingLog) -> None:
    key = next(key for key in KeyFile(context.settings.keys).load("tests.example/log") if key.purpose == LOG)
    settings = replace(context.settings, log_origin="regulator.example", witness_logs=str(key.public))
    app: Flask = create_app(context=replace(context, settings=settings))
    client = app.test_client()
    body = f"old 0\n\n{log.notes()[-1]}"
    answer = client.post("/witness/add-checkpoint", data=body)
    assert answer.status_code == 200
    cosigned = Note.parse(log.notes()[-1]).with_lines([answer.text])
    assert len(cosigned.verify([witness.witness_key(settings).public])) == 1
    again = client.post("/witness/add-checkpoint", data=body)
    assert (again.status_code, again.text, again.content_type) == (409, "601\n", "text/x.tlog.size")
    assert client.post("/witness/add-checkpoint", data=b"\xff").status_code == 400
    assert client.post("/witness/add-checkpoint", data=b"x" * 70_000).status_code == 413
