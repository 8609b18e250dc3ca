"""One leaf's proof as a text anybody can check (C2SP tlog-proof). Standard library only."""

from __future__ import annotations

import base64
from collections.abc import Sequence

HEADER = "c2sp.org/tlog-proof@v1"


def proof_text(index: int, proof: Sequence[bytes], checkpoint: str) -> str:
    """The proof of the leaf at ``index`` in the tree that ``checkpoint`` (a whole note) signs."""
    hashes = "".join(base64.b64encode(sibling).decode() + "\n" for sibling in proof)
    return f"{HEADER}\nindex {index}\n{hashes}\n{checkpoint}"


def parse_proof(text: str) -> tuple[int, list[bytes], str]:
    """Index, audit path and checkpoint. Raises ValueError."""
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or len(lines) < 2 or lines[0] != HEADER or not lines[1].startswith("index "):
        raise ValueError("this is not a tlog-proof")
    return int(lines[1][len("index ") :]), [base64.b64decode(line, validate=True) for line in lines[2:]], checkpoint
