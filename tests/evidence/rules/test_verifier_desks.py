"""Evidence on the desks it comes to: sticks, archives made anew, consoles and editors leave it what it is."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.bundles import Parts, laid_out, unpacked

from xueji.evidence import bundle as parts
from xueji.evidence.bundle import APPLE_DOUBLE, Bundle
from xueji.evidence.verify import main

KEPT = Path(__file__).parents[2] / "kept" / "first-whole"
LEFT = (
    ".DS_Store",
    "Thumbs.db",
    "THUMBS.DB",
    "Desktop.ini",
    ".localized",
    "Icon\r",
    ".directory",
    "pictures/.DS_Store",
)


@pytest.fixture
def honest() -> Parts:
    return unpacked((KEPT / "regulator-by-camera.zip").read_bytes())


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    def run(place: Path, *more: str) -> list[str]:
        status = main([str(place), *more])
        lines = capsys.readouterr().out.splitlines()
        assert (status == 0) == lines[-1].startswith("VERIFIED")
        return lines

    return run


def packed(place: Path, content: Parts) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return place


def apple_doubles(content: Parts) -> Parts:
    """The file macOS writes beside each one on a disk that has no place for attributes."""
    names = (name.rpartition("/") for name in content)
    return {f"{folder}{slash}{APPLE_DOUBLE}{file}": b"\0\5\26\7" for folder, slash, file in names}


def below(folder: str, content: Parts) -> Parts:
    return {f"{folder}/{name}": data for name, data in content.items()}


def from_a_mac(content: Parts) -> Parts:
    doubles = below("__MACOSX", below("evidence", apple_doubles(content)))
    return {**below("evidence", content), **doubles, "__MACOSX/._evidence": b"", "evidence/.DS_Store": b"\0"}


def from_a_stick(content: Parts) -> Parts:
    systems = (
        "System Volume Information/IndexerVolumeGuid",
        ".Trashes/501/x",
        ".fseventsd/0",
        "$RECYCLE.BIN/desktop.ini",
    )
    return {**below("证据包", {**content, **apple_doubles(content)}), **dict.fromkeys(systems, b"system")}


DESKS: dict[str, Callable[[Parts], Parts]] = {
    "as it was made": dict,
    "with AppleDouble files": lambda content: {**content, **apple_doubles(content)},
    "shown by a file manager": lambda content: {**content, **dict.fromkeys(LEFT, b"left")},
    "packed with its folder": lambda content: below("evidence", content),
    "packed twice with its folder": lambda content: below("two", below("one", content)),
    "packed on a Mac": from_a_mac,
    "packed on a Mac and unpacked and packed again": lambda content: below("again", from_a_mac(content)),
    "a whole stick": from_a_stick,
}


@pytest.mark.parametrize("desk", DESKS)
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_what_a_desk_leaves_changes_nothing(
    honest: Parts, tmp_path: Path, said: Callable[..., list[str]], desk: str, form: str
) -> None:
    content = DESKS[desk](honest)
    place = laid_out(tmp_path / "it", content) if form == "folder" else packed(tmp_path / "it.zip", content)
    lines = said(place)
    assert lines[-1].startswith("VERIFIED"), lines[0]
    assert lines[1:] == said(packed(tmp_path / "plain.zip", honest))[1:]
    assert ("passed over" in lines[0]) == (len(content) > len(honest))


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize(
    "stray",
    [
        "notes.txt",
        "evidence/notes.txt",
        "evidence/DS_Store",
        "evidence/verifier/json.py",
        "other/manifest.json",
        "_.txt",
    ],
)
def test_anything_else_still_fails(
    honest: Parts, tmp_path: Path, said: Callable[..., list[str]], form: str, stray: str
) -> None:
    content = {**from_a_mac(honest), stray: b"mine"}
    place = laid_out(tmp_path / "it", content) if form == "folder" else packed(tmp_path / "it.zip", content)
    assert said(place)[-1].startswith("NOT VERIFIED")


def test_what_lies_beside_a_part_never_stands_for_it(honest: Parts, tmp_path: Path) -> None:
    data = honest.pop(parts.EVENTS)
    bundle = Bundle(laid_out(tmp_path / "it", {**honest, APPLE_DOUBLE + parts.EVENTS: data}))
    assert not bundle.has(parts.EVENTS) and bundle.passed_over == 1


def test_a_zip_whose_names_another_windows_wrote(honest: Parts, tmp_path: Path, said: Callable[..., list[str]]) -> None:
    """Names in GBK without a word that they are, and parted by backslashes."""
    place = packed(tmp_path / "it.zip", below("????", honest))
    place.write_bytes(place.read_bytes().replace(b"????/", "证据".encode("gbk") + b"\\"))
    with zipfile.ZipFile(place) as archive:
        assert any("\\" in name and not name.isascii() for name in archive.namelist())
    assert said(place)[-1].startswith("VERIFIED")


@pytest.mark.parametrize("encoding", ["gbk", "ascii", "cp437", "utf-8"])
def test_every_console_shows_the_verdict(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "xueji.evidence.verify", str(KEPT / "trainee-on-site.zip")]
    run = subprocess.run(command, capture_output=True, env=environment)
    assert run.returncode == 0, run.stderr
    assert run.stdout.decode(encoding).splitlines()[-1].startswith("VERIFIED")


def test_what_the_auditor_kept_may_have_been_through_an_editor_or_a_mail(
    tmp_path: Path, said: Callable[..., list[str]]
) -> None:
    policy = (KEPT / "policy.json").read_text("utf-8")
    checkpoint = unpacked((KEPT / "regulator-by-camera.zip").read_bytes())[parts.CHECKPOINT].decode()
    (tmp_path / "policy.json").write_bytes(b"\xef\xbb\xbf" + policy.replace("\n", "\r\n").encode())
    (tmp_path / "checkpoint").write_bytes(checkpoint.replace("\n", "\r\n").encode())
    lines = said(
        KEPT / "regulator-by-camera.zip",
        *("--policy", str(tmp_path / "policy.json"), "--checkpoint", str(tmp_path / "checkpoint")),
    )
    assert lines[-1].startswith("VERIFIED")
    assert "since your checkpoint of" in lines[4]


def test_the_last_line_says_by_whose_keys_and_as_of_when(said: Callable[..., list[str]]) -> None:
    own = said(KEPT / "regulator-by-camera.zip")[-1]
    held = said(KEPT / "regulator-by-camera.zip", "--policy", str(KEPT / "policy.json"))[-1]
    for words in (
        "not shown 未证明: outside",
        "as of 截至 2026-11-27T21:0",
        "seen by nobody outside",
        "by keys 所依公钥 ",
    ):
        assert words in own and words in held
    assert "the bundle's own, compare with a policy you hold" in own
    assert "yours 您持有的" in held


def test_a_policy_without_end_is_not_read(said: Callable[..., list[str]], tmp_path: Path) -> None:
    with (tmp_path / "policy.json").open("wb") as opened:
        opened.truncate(parts.LARGEST_PART + 1)
    status = main([str(KEPT / "regulator-by-camera.zip"), "--policy", str(tmp_path / "policy.json")])
    assert status == 1
