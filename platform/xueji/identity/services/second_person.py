"""What one person asks for and another decides: the reason it is asked for, and that it has been decided."""

from __future__ import annotations

from flask_babel import gettext as _

from xueji.identity.models import FileJoining, PersonCorrection
from xueji.kernel import clock
from xueji.kernel.actor import Actor
from xueji.kernel.errors import Invalid

FEWEST_LETTERS, MOST_LETTERS = 4, 300


def reason_in_words(reason: str) -> str:
    """The reason without blanks around it. Raises Invalid when it is too short or too long."""
    words = reason.strip()
    if not FEWEST_LETTERS <= len(words) <= MOST_LETTERS:
        raise Invalid(_("请写明理由（4至300个字）。"))
    return words


def decide(request: FileJoining | PersonCorrection, actor: Actor, *, confirmed: bool) -> None:
    """Note who has decided, when and how."""
    request.decided_by, request.decided_at, request.confirmed = actor.person_id, clock.now(), confirmed
