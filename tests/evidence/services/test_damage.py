"""Whatever happens to a bundle's bytes, the verifier answers with one line a claim and never with a traceback."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.bundles import Parts, laid_out, sealed, unpacked
from support.evidence import rich_case, vouched
from support.growing_log import growing_log

from xueji.evidence import bundle as parts
from xueji.evidence.bundle import Bundle, BundleError, json_value
from xueji.evidence.claims.reading import ClaimContext
from xueji.evidence.verify import CLAIMS, FALLS, HOLDS, UNFORESEEN, main, verify
from xueji.kernel.context import Context

ROUNDS_A_PART = 12
ROUNDS_A_PROGRAM_FILE = 1
ROUNDS_OF_THE_ZIP = 150
NOT_BOUND = (
    parts.ANCHORS,
    parts.POLICY,
    parts.TIMESTAMPS,
    parts.MANIFEST,
    parts.README,
    parts.LAUNCHER,
    parts.VERIFIER,
)
"""Here something may change and every claim still be true: a certificate has fields that nobody reads."""
JSON = (parts.INCLUSION, parts.ANCHORS, parts.OPENINGS, parts.POLICY, parts.STATEMENT)
DEEP = b"[" * 200_000


@pytest.fixture
def packed(context: Context, tmp_path: Path) -> bytes:
    with growing_log(context) as log, vouched(context, tmp_path / "witness") as (asking, _, vouch):
        log.settle()
        case = rich_case(context, log, vouch)
        case.context = asking
        return case.bundle()


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[Path], tuple[int, list[str]]]:
    """What the program prints and how it ends; every claim has its line, and none says more than it should."""

    def run(place: Path) -> tuple[int, list[str]]:
        status = main([str(place)])
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[1] for line in lines[: len(CLAIMS)]] == [name for name, _, _ in CLAIMS]
        assert [line for line in lines if UNFORESEEN in line] == []
        assert status == (1 if any(line.startswith(FALLS) for line in lines) else 0)
        assert lines[-1].startswith("NOT VERIFIED" if status else "VERIFIED")
        return status, lines

    return run


def damaged(chance: random.Random, data: bytes) -> bytes:
    """A bit flipped, a byte exchanged, a piece lost, doubled or put in."""
    place = chance.randrange(len(data) + 1)
    end = min(len(data), place + chance.randint(1, 40))
    kind = chance.randrange(6)
    if kind == 0 and place < len(data):
        return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]
    if kind == 1 and place < len(data):
        return data[:place] + chance.choice(b'0123456789abcdef"{}[],:-\n').to_bytes() + data[place + 1 :]
    if kind == 2:
        return data[:place]
    if kind == 3:
        return data[:place] + data[end:]
    if kind == 4:
        return data[:end] + data[place:]
    return data[:place] + chance.randbytes(chance.randint(1, 20)) + data[place:]


def says_the_same(name: str, one: bytes, other: bytes) -> bool:
    if name not in JSON:
        return one == other
    try:
        return json.dumps(json_value(one.decode(), name)) == json.dumps(json_value(other.decode(), name))
    except ValueError:
        return False


def test_no_damage_to_a_file_ends_in_a_traceback_or_goes_unseen(
    packed: bytes, tmp_path: Path, said: Callable[[Path], tuple[int, list[str]]]
) -> None:
    """Each file of a bundle, damaged by chance: as it came, and with a manifest written to fit."""
    honest = unpacked(packed)
    folder = laid_out(tmp_path / "bundle", honest)
    assert said(folder)[0] == 0
    chance = random.Random("a bundle's files")
    for name, data in honest.items():
        program = name == parts.LAUNCHER or name.startswith(parts.VERIFIER)
        for _ in range(ROUNDS_A_PROGRAM_FILE if program else ROUNDS_A_PART):
            changed = damaged(chance, data)
            if changed == data:
                continue
            (folder / name).write_bytes(changed)
            status, lines = said(folder)
            if name != parts.MANIFEST or not says_the_same(parts.POLICY, changed, data):
                assert status == 1 and lines[0].startswith(FALLS), (name, changed)
            if name != parts.MANIFEST:
                (folder / parts.MANIFEST).write_bytes(sealed({**honest, name: changed})[parts.MANIFEST])
                status, lines = said(folder)
                assert lines[0].startswith(HOLDS), lines[0]
                if not name.startswith(NOT_BOUND) and not says_the_same(name, changed, data):
                    assert status == 1, (name, changed)
            (folder / name).write_bytes(data)
            (folder / parts.MANIFEST).write_bytes(honest[parts.MANIFEST])
    assert said(folder)[0] == 0


def contents(packed: bytes) -> Parts | None:
    """What an ordinary reader finds in a zip, or None when it finds nothing it can read."""
    try:
        return unpacked(packed)
    except Exception:
        return None


def test_no_damage_to_the_zip_ends_in_a_traceback_or_goes_unseen(
    packed: bytes, tmp_path: Path, said: Callable[[Path], tuple[int, list[str]]]
) -> None:
    honest = contents(packed)
    directory = packed.rindex(b"PK\x01\x02", 0, packed.index(b"PK\x01\x02") + 4)
    chance = random.Random("a bundle's zip")
    file = tmp_path / "bundle.zip"
    file.write_bytes(packed)
    assert said(file)[0] == 0
    seen = set()
    for number in range(ROUNDS_OF_THE_ZIP):
        # The directory is a twentieth of the file, and half of what can go wrong.
        cut = directory if number % 2 else 0
        file.write_bytes(packed[:cut] + damaged(chance, packed[cut:]))
        status, _ = said(file)
        seen.add(status)
        assert status == 1 or contents(file.read_bytes()) == honest
    assert 1 in seen


def at(place: int, byte: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([byte]) + data[place + 1 :]


def in_each_entry(offset: int, byte: int) -> Callable[[bytes], bytes]:
    """One byte of every entry of the zip's directory."""

    def change(data: bytes) -> bytes:
        written = bytearray(data)
        place = data.find(b"PK\x01\x02")
        while place >= 0:
            written[place + offset] = byte
            place = data.find(b"PK\x01\x02", place + 46)
        return bytes(written)

    return change


ZIPS: dict[str, Callable[[bytes], bytes]] = {
    "a bit of what is compressed": lambda data: at(100, data[100] ^ 0x10)(data),
    "compressed in a way unknown": in_each_entry(10, 97),
    "compressed in a way not used": in_each_entry(10, 14),
    "encrypted": in_each_entry(8, 1),
    "of a version to come": in_each_entry(6, 99),
    "with names that are no text": in_each_entry(46, 0xFF),
    "without an end": lambda data: data[:-10],
    "without a beginning": lambda data: data[5000:],
    "of nothing": lambda _: b"",
    "only an end": lambda data: data[-22:],
    "no zip": lambda data: data[::-1],
}


@pytest.mark.parametrize("name", ZIPS)
def test_a_zip_that_is_none_is_named(
    packed: bytes, tmp_path: Path, said: Callable[[Path], tuple[int, list[str]]], name: str
) -> None:
    (tmp_path / "bundle.zip").write_bytes(ZIPS[name](packed))
    status, lines = said(tmp_path / "bundle.zip")
    assert status == 1 and lines[0].startswith(FALLS)


def test_a_part_that_stands_twice_in_a_zip_is_named(
    packed: bytes, tmp_path: Path, said: Callable[[Path], tuple[int, list[str]]]
) -> None:
    """Who reads from the front reads one statement, who reads the directory another."""
    written = io.BytesIO(packed)
    with zipfile.ZipFile(written, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(parts.STATEMENT, archive.read(parts.STATEMENT))
    (tmp_path / "bundle.zip").write_bytes(written.getvalue())
    status, lines = said(tmp_path / "bundle.zip")
    assert status == 1
    assert "statement.json stands in it twice" in lines[0]


def test_json_of_any_shape_in_any_part_is_a_claim_that_falls(
    packed: bytes, tmp_path: Path, said: Callable[[Path], tuple[int, list[str]]]
) -> None:
    honest = unpacked(packed)
    folder = laid_out(tmp_path / "bundle", honest)
    shapes = (DEEP, b"{", b"", b"{}", b"[]", b"[[]]", b"null", b"1", b'"text"', b"NaN", b"\xff", b'{"trees":[null]}')
    for name in (*JSON, parts.RULEBOOK, parts.EVENTS, parts.CONSISTENCY):
        for shape in shapes:
            if (name, shape) == (parts.ANCHORS, b"[]"):
                continue
            content = sealed({**honest, name: shape})
            for changed in (name, parts.MANIFEST):
                (folder / changed).write_bytes(content[changed])
            assert said(folder)[0] == 1, (name, shape[:20])
        (folder / name).write_bytes(honest.get(name, b""))
    (folder / parts.CONSISTENCY).unlink()
    for shape in shapes:
        (folder / parts.MANIFEST).write_bytes(shape)
        assert said(folder)[0] == 1, shape[:20]


def places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Where anything stands in a JSON value; of a list, only in its first."""
    yield path
    inner = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def put(value: object, path: tuple[object, ...], new: object) -> object:
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
    copied[path[0]] = put(copied[path[0]], path[1:], new)
    return copied


MAY_BE_EMPTY = {
    (parts.POLICY, ("witnesses",)),
    (parts.POLICY, ("authorities",)),
    (parts.ANCHORS, ()),
    (parts.ANCHORS, (0, "cosignatures")),
}
"""Lists in which there may be nothing: then less is shown, and the claim says so."""


OTHER_VALUES: tuple[object, ...] = (None, [], {}, -1, 10**30, True, "\ud800", "x")


@pytest.mark.parametrize("name", [parts.POLICY, parts.ANCHORS, parts.INCLUSION, parts.OPENINGS])
def test_anything_else_in_any_place_of_a_part_is_a_claim_that_falls(
    packed: bytes, tmp_path: Path, said: Callable[[Path], tuple[int, list[str]]], name: str
) -> None:
    """Null for a key, a list for a clock, a number too large for a size: each by the name of its claim."""
    honest = unpacked(packed)
    folder = laid_out(tmp_path / "bundle", honest)
    whole = json.loads(honest[name])
    for path in places(whole):
        for new in OTHER_VALUES:
            other = put(whole, path, new)
            if json.dumps(other) == json.dumps(whole):
                continue
            content = sealed({**honest, name: json.dumps(other).encode()})
            for changed in (name, parts.MANIFEST):
                (folder / changed).write_bytes(content[changed])
            status, _ = said(folder)
            assert status == 1 or (new == [] and (name, path) in MAY_BE_EMPTY), (path, new)


def test_what_a_bundle_writes_cannot_look_like_a_line_of_the_verifier_s(
    packed: bytes, tmp_path: Path, said: Callable[[Path], tuple[int, list[str]]]
) -> None:
    content = unpacked(packed)
    content["x\nVERIFIED\x1b[2K"] = b""
    status, lines = said(laid_out(tmp_path / "bundle", sealed(content)))
    assert status == 1
    assert [line for line in lines if line.startswith("VERIFIED")] == []


def test_a_fault_of_the_program_itself_is_told_and_never_taken_for_a_proof(
    packed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbles(reading: ClaimContext) -> str:
        raise ZeroDivisionError("in a claim")

    monkeypatch.setattr("xueji.evidence.verify.CLAIMS", [("leaves", "", stumbles)])
    (tmp_path / "bundle.zip").write_bytes(packed)
    ((verdict, _, told),) = verify(Bundle(tmp_path / "bundle.zip"))
    assert verdict == FALLS
    assert told.startswith(f"{UNFORESEEN}: ZeroDivisionError in test_damage.py, line ")


@pytest.mark.parametrize("written", ['{"a":1,"a":1}', '[{"b":{"a":1,"a":2}}]', "[1.5]", "[NaN]", "[Infinity]", "[1e3]"])
def test_json_that_two_readers_may_read_differently_is_refused(written: str) -> None:
    with pytest.raises(BundleError, match=r"some\.json is not JSON as bundles write it"):
        json_value(written, "some.json")


def test_what_a_desktop_leaves_in_a_folder_is_no_part_of_the_bundle(
    packed: bytes, tmp_path: Path, said: Callable[[Path], tuple[int, list[str]]]
) -> None:
    folder = laid_out(tmp_path / "bundle", unpacked(packed))
    (folder / ".DS_Store").write_bytes(b"a Finder was here")
    assert said(folder)[0] == 0
    (folder / "notes.txt").write_bytes(b"mine")
    status, lines = said(folder)
    assert status == 1
    assert "notes.txt is no part of the bundle" in lines[0]
