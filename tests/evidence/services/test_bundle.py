"""A bundle proves itself, and whatever is done to it afterwards is named by the verifier."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update
from support.authority import Authority
from support.bundles import Parts, edited, fallen, first, flip, judged, laid_out, unpacked
from support.evidence import PICTURES, Case, new_case, rich_case, vouched
from support.growing_log import growing_log
from support.school import new_member, new_organisation

import xueji
from xueji.cohorts.models import Cohort
from xueji.enrolment.chain_binding import audit_binding
from xueji.enrolment.models import Enrolment
from xueji.evidence import bundle as parts
from xueji.evidence.errors import NoSuchCheckpoint, NotYetSigned
from xueji.evidence.program import VERIFIER_FILES, digest, program
from xueji.evidence.readme import README
from xueji.evidence.rules import ABOUT, IN_FULL
from xueji.evidence.services import build_bundle
from xueji.evidence.verify import CLAIMS, HOLDS, UNANSWERED, main
from xueji.hours.errors import AccountOfAnother
from xueji.hours.queries import statement_of, statements_of
from xueji.identity.models import FaceView
from xueji.identity.rules import OrganisationKind
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.crypto import Keyring
from xueji.kernel.database import Database
from xueji.kernel.errors import NotFound
from xueji.kernel.settings import Settings
from xueji.kernel.storage import Store
from xueji.trace import canonical, merkle, queries
from xueji.trace.models import CheckpointRow as CheckpointRow
from xueji.trace.note import Note
from xueji.trace.rules import STAFF_NAME, STAFF_ORGANISATION, Event
from xueji.trace.signing import KeyFile, SigningKey


@pytest.fixture
def case(context: Context, tmp_path: Path) -> Iterator[Case]:
    with growing_log(context) as log, vouched(context, tmp_path / "witness") as (asking, _, vouch):
        log.settle()
        made = rich_case(context, log, vouch)
        made.context = asking
        yield made


def test_an_honest_bundle_proves_every_claim(case: Case, tmp_path: Path) -> None:
    verdicts = judged(tmp_path / "bundle", unpacked(case.bundle()))
    assert {verdict for verdict, _ in verdicts.values()} == {HOLDS}, verdicts
    assert "2 pictures" in verdicts["pictures"][1]
    assert "1 erased on 2026-11-23" in verdicts["openings"][1]
    assert re.search(r"[3-9] time-stamps and [3-9] cosignatures", verdicts["outside"][1])
    assert verdicts["hours"][1].startswith("1 min 0 s online")


def test_the_verifier_runs_alone_from_inside_the_bundle(case: Case, tmp_path: Path) -> None:
    """Isolated, without site packages, and changing nothing: in the folder, and given the zip."""
    data = case.bundle()
    (tmp_path / "bundle.zip").write_bytes(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path / "bundle")
    before = sorted(path for path in (tmp_path / "bundle").rglob("*"))
    for arguments in (["verify.py"], ["verify.py", "../bundle.zip"], ["verify.py", "--policy", "policy.json", "."]):
        run = subprocess.run(
            [sys.executable, "-I", "-S", *arguments], cwd=tmp_path / "bundle", capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout + run.stderr
        last = run.stdout.splitlines()[-1]
        assert last.startswith("VERIFIED")
        assert "seen outside by 见证者 a time-stamp authority, regulator.example" in last
        came_along = "this program came with the bundle and cannot vouch for itself" in run.stdout
        assert came_along == ("../bundle.zip" not in arguments)
    assert sorted(path for path in (tmp_path / "bundle").rglob("*")) == before
    (tmp_path / "bundle" / parts.STATEMENT).write_text("{}")
    run = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py"], cwd=tmp_path / "bundle", capture_output=True, text=True
    )
    assert run.returncode == 1
    assert run.stdout.splitlines()[-1] == "NOT VERIFIED 验证未通过: files, hours"


def test_the_verifier_is_the_platform_s_own_code(case: Case) -> None:
    root = Path(xueji.__file__).parent
    with zipfile.ZipFile(io.BytesIO(case.bundle())) as archive:
        copied = {
            name.removeprefix("verifier/xueji/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith("verifier/")
        }
    assert {"evidence/verify.py", "trace/merkle.py", "hours/rules/assessment.py", "rulebook/rules.py"} <= set(copied)
    assert all((root / name).read_bytes() == data for name, data in copied.items())
    assert all(list(root.glob(pattern)) for pattern in VERIFIER_FILES)


def test_the_command_says_what_holds_and_what_does_not(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(case.bundle())
    assert main([str(file)]) == 0
    said = capsys.readouterr().out
    assert "ok   chain 前后连续: leaves 0 to" in said
    assert "compare with a policy you hold" in said
    assert main([str(tmp_path / "nothing.zip")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("FAIL files 文件齐全: ") and "is no bundle" in lines[0]
    assert [line.split()[1] for line in lines[1:-1]] == [name for name, _, _ in CLAIMS[1:]]
    assert lines[-1] == "NOT VERIFIED 验证未通过: files"
    assert main([str(file), "--policy", str(tmp_path / "nothing.json")]) == 1
    assert "FAIL yours" in capsys.readouterr().out


def test_the_readme_explains_each_claim_and_sends_the_auditor_to_a_program_of_her_own() -> None:
    chinese, english = README.split("Xueji evidence bundle\n===")
    for words in (chinese, english):
        explained = re.findall(r"^  ([a-z]+) {2,}\S", words, flags=re.MULTILINE)
        assert [name for name in explained if name in dict.fromkeys(claim for claim, _, _ in CLAIMS)] == [
            name for name, _, _ in CLAIMS
        ]
        assert "xueji verify" in words
        assert "/log/verifier" in words
        assert "sha256sum --check" in words
    assert all(f"  {name:12} {label}" in chinese for name, label, _ in CLAIMS)


# -- tampering --------------------------------------------------------------------------------------------------------


def lines(content: Parts, change: Callable[[list[bytes]], list[bytes]]) -> None:
    content[parts.EVENTS] = b"".join(line + b"\n" for line in change(content[parts.EVENTS].splitlines()))


def beat(content: Parts) -> int:
    """The line of a beat with leaves on both sides."""
    return next(n for n, line in enumerate(content[parts.EVENTS].splitlines()) if b'"event":"beat"' in line) + 2


def rehashed(content: Parts) -> None:
    """A beat that earned nothing after all, and every later leaf written anew so that the chain closes again."""
    written: list[bytes] = []
    previous = bytes(32)
    for n, line in enumerate(content[parts.EVENTS].splitlines()):
        leaf = json.loads(line)
        if n == beat(content):
            leaf["values"].update(credited=[], furthest_ms=0)
        leaf["prev"] = previous.hex()
        if leaf["event"] == "evidence.export":
            leaf["values"]["head"] = leaf["prev"]
        written.append(canonical.encode(leaf))
        previous = merkle.leaf_hash(written[-1])
    lines(content, lambda _: written)


def swap(place: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda found: [*found[:place], found[place + 1], found[place], *found[place + 2 :]]


def foreign_leaf(content: Parts) -> None:
    def change(found: list[bytes]) -> list[bytes]:
        leaf = json.loads(found[3])
        leaf["chain"] = "somebody else"
        return [*found[:3], canonical.encode(leaf), *found[4:]]

    lines(content, change)


def resigned(content: Parts, size: int | None = None) -> None:
    """The checkpoint signed by somebody who calls himself by the log's name."""
    note = Note.parse(content[parts.CHECKPOINT].decode())
    origin = note.text.split("\n")[0]
    keys = [SigningKey.new("log", origin), SigningKey.new("clock", f"{origin}/clock")]
    forged = str(Note(note.text, ()).with_lines(key.sign(note.text, 1_795_500_000) for key in keys))
    exchange_checkpoint(content, forged)


def exchange_checkpoint(content: Parts, forged: str) -> None:
    content[parts.CHECKPOINT] = forged.encode()
    edited(content, parts.INCLUSION, lambda values: values["trees"][-1].update(checkpoint=forged))


def without_clock(content: Parts) -> None:
    kept = [line for line in content[parts.CHECKPOINT].decode().splitlines(True) if "/clock" not in line]
    exchange_checkpoint(content, "".join(kept))


def larger(content: Parts) -> None:
    head, size, rest = content[parts.CHECKPOINT].decode().split("\n", 2)
    exchange_checkpoint(content, f"{head}\n{int(size) + 1}\n{rest}")


def foreign_stamp(content: Parts) -> None:
    name = first(content, parts.TIMESTAMPS)
    size = int(name.split("-")[1])
    note = next(each["note"] for each in json.loads(content[parts.ANCHORS]) if each["size"] == size)
    content[name] = Authority.new().stamp(note.encode())


def stamp_of_another(content: Parts) -> None:
    one, two = sorted(name for name in content if name.startswith(parts.TIMESTAMPS))[:2]
    content[one] = content[two]


def forged_witness(content: Parts) -> None:
    def change(values: list[dict[str, list[str]]]) -> None:
        anchor = next(each for each in values if each["cosignatures"])
        name, _, signature = anchor["cosignatures"][0].rpartition(" ")
        anchor["cosignatures"] = [f"{name} {signature[:40]}{'A' if signature[40] != 'A' else 'B'}{signature[41:]}"]

    edited(content, parts.ANCHORS, change)


def opening(field: str, change: Callable[[dict[str, str]], None]) -> Callable[[Parts], None]:
    def tamper(content: Parts) -> None:
        def edit(values: dict[str, dict[str, dict[str, str]]]) -> None:
            change(next(each for each in values["opened"].values() if each["field"] == field))

        edited(content, parts.OPENINGS, edit)

    return tamper


def without_opening(content: Parts) -> None:
    edited(content, parts.OPENINGS, lambda values: values["opened"].popitem())


def pretend_erased(content: Parts) -> None:
    def change(values: dict[str, dict[str, object]]) -> None:
        commitment, _ = values["opened"].popitem()
        values["erased"][commitment] = "2026-11-21T09:00:00.000Z"

    edited(content, parts.OPENINGS, change)


def other_day(content: Parts) -> None:
    edited(
        content, parts.OPENINGS, lambda values: values["erased"].update(dict.fromkeys(values["erased"], "2020-01-01"))
    )


def exchange_pictures(content: Parts) -> None:
    one, two = sorted(name for name in content if name.startswith(parts.PICTURES))
    content[one], content[two] = content[two], content[one]


def setting(name: str, value: object) -> Callable[[Parts], None]:
    return lambda content: edited(content, parts.STATEMENT, lambda values: values.update({name: value}))


def on_file(name: str, change: Callable[[bytes], bytes]) -> Callable[[Parts], None]:
    return lambda content: content.update({name: change(content[name])})


def on_lines(change: Callable[[list[bytes], int], list[bytes]]) -> Callable[[Parts], None]:
    return lambda content: lines(content, lambda found: change(found, beat(content)))


def first_hash(name: str, path: Callable[[Any], list[str]]) -> Callable[[Parts], None]:
    def tamper(content: Parts) -> None:
        def change(values: Any) -> None:
            hashes = path(values)
            hashes[0] = ("A" if hashes[0][0] != "A" else "B") + hashes[0][1:]

        edited(content, name, change)

    return tamper


def relabelled(content: Parts) -> None:
    """Each value still leads to its commitment; only what it is said to be is another thing."""
    names = {"device": "schedule", "schedule": "device"}

    def change(values: dict[str, dict[str, dict[str, str]]]) -> None:
        for opening in values["opened"].values():
            opening["field"] = names.get(opening["field"], opening["field"])

    edited(content, parts.OPENINGS, change)


def withheld_too(content: Parts) -> None:
    edited(content, parts.OPENINGS, lambda values: values["withheld"].append(min(values["opened"])))


def erasure_concealed(content: Parts) -> None:
    edited(
        content, parts.OPENINGS, lambda values: (values["withheld"].extend(values["erased"]), values["erased"].clear())
    )


def anchored(**values: object) -> Callable[[Parts], None]:
    return lambda content: edited(content, parts.ANCHORS, lambda anchors: anchors[0].update(values))


def beside(name: str, data: bytes) -> Callable[[Parts], None]:
    return lambda content: content.update({name: data})


def trusting(change: Callable[[Any], object]) -> Callable[[Parts], None]:
    return lambda content: edited(content, parts.POLICY, change)


def key_twice(name: str, key: bytes) -> Callable[[Parts], None]:
    """The first reader takes one value, the next reader the other."""
    return on_file(name, lambda data: re.sub(rb'"%s": ?([^,\n}]+)' % key, rb'"%s": 9, \g<0>' % key, data, count=1))


MATRIX: dict[str, tuple[Callable[[Parts], object], str, str]] = {
    "a byte flipped": (
        on_lines(lambda found, n: [*found[:n], found[n].replace(b'"rate":1000', b'"rate":1001'), *found[n + 1 :]]),
        "chain", "does not name leaf",
    ),
    "a byte flipped, seen from the tree": (
        on_lines(lambda found, n: [*found[:n], found[n].replace(b'"rate":1000', b'"rate":1001'), *found[n + 1 :]]),
        "inclusion", "one of them was changed",
    ),
    "a byte flipped in the last leaf": (
        on_lines(lambda found, n: [*found[:-1], found[-1].replace(b'"v":1', b'"v":2')]), "leaves", "form known here",
    ),
    "another spelling of a leaf": (
        on_lines(lambda found, n: [*found[:n], found[n].replace(b'"v":1,', b'"v": 1,'), *found[n + 1 :]]),
        "leaves", "is not a leaf",
    ),
    "two leaves swapped": (on_lines(lambda found, n: swap(n)(found)), "chain", "leaf"),
    "a leaf deleted": (on_lines(lambda found, n: found[:n] + found[n + 1 :]), "chain", "should stand"),
    "the tail cut off": (on_lines(lambda found, n: found[:-3]), "chain", "does not close the chain"),
    "the file cut in a leaf": (on_file(parts.EVENTS, lambda data: data[:-9]), "leaves", "cut short"),
    "leaves reordered": (on_lines(lambda found, n: found[::-1]), "chain", "leaf 0 should stand"),
    "a leaf inserted": (on_lines(lambda found, n: [*found[:n], found[n], *found[n:]]), "chain", "should stand"),
    "the first leaf deleted": (on_lines(lambda found, n: found[1:]), "chain", "leaf 0 should stand"),
    "a leaf of somebody else": (foreign_leaf, "chain", "another chain"),
    "the chain written anew": (rehashed, "inclusion", "one of them was changed"),
    "the hours of a chain written anew": (rehashed, "hours", "not those that were recorded"),
    "a foreign checkpoint": (resigned, "signatures", "no signature of a key the policy knows"),
    "a larger checkpoint": (larger, "signatures", "does not hold"),
    "a checkpoint without a time": (without_clock, "signatures", "no time of a clock"),
    "another checkpoint beside the proof": (
        on_file(parts.CHECKPOINT, lambda data: data.replace(b"tests", b"other")), "signatures", "not the one",
    ),
    "a hash of the pruned tree": (
        first_hash(parts.INCLUSION, lambda values: values["trees"][0]["hashes"]), "inclusion", "do not lead to",
    ),
    "a place in the tree": (
        lambda content: edited(
            content, parts.INCLUSION, lambda values: values["trees"][0]["leaves"][0].__setitem__(1, 0)
        ),
        "inclusion", "",
    ),
    "a hash of an earlier checkpoint's proof": (
        first_hash(parts.ANCHORS, lambda values: values[0]["consistency"]), "consistency", "do not continue",
    ),
    "an earlier checkpoint": (
        lambda content: edited(
            content, parts.ANCHORS, lambda values: values[0].update(note=values[0]["note"].replace("tests", "other", 1))
        ),
        "signatures", "the policy does not know",
    ),
    "an earlier checkpoint's size": (
        lambda content: edited(content, parts.ANCHORS, lambda values: values[0].update(size=99)),
        "signatures", "listed",
    ),
    "a foreign time-stamp": (foreign_stamp, "outside", "nobody the policy trusts"),
    "a time-stamp of another checkpoint": (stamp_of_another, "outside", "something else"),
    "a damaged time-stamp": (
        lambda content: on_file(first(content, parts.TIMESTAMPS), flip)(content), "outside", "does not hold",
    ),
    "a forged cosignature": (forged_witness, "outside", "regulator.example/witness"),
    "better hours on paper": (setting("complete", True), "hours", "statement.json"),
    "another rulebook": (
        on_file(parts.RULEBOOK, lambda data: data.replace(b'"value":40', b'"value":90')), "hours", "rulebook.json",
    ),
    "another device": (opening("device", lambda each: each.update(value="iPhone")), "openings", "device"),
    "another key": (opening("device", lambda each: each.update(key="00" * 32)), "openings", "device"),
    "an opening left out": (without_opening, "openings", "neither opened, withheld nor erased"),
    "pretended to be erased": (pretend_erased, "openings", "the log does not say so"),
    "erased on another day": (other_day, "openings", "the log does not say so"),
    "another picture": (
        lambda content: content.update({first(content, parts.PICTURES): b"\xff\xd8 somebody else"}),
        "pictures", "not the one that was taken",
    ),
    "pictures exchanged": (exchange_pictures, "pictures", "not the one that was taken"),
    "a picture removed": (lambda content: content.pop(first(content, parts.PICTURES)), "pictures", "is missing"),
    "openings under each other's names": (relabelled, "openings", "and stands in its leaf as"),
    "an opening under no name": (opening("device", lambda each: each.update(field="")), "openings", "in its leaf as"),
    "opened and withheld at once": (withheld_too, "openings", "two things of one commitment"),
    "an erasure concealed": (erasure_concealed, "openings", "was erased on"),
    "an anchor of no tree": (anchored(tree=None), "signatures", "leaves belongs to no tree"),
    "an anchor of a foreign tree": (anchored(tree=1), "signatures", "leaves belongs to no tree"),
    "an anchor counted from the end": (anchored(tree=-1), "signatures", "leaves belongs to no tree"),
    "an anchor twice": (
        lambda content: edited(content, parts.ANCHORS, lambda anchors: anchors.append(anchors[0])),
        "signatures", "is listed twice",
    ),
    "anchors that are none": (on_file(parts.ANCHORS, lambda _: b"{}"), "signatures", "anchors.json is not a list"),
    "a time-stamp of a size that is not here": (
        beside("timestamps/0-99999-0.tst", b"garbage"), "outside", "0-99999-0.tst belongs to no checkpoint",
    ),
    "a time-stamp of another tree": (beside("timestamps/7-2-0.tst", b"garbage"), "outside", "belongs to no checkpoint"),
    "a time-stamp by another name": (beside("timestamps/notes.txt", b"garbage"), "outside", "not called as a time-st"),
    "a time-stamp spelt otherwise": (beside("timestamps/0-02-0.tst", b"garbage"), "outside", "not called as a time-st"),
    "a time-stamp in a folder": (beside("timestamps/0/2.tst", b"garbage"), "outside", "not called as a time-stamp"),
    "boundless lag": (trusting(lambda values: values.update(lag_ms=10**30)), "signatures", "lag_ms in policy.json"),
    "more lag than a log has": (trusting(lambda values: values.update(lag_ms=5001)), "signatures", "from 0 to 5000"),
    "lag that is not a number": (trusting(lambda values: values.update(lag_ms=True)), "signatures", "lag_ms"),
    "negative lag": (trusting(lambda values: values.update(lag_ms=-1)), "signatures", "lag_ms"),
    "no key": (trusting(lambda values: values["logs"][0]["keys"].__setitem__(0, None)), "signatures", "is not text"),
    "a key that is a list": (
        trusting(lambda values: values["logs"][0]["keys"].__setitem__(0, [])), "signatures", "the keys of",
    ),
    "no clock": (trusting(lambda values: values["logs"][0]["clocks"].__setitem__(0, None)), "signatures", "the clocks"),
    "a log's key for its clock": (
        trusting(lambda values: values["logs"][0].update(clocks=values["logs"][0]["keys"])),
        "signatures", "a key of another kind",
    ),
    "a log twice": (trusting(lambda values: values["logs"].append(values["logs"][0])), "signatures", "twice"),
    "an authority that is no certificate": (
        trusting(lambda values: values.update(authorities=["AAAA"])), "signatures", "is no certificate",
    ),
    "a policy of more than is known": (
        trusting(lambda values: values.update(distrusted=["somebody"])), "signatures", "'distrusted'",
    ),
    "a figure twice": (key_twice(parts.STATEMENT, b"counted_ms"), "hours", "stands twice"),
    "a lag twice": (key_twice(parts.POLICY, b"lag_ms"), "signatures", "stands twice"),
    "a size twice": (key_twice(parts.ANCHORS, b"size"), "signatures", "stands twice"),
    "a checkpoint twice": (key_twice(parts.INCLUSION, b"checkpoint"), "signatures", "stands twice"),
    "a list of openings twice": (key_twice(parts.OPENINGS, b"withheld"), "openings", "stands twice"),
    "a figure twice in a leaf": (key_twice(parts.EVENTS, b"rate"), "leaves", "not the canonical form"),
    "true for one": (setting("complete", 0), "hours", "statement.json"),
    "a rulebook misspelt": (
        on_file(parts.RULEBOOK, lambda data: data.replace(b'"initial"', b'"initiaX"')), "hours", "rulebook.json is not",
    ),
    "an empty rulebook": (on_file(parts.RULEBOOK, lambda _: b""), "hours", "rulebook.json is not"),
    "a rulebook without rules": (on_file(parts.RULEBOOK, lambda _: b"{}"), "hours", "rulebook.json is not"),
    "a rulebook of garbage": (on_file(parts.RULEBOOK, lambda data: data[::-1]), "hours", "rulebook.json is not"),
    "a bit of the rulebook": (on_file(parts.RULEBOOK, flip), "hours", "rulebook.json is not"),
    "a file that nobody knows": (beside("certificate.pdf", b"%PDF"), "files", "certificate.pdf is no part of"),
    "no explanation": (lambda content: content.pop(parts.README), "files", "README.txt"),
    "no program": (lambda content: content.pop(parts.LAUNCHER), "files", "verify.py"),
    "a part removed": (lambda content: content.pop(parts.ANCHORS), "signatures", "anchors.json is missing"),
}  # fmt: skip


def test_every_tampering_is_named(case: Case, tmp_path: Path) -> None:
    honest = unpacked(case.bundle())
    assert fallen(judged(tmp_path / "bundle", honest)) == {}
    for name, (tamper, claim, finding) in MATRIX.items():
        content = dict(honest)
        tamper(content)
        assert content != honest, name
        found = fallen(judged(tmp_path / "bundle", content))
        assert claim in found, f"{name}: {found}"
        assert finding in found[claim], f"{name}: {found[claim]}"


def test_without_signed_times_nothing_is_said_to_lie_between_them(case: Case, tmp_path: Path) -> None:
    honest = unpacked(case.bundle())
    bare = {name: data for name, data in honest.items() if not name.startswith(parts.TIMESTAMPS)}
    edited(bare, parts.ANCHORS, lambda anchors: anchors.clear())
    verdicts = judged(tmp_path / "bundle", bare)
    assert fallen(verdicts) == {}
    assert verdicts["times"][0] == UNANSWERED
    assert "no signed time before any of its leaves" in verdicts["times"][1]
    edited(honest, parts.ANCHORS, lambda anchors: anchors.pop(0))
    for name in [name for name in honest if name.startswith(f"{parts.TIMESTAMPS}0-2-")]:
        del honest[name]
    verdict, said = judged(tmp_path / "bundle", honest)["times"]
    assert verdict == UNANSWERED and re.match(r"[1-9][0-9]* of [0-9]+ leaves have no signed time before", said), said


@pytest.mark.parametrize("name", [parts.LAUNCHER, "verifier/xueji/evidence/claims/log.py", "verifier/json.py"])
def test_a_program_that_is_not_ours_is_told_by_one_that_is(case: Case, tmp_path: Path, name: str) -> None:
    """With a manifest to fit it is no failure, because the next release differs too; without one it is."""
    content = unpacked(case.bundle())
    assert judged(tmp_path / "bundle", content)["verifier"][0] == HOLDS
    content[name] = b'print("VERIFIED")\n'
    verdicts = judged(tmp_path / "bundle", content)
    assert fallen(verdicts) == {}
    assert verdicts["verifier"][0] == UNANSWERED
    assert f"(1 files differ, {name} first)" in verdicts["verifier"][1]


def test_the_program_s_digest_can_be_worked_out_without_it(case: Case, tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "bundle", unpacked(case.bundle()))
    by_hand = subprocess.run(
        "find verify.py verifier -type f | LC_ALL=C sort | xargs sha256sum | sha256sum",
        shell=True, cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert by_hand.stdout.split()[0] == digest(program())


def test_a_bundle_forged_whole_falls_with_the_auditor_s_own_policy(case: Case, tmp_path: Path) -> None:
    """Everything signed anew with other keys and listed in a policy of its own proves itself, and nothing else."""
    honest = unpacked(case.bundle())
    forged = dict(honest)
    origin = "tests.example/log"
    keys = [SigningKey.new("log", origin), SigningKey.new("clock", f"{origin}/clock")]

    def sign(note: str) -> str:
        text_of = Note.parse(note).text
        return str(Note(text_of, ()).with_lines(key.sign(text_of, 1_795_500_000) for key in keys))

    exchange_checkpoint(forged, sign(honest[parts.CHECKPOINT].decode()))
    forged[parts.ANCHORS] = b"[]"
    for name in [name for name in forged if name.startswith(parts.TIMESTAMPS)]:
        del forged[name]
    edited(
        forged,
        parts.POLICY,
        lambda values: values.update(
            logs=[{"origin": origin, "keys": [str(keys[0].public)], "clocks": [str(keys[1].public)]}]
        ),
    )
    itself = judged(tmp_path / "bundle", forged)
    assert fallen(itself) == {}
    assert itself["times"][0] == UNANSWERED
    found = fallen(judged(tmp_path / "bundle", forged, policy=honest[parts.POLICY].decode()))
    assert "no signature of a key the policy knows" in found["signatures"]


# -- what the auditor holds -------------------------------------------------------------------------------------------


def newest_note(case: Case) -> str:
    return case.log.notes()[-1]


def test_growth_since_the_auditor_s_checkpoint_is_proven(case: Case, tmp_path: Path) -> None:
    held = newest_note(case)
    size = case.log.newest().size
    case.study(20)
    without = judged(tmp_path / "bundle", unpacked(case.bundle()), held=held)
    assert f"ask for one with from={size}" in fallen(without)["consistency"]
    content = unpacked(case.bundle(held_size=size))
    verdicts = judged(tmp_path / "bundle", content, held=held)
    assert f"since your checkpoint of {size} leaves" in verdicts["consistency"][1]
    assert fallen(verdicts) == {}
    first_hash(parts.CONSISTENCY, lambda values: values["hashes"])(content)
    assert "the checkpoint you hold" in fallen(judged(tmp_path / "bundle", content, held=held))["consistency"]


@pytest.mark.parametrize(
    ("brought", "claim", "finding"),
    [
        ({"policy": "[" * 200_000}, "signatures", "the policy you hold is nested too deeply"),
        ({"policy": "{}"}, "signatures", "the policy you hold has no logs"),
        ({"held": ""}, "consistency", "the checkpoint you hold: the note has no signatures"),
        ({"held": "tests.example/log\n1\nAAAA\n\n— x AAAAAAAA\n"}, "consistency", "root is not 32 bytes"),
    ],
)
def test_what_the_auditor_brings_is_read_as_carefully(
    case: Case, tmp_path: Path, brought: dict[str, str], claim: str, finding: str
) -> None:
    found = fallen(judged(tmp_path / "bundle", unpacked(case.bundle()), **brought))
    assert list(found) == [claim]
    assert finding in found[claim]


def test_a_size_the_log_never_had_is_refused(case: Case) -> None:
    with pytest.raises(NoSuchCheckpoint):
        case.bundle(held_size=10**9)


def test_a_second_history_falls_with_the_checkpoint_the_auditor_holds(
    context: Context, make_database: Callable[..., str], tmp_path: Path
) -> None:
    """A restored database, signed on with the same keys after the guard's file was removed: a fork."""
    with growing_log(context) as log:
        rich_case(context, log)
        held = log.notes()[-1]
    settings = Settings(**{**vars(context.settings), "data": tmp_path / "second", "database_url": make_database()})
    database = Database(settings)
    second = Context(settings, database, Store.in_folder(tmp_path / "files"), Keyring.create(settings.keys))
    shutil.copy(context.settings.keys / "trace.keys", settings.keys / "trace.keys")
    with growing_log(second) as log:
        case = rich_case(second, log)
        log.record("more", 50)
        log.settle()
        size = int(held.split("\n")[1])
        content = unpacked(case.bundle(held_size=size))
    second.close()
    assert fallen(judged(tmp_path / "bundle", content)) == {}, "it proves itself"
    found = fallen(judged(tmp_path / "bundle", content, held=held))
    assert list(found) == ["consistency"]
    assert "the checkpoint you hold" in found["consistency"]


# -- what was done to the platform itself -----------------------------------------------------------------------------


def test_a_clock_set_back_is_named(context: Context, tmp_path: Path) -> None:
    with growing_log(context) as log:
        honest = new_case(context, log)
        log.record("somebody else", 3)
        log.settle()
        now = log.time.instant
        member = new_member(context, honest.school.organisation, Role.TRAINEE)
        log.time.instant = now - timedelta(hours=1)
        enrolment = honest.school.enrol(_cohort_of(honest), member)
        case = Case(context, log, honest.school, member, enrolment, honest.regulator, honest.lesson_id)
        case.study(10)
        log.time.instant = now + timedelta(minutes=1)
        log.settle()
        found = fallen(judged(tmp_path / "bundle", unpacked(case.bundle())))
    assert list(found) == ["times"]
    assert "leaf 0 says" in found["times"]
    assert "was not yet in the log at" in found["times"]


def _cohort_of(case: Case) -> Cohort:
    with case.context.database.reading() as session:
        return session.get_one(Cohort, case.enrolment.cohort_id)


@pytest.mark.parametrize("how", ["update", "replace"])
def test_a_leaf_changed_in_the_database_is_named(context: Context, tmp_path: Path, how: str) -> None:
    """Somebody with every right takes the seat belt off and makes a beat say something else."""
    with growing_log(context) as log:
        case = rich_case(context, log)
        with context.database.writing() as session:
            found = session.execute(
                text("SELECT position, leaf FROM trace_leaf WHERE chain = :chain AND n = 4"), {"chain": case.chain}
            ).one()
            forged = bytes(found.leaf).replace(b'"rate":1000', b'"rate":1')
            assert forged != bytes(found.leaf)
            if context.database.is_sqlite:
                for trigger in ("update", "insert", "delete"):
                    session.execute(text(f"DROP TRIGGER trace_leaf_{trigger}"))
            else:
                session.execute(text("SET session_replication_role = replica"))
            row = {"position": found.position, "chain": case.chain, "leaf": forged}
            if how == "replace" and context.database.is_sqlite:
                session.execute(
                    text("REPLACE INTO trace_leaf VALUES (:position, 1, :chain, 4, :leaf)"),
                    row,
                )
            else:
                session.execute(text("UPDATE trace_leaf SET leaf = :leaf WHERE position = :position"), row)
        claims = fallen(judged(tmp_path / "bundle", unpacked(case.bundle())))
    assert claims["chain"] == "leaf 5 does not name leaf 4 as it stands here"
    assert "one of them was changed" in claims["inclusion"]


def test_a_bundle_across_a_loss_proves_both_logs(context: Context, tmp_path: Path) -> None:
    if not context.database.is_sqlite:
        pytest.skip("restores a file")
    with growing_log(context) as log:
        case = rich_case(context, log)
        backup = sqlite3.connect(tmp_path / "backup.sqlite")
        source = sqlite3.connect(context.settings.database_url.removeprefix("sqlite:///"))
        source.backup(backup)
        log.record("lost", 3)
        log.settle()
        context.database.dispose()
        backup.backup(source)
        backup.close()
        source.close()
        renamed = Settings(**{**vars(context.settings), "log_origin": "tests.example/second"})
        case.context = Context(renamed, context.database, context.store, context.keyring)
        log.context = case.context
        log.sequencer = type(log.sequencer)(context.database, renamed)
        log.sequencer.start()
        log.sequencer.open_new_origin()
        case.study(20)
        log.settle()
        verdicts = judged(tmp_path / "bundle", unpacked(case.bundle()))
    assert fallen(verdicts) == {}
    assert "tests.example/second" in verdicts["signatures"][1]
    with context.database.reading() as session:
        assert len(list(session.scalars(select(CheckpointRow.log).distinct()))) == 2


def test_a_bundle_after_a_rotation_holds_for_old_and_new_policies(case: Case, tmp_path: Path) -> None:
    before = unpacked(case.bundle())[parts.POLICY].decode()
    KeyFile(case.context.settings.keys).add("tests.example/log")
    case.study(10)
    content = unpacked(case.bundle())
    assert fallen(judged(tmp_path / "bundle", content)) == {}
    assert fallen(judged(tmp_path / "bundle", content, policy=before)) == {}


# -- who gets what ----------------------------------------------------------------------------------------------------


def test_pictures_are_for_those_who_may_see_faces_and_each_look_is_recorded(case: Case, tmp_path: Path) -> None:
    content = unpacked(case.bundle())
    pictures = sorted(data for name, data in content.items() if name.startswith(parts.PICTURES))
    assert pictures == sorted(PICTURES)
    with case.context.database.reading() as session:
        views = session.scalars(select(FaceView)).all()
        looks = [leaf for leaf in queries.chain(session, case.chain) if leaf["event"] == Event.FACE_VIEW]
    assert {view.viewer_id for view in views} == {case.regulator.person_id}
    assert [leaf["values"]["purpose"] for leaf in looks] == ["audit", "audit"]


def test_without_pictures_nobody_has_looked(case: Case, tmp_path: Path) -> None:
    verdicts = judged(tmp_path / "bundle", unpacked(case.bundle(with_pictures=False)))
    assert verdicts["pictures"] == (UNANSWERED, "the bundle was made without pictures")
    assert fallen(verdicts) == {}
    with case.context.database.reading() as session:
        assert session.scalars(select(FaceView)).all() == []


def test_an_employer_gets_hours_and_no_faces(case: Case, tmp_path: Path) -> None:
    from xueji.identity.models import Membership

    enterprise = new_organisation(case.context, OrganisationKind.ENTERPRISE)
    employer = new_member(case.context, enterprise, Role.ENTERPRISE)
    with case.context.database.writing() as session:
        session.add(
            Membership(
                person_id=case.enrolment.person_id, organisation_id=enterprise.id, role=Role.TRAINEE, since=clock.now()
            )
        )
    content = unpacked(case.bundle(employer.actor))
    assert fallen(judged(tmp_path / "bundle", content)) == {}
    assert not [name for name in content if name.startswith(parts.PICTURES)]
    opened = json.loads(content[parts.OPENINGS])["opened"]
    assert {each["field"] for each in opened.values()} == {"device", STAFF_ORGANISATION} | (ABOUT - {"session_title"})
    told = json.loads(content[parts.SUBJECT])
    assert told["masked_name"].endswith("*")
    assert "person_name" not in told
    assert "person_number" not in told
    with case.context.database.reading() as session:
        assert session.scalars(select(FaceView)).all() == []


def test_a_trainee_gets_her_own_and_never_the_times_of_checks(case: Case) -> None:
    content = unpacked(case.bundle(case.trainee.actor))
    opened = json.loads(content[parts.OPENINGS])["opened"]
    assert {each["field"] for each in opened.values()} == {
        *("device", "picture", "reference", STAFF_NAME, STAFF_ORGANISATION),
        *(IN_FULL | ABOUT - {"session_title"}),
    }


def _renamed(content: Parts, field: str, value: str) -> None:
    edited(content, parts.SUBJECT, lambda said: said.__setitem__(field, value))


def _reopened(content: Parts, field: str, value: str) -> None:
    """Statement and opening changed alike, by somebody who has not the key that the leaf was made with."""
    _renamed(content, field, value)

    def change(said: Any) -> None:
        next(each for each in said["opened"].values() if each["field"] == field)["value"] = value

    edited(content, parts.OPENINGS, change)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("person_name", "李小红"),
        ("person_number", "110101199003070054"),
        ("institution", "另一家"),
        ("cohort_title", "乙班"),
    ],
)
def test_hours_put_to_another_fall(case: Case, tmp_path: Path, field: str, value: str) -> None:
    content = unpacked(case.bundle())
    _renamed(content, field, value)
    found = fallen(judged(tmp_path / "bundle", content))
    assert list(found) == ["subject"]
    assert f"another {field}" in found["subject"]
    _reopened(content, field, value)
    assert "openings" in fallen(judged(tmp_path / "bundle", content))


def test_a_bundle_says_whose_it_is(case: Case, tmp_path: Path) -> None:
    content = unpacked(case.bundle())
    said = json.loads(content[parts.SUBJECT])
    found = judged(tmp_path / "bundle", content)["subject"]
    assert found[0] == HOLDS
    for field in ("person_name", "person_number", "institution", "cohort_title"):
        assert said[field] in found[1]
    del content[parts.SUBJECT]
    assert "is missing" in fallen(judged(tmp_path / "bundle", content))["subject"]


def test_an_enrolment_put_to_another_person_is_caught_everywhere(case: Case) -> None:
    """One statement by whoever owns the database: no key, no restart."""
    other = new_member(case.context, case.school.organisation, Role.TRAINEE)
    with case.context.database.writing() as session:
        assert audit_binding(session) == []
        session.execute(update(Enrolment).where(Enrolment.id == case.enrolment.id).values(person_id=other.person.id))
    with case.context.database.reading() as session:
        (found,) = audit_binding(session)
        assert str(case.enrolment.id) in found
        assert statements_of(session, [case.enrolment.id]) == {case.enrolment.id: None}
        with pytest.raises(AccountOfAnother):
            statement_of(session, case.enrolment.id)
    with pytest.raises(AccountOfAnother):
        case.bundle()


def test_a_picture_that_vanished_without_erasure_is_missed(case: Case, tmp_path: Path) -> None:
    path = next(case.context.store.list("faces"))
    case.context.store.delete(path)
    found = fallen(judged(tmp_path / "bundle", unpacked(case.bundle())))
    assert list(found) == ["pictures"]
    assert "is missing" in found["pictures"]


def test_a_stranger_finds_nothing(case: Case) -> None:
    stranger = new_member(case.context, case.school.organisation, Role.TRAINEE)
    with pytest.raises(NotFound):
        case.bundle(stranger.actor)


def test_what_the_log_has_not_signed_is_not_handed_out(case: Case) -> None:
    with pytest.raises(NotYetSigned):
        build_bundle(
            case.context,
            enrolment_id=case.enrolment.id,
            actor=case.regulator,
            with_pictures=False,
            seconds_to_sign=0.1,
        )


def test_no_name_or_number_stands_in_the_leaves(case: Case) -> None:
    events = unpacked(case.bundle())[parts.EVENTS]
    assert "王小明".encode() not in events
    assert str(case.enrolment.person_id).encode() not in events
    assert hashlib.sha256(b"Redmi Note 12").hexdigest().encode() not in events
    assert b"Redmi" not in events
