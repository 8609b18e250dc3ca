"""Whether a film is locked by its seller (DRM): it could be copied for ever and never be shown."""

from __future__ import annotations

from pathlib import Path

from media_pipeline.boxes import has_locked_track

_HEAD_BYTES = 64 * 1024
_MATROSKA = b"\x1aE\xdf\xa3"
# ContentEncryption, its algorithm AES, and the name of the key.
_MATROSKA_LOCK = (b"\x50\x35", b"\x47\xe1\x81\x05", b"\x47\xe2")
_WINDOWS_MEDIA = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_WINDOWS_MEDIA_LOCKS = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),
)
_TRANSPORT_PACKETS = ((188, 0), (192, 4))
_LOOKED_AT = 2_000


def is_locked(path: Path) -> bool:
    """Read from the file's head, or from an MP4's table of contents; nothing is decoded."""
    with path.open("rb") as file:
        head = file.read(192 * _LOOKED_AT)
    if head.startswith(_MATROSKA):
        return all(mark in head[:_HEAD_BYTES] for mark in _MATROSKA_LOCK)
    if head.startswith(_WINDOWS_MEDIA):
        return any(mark in head[:_HEAD_BYTES] for mark in _WINDOWS_MEDIA_LOCKS)
    return _is_scrambled(head) or has_locked_track(path)


def _is_scrambled(head: bytes) -> bool:
    """A transport stream says it in every packet that is scrambled; its tables are never."""
    for size, skip in _TRANSPORT_PACKETS:
        packets = [head[at : at + size] for at in range(skip, len(head) - size, size)]
        if len(packets) < 10 or any(packet[0] != 0x47 for packet in packets[:100]):
            continue
        full = [packet for packet in packets if packet[0] == 0x47 and packet[3] & 0x10]
        return sum(packet[3] & 0xC0 >= 0x80 for packet in full) * 2 > len(full)
    return False
