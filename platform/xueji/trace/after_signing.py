"""What is asked of others after signing: time from authorities, a second look from witnesses."""

from __future__ import annotations

from xueji.kernel.context import Context
from xueji.trace.timestamps import stamp_newest
from xueji.trace.witness import ask_witnesses


def collect_outside_proof(context: Context) -> None:
    """One round; failures raise alarms and are tried again in the next."""
    stamp_newest(context)
    ask_witnesses(context)
