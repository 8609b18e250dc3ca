"""How an open check is worded for its page."""

from __future__ import annotations

from typing import Any

from xueji.kernel import clock
from xueji.occasions.open_check import OpenCheck


def check_message(check: OpenCheck) -> dict[str, Any]:
    """What the page is told of it, in the interface's words; the rest stays on the server.

    An answer and a socket's message must not differ in how they say it.
    """
    return {
        "check_id": check.check_id,
        "nonce": check.nonce,
        "prompts": list(check.prompts),
        "pulses": [list(pulse) for pulse in check.pulses],
        "kind": check.kind,
        "attempt": check.attempt,
        "answer_by": clock.rfc3339(clock.from_ms(check.answer_by_ms)),
    }


def check_json(check: OpenCheck | None) -> dict[str, Any] | None:
    """The same, or null where no check is open."""
    return None if check is None else check_message(check)
