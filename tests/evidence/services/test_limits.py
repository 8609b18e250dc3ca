"""What is no bundle is refused by name, before any of it is read: links, pipes, bombs, floods of files."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest

from xueji.evidence import bundle as parts
from xueji.evidence.bundle import Bundle, BundleError
from xueji.evidence.verify import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bundle"
    (made / "pictures").mkdir(parents=True)
    (made / parts.EVENTS).write_bytes(b"{}\n")
    return made


def test_a_pipe_is_named_and_not_opened(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(folder / parts.CHECKPOINT)
    with pytest.raises(BundleError, match="checkpoint is no regular file"):
        Bundle(folder)
    assert main([str(folder)]) == 1
    assert "checkpoint is no regular file" in capsys.readouterr().out


@pytest.mark.parametrize("target", ["/dev/zero", "../outside.json", "events.jsonl"])
def test_a_link_is_followed_nowhere(folder: Path, target: str) -> None:
    (folder.parent / "outside.json").write_text("{}", "utf-8")
    (folder / "pictures" / "one.jpg").symlink_to(target)
    with pytest.raises(BundleError, match=r"pictures/one\.jpg is no regular file"):
        Bundle(folder)


def test_a_linked_folder_is_not_walked(folder: Path) -> None:
    (folder / "verifier").symlink_to("/")
    with pytest.raises(BundleError, match="verifier is no regular file"):
        Bundle(folder)


def test_what_turns_into_a_link_later_is_not_read(folder: Path) -> None:
    bundle = Bundle(folder)
    (folder / parts.EVENTS).unlink()
    (folder / parts.EVENTS).symlink_to("/dev/zero")
    with pytest.raises(BundleError, match=parts.EVENTS):
        bundle.read(parts.EVENTS)


def test_neither_file_nor_folder_is_no_bundle(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "bundle.zip")
    with pytest.raises(BundleError, match="neither a file nor a folder"):
        Bundle(tmp_path / "bundle.zip")


def test_a_part_that_is_too_large_is_named_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(parts.ANCHORS, b" " * (parts.LARGEST_PART + 1))
        archive.writestr(parts.EVENTS, b"{}\n")
    bundle = Bundle(tmp_path / "bundle.zip")
    assert bundle.read(parts.EVENTS) == b"{}\n"
    with pytest.raises(BundleError, match=rf"{parts.ANCHORS} cannot be read: it is larger than {parts.LARGEST_PART}"):
        bundle.read_json(parts.ANCHORS)


def test_a_flood_of_files_is_no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MOST_PARTS", 10)
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        for number in range(11):
            archive.writestr(str(number), b"")
    with pytest.raises(BundleError, match="more than 10 files"):
        Bundle(tmp_path / "bundle.zip")
    monkeypatch.setattr(parts, "LARGEST_BUNDLE", 5)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(b"123456")
    with pytest.raises(BundleError, match="larger than 5 bytes together"):
        Bundle(tmp_path / "folder")


def test_a_link_in_a_zip_is_no_part(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("pictures/one.jpg")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(BundleError, match=r"pictures/one\.jpg is no regular file"):
        Bundle(tmp_path / "bundle.zip")
