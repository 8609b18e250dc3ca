"""Signatures, notes, checkpoints, cosignatures, tile paths and proofs as their specifications write them."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from xueji.trace import ed25519, inclusion, note, tiles
from xueji.trace.note import Checkpoint, Note, NoteError, SignatureError, VerifierKey
from xueji.trace.signing import CLOCK, LOG, SigningKey, clock_name

# RFC 8032, 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
ORIGIN = "tests.example/log"
CHECKPOINT = Checkpoint(ORIGIN, 20852163, bytes(range(32)))


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_vectors_of_the_rfc_hold(public: str, message: str, signature: str) -> None:
    assert ed25519.verify(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_it_agrees_with_another_implementation(seed: bytes, message: bytes, bit: int) -> None:
    secret = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = secret.public_key().public_bytes_raw(), secret.sign(message)
    assert ed25519.verify(public, message, signature)
    assert not ed25519.verify(public, message + b"x", signature)
    changed = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
    assert not ed25519.verify(public, message, changed)


def test_a_signature_cannot_be_written_in_a_second_way() -> None:
    public, message, signature = (bytes.fromhex(part) for part in VECTORS[1])
    s = int.from_bytes(signature[32:], "little") + ed25519.ORDER
    assert not ed25519.verify(public, message, signature[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize("public", [b"", b"\xff" * 32, (2).to_bytes(32, "little"), bytes(31)])
def test_what_is_no_key_verifies_nothing(public: bytes) -> None:
    assert not ed25519.verify(public, b"", bytes(64))


def signed(text: str, *keys: SigningKey, at: int = 1_795_000_000) -> Note:
    return Note(text, ()).with_lines(key.sign(text, at) for key in keys)


def test_a_checkpoint_survives_being_written_and_read() -> None:
    key, clock = SigningKey.new(LOG, ORIGIN), SigningKey.new(CLOCK, clock_name(ORIGIN))
    written = str(signed(CHECKPOINT.text, key, clock))
    read = Note.parse(written)
    assert str(read) == written
    assert Checkpoint.parse(read.text) == CHECKPOINT
    assert [(each.key, each.time) for each in read.verify([key.public, clock.public])] == [
        (key.public, None),
        (clock.public, 1_795_000_000),
    ]


def test_signatures_of_strangers_are_passed_over() -> None:
    key, stranger = SigningKey.new(LOG, ORIGIN), SigningKey.new(LOG, ORIGIN)
    assert signed(CHECKPOINT.text, stranger).verify([key.public]) == []
    assert len(signed(CHECKPOINT.text, stranger, key).verify([key.public])) == 1


@pytest.mark.parametrize("purpose", [LOG, CLOCK])
def test_a_changed_text_is_noticed(purpose: str) -> None:
    key = SigningKey.new(purpose, ORIGIN)
    other = Note(Checkpoint(ORIGIN, 20852164, bytes(32)).text, signed(CHECKPOINT.text, key).signatures)
    with pytest.raises(SignatureError, match=ORIGIN):
        other.verify([key.public])


def test_a_changed_time_is_noticed() -> None:
    clock = SigningKey.new(CLOCK, clock_name(ORIGIN))
    (honest,) = signed(CHECKPOINT.text, clock).signatures
    moved = note.Signature(honest.name, honest.key_id, (1_794_000_000).to_bytes(8, "big") + honest.signature[8:])
    with pytest.raises(SignatureError):
        Note(CHECKPOINT.text, (moved,)).verify([clock.public])


def test_keys_survive_being_written_and_read() -> None:
    for purpose in (LOG, CLOCK):
        key = SigningKey.new(purpose, ORIGIN)
        assert SigningKey.parse(key.line.rstrip("\n")).public == key.public
        assert VerifierKey.parse(str(key.public)) == key.public


def test_the_key_hash_is_that_of_the_specification() -> None:
    """The example that Go's note package documents."""
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    lines = (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert [each.key for each in Note.parse(text + "\n" + lines).verify([key])] == [key]


@pytest.mark.parametrize(
    "written",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n- name AAAAAAAAAAA=\n",
        "text\n\n— name AAAA\n",
        "text\n\n— name AAAAAAAAAAA=",
        "te\txt\n\n— name AAAAAAAAAAA=\n",
    ],
)
def test_what_is_no_note_is_refused(written: str) -> None:
    with pytest.raises(NoteError):
        Note.parse(written)


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029"])
def test_a_line_ends_at_a_line_feed_and_at_nothing_else(end: str) -> None:
    line = "— name AAAAAAAAAAA="
    assert len(Note.parse(f"text\n\n{line}\n{line}\n").signatures) == 2
    with pytest.raises(NoteError):
        Note.parse(f"text\n\n{line}{end}{line}\n")


@pytest.mark.parametrize(
    "text",
    ["origin\n", "origin\n1\nAAAA\n", "origin\n01\n" + "A" * 43 + "=\n", "o\n-1\n" + "A" * 43 + "=\n", "a\n\nb\n"],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        (0, 256, "000"),
        (255, 256, "255"),
        (1000, 256, "x001/000"),
        (1234067, 256, "x001/x234/067"),
        (273, 112, "273.p/112"),
        (1234067, 8, "x001/x234/067.p/8"),
    ],
)
def test_tile_paths_are_those_of_the_specification(number: int, width: int, path: str) -> None:
    assert tiles.number_path(number, width) == path
    assert tiles.parse_number_path(path) == (number, width)


@pytest.mark.parametrize(
    "path", ["0", "0000", "x000/001", "001.p/0", "001.p/256", "001.p/300", "../001", "-01", "001/"]
)
def test_other_spellings_name_no_tile(path: str) -> None:
    with pytest.raises(tiles.NoSuchTile):
        tiles.parse_number_path(path)


def test_an_entry_bundle_gives_back_its_leaves() -> None:
    leaves = [b"", b"one", b"x" * 65535]
    bundle = tiles.entry_bundle(leaves)
    assert list(tiles.read_entry_bundle(bundle)) == leaves
    with pytest.raises(ValueError, match="cut short"):
        list(tiles.read_entry_bundle(bundle[:-1]))


def test_a_proof_survives_being_written_and_read() -> None:
    checkpoint = str(signed(CHECKPOINT.text, SigningKey.new(LOG, ORIGIN)))
    text = inclusion.proof_text(73894, [bytes(32), bytes(range(32))], checkpoint)
    assert text.startswith("c2sp.org/tlog-proof@v1\nindex 73894\nAAAA")
    assert inclusion.parse_proof(text) == (73894, [bytes(32), bytes(range(32))], checkpoint)


LINE = "— name AAAAAAAAAAA="


def written_key(name: str, material: bytes, digest: str = "") -> str:
    fitting = note.key_id(name, material[0], material[1:]).hex()
    return f"{name}+{digest or fitting}+{base64.b64encode(material).decode()}"


def test_a_key_is_read_only_in_the_form_it_is_written_in() -> None:
    good = written_key("name", bytes([note.ED25519]) + bytes(32))
    assert str(VerifierKey.parse(good)) == good
    long = "x" * 100
    fitting = "the hash in the key of {} is not the key's"
    unknown = "the key of name is of a kind that is not known here"
    refused = {
        good.replace("+A", "+!A"): f"{good.replace('+A', '+!A')[:80]!r} is not a verifier key",
        long: f"{long[:80]!r} is not a verifier key",
        written_key("name", bytes([note.ED25519]) + bytes(33)): unknown,
        written_key("name", bytes([2]) + bytes(32)): unknown,
        written_key("", bytes([note.ED25519]) + bytes(32)): fitting.format(""),
        written_key("name", bytes([note.ED25519]) + bytes(32), "00000000"): fitting.format("name"),
    }
    for text, why in refused.items():
        with pytest.raises(NoteError) as refusal:
            VerifierKey.parse(text)
        assert str(refusal.value) == why


def test_a_refused_note_says_what_is_wrong_with_it() -> None:
    long = "x" * 100
    refused = {
        f"te\txt\n\n{LINE}\n": "the note holds control characters",
        f"text\n\n{LINE}": "the note has no signatures",
        f"text\n\n{long}\n": f"{long[:80]!r} is not a signature line",
        f"text\n\n— name {'A' * 97}\n": f"{('— name ' + 'A' * 97)[:80]!r} is not a signature line",
        "text\n\n— name AAAAAAA==\n": "'— name AAAAAAA==' is not a signature line",
        "text\n\n— name AAAAAA==\n": "the signature of name is too short",
        "text\n\n" + f"{LINE}\n" * (note.MOST_SIGNATURES + 1): "the note has too many signatures",
    }
    for written, why in refused.items():
        with pytest.raises(NoteError) as refusal:
            Note.parse(written)
        assert str(refusal.value) == why


def test_the_bounds_of_a_note_are_those_it_names() -> None:
    assert len(Note.parse("text\n\n" + f"{LINE}\n" * note.MOST_SIGNATURES).signatures) == note.MOST_SIGNATURES
    assert Note.parse("text\n\n— name AAAAAAA=\n").signatures == (note.Signature("name", bytes(4), bytes(1)),)
    end = f"\n\n{LINE}\n"
    assert Note.parse("x" * (note.LARGEST_NOTE - len(end)) + end).signatures
    with pytest.raises(NoteError, match=r"^the note is too long$"):
        Note.parse("x" * (note.LARGEST_NOTE - len(end) + 1) + end)


def test_a_text_may_hold_an_empty_line_and_a_last_line_needs_no_end() -> None:
    read = Note.parse(f"one\n\ntwo\n\n{LINE}\n")
    assert read.text == "one\n\ntwo\n"
    assert Note(read.text, ()).with_lines([LINE]).signatures == read.signatures


def test_a_refused_checkpoint_says_what_is_wrong_with_it() -> None:
    root = base64.b64encode(bytes(32)).decode()
    none = "the text is not a checkpoint"
    refused = {
        f"origin\n1\n{root}": none,
        f"origin\n1\n{root}\nmore": none,
        f"origin\n1\n{root}\n\n": none,
        f"origin\n1\n{root}\n\nmore\n": none,
        f"origin\n\n{root}\n": none,
        f"origin\n01\n{root}\n": "the checkpoint's size is not a number",
        f"origin\n1\n!{root}\n": "the checkpoint's root is not base64",
        f"origin\n1\n{root[:-1]}\n": "the checkpoint's root is not base64",
        "origin\n1\nAAAA\n": "the checkpoint's root is not 32 bytes",
    }
    for text, why in refused.items():
        with pytest.raises(NoteError) as refusal:
            Checkpoint.parse(text)
        assert str(refusal.value) == why
    assert Checkpoint.parse(f"origin\n1\n{root}\nmore\n") == Checkpoint("origin", 1, bytes(32))


def test_a_signature_has_its_length_and_nothing_behind_it() -> None:
    public, message, signature = (bytes.fromhex(part) for part in VECTORS[1])
    assert not ed25519.verify(public, message, signature + b"\0")


NEUTRAL, ZERO = (1).to_bytes(32, "little"), bytes(32)


def test_a_point_and_a_number_are_written_in_one_way_only() -> None:
    """The neutral point signs everything (RFC 8032 leaves it in); each other spelling of it, or of zero, is refused."""
    assert ed25519.verify(NEUTRAL, b"", NEUTRAL + ZERO)
    assert not ed25519.verify(NEUTRAL, b"", NEUTRAL + ed25519.ORDER.to_bytes(32, "little"))
    assert not ed25519.verify((1 | 1 << 255).to_bytes(32, "little"), b"", NEUTRAL + ZERO)
    order_of_four = ed25519.PRIME.to_bytes(32, "little")
    assert not any(ed25519.verify(order_of_four, bytes([number]), NEUTRAL + ZERO) for number in range(40))
    assert any(ed25519.verify(ZERO, bytes([number]), NEUTRAL + ZERO) for number in range(40))
