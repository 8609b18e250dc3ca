"""The words on screen for the codes of findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from xueji.oversight.rules import FindingKind, FindingState, FindingStep

FINDING_KIND: Mapping[FindingKind, Any] = {
    FindingKind.IDENTITY: _("身份存疑"),
    FindingKind.HOURS: _("学时存疑"),
    FindingKind.TEACHING: _("教学不符合大纲"),
    FindingKind.RECORDS: _("档案不完整"),
    FindingKind.OTHER: _("其他"),
}
FINDING_STATE: Mapping[FindingState, Any] = {
    FindingState.OPEN: _("待整改"),
    FindingState.ANSWERED: _("已答复"),
    FindingState.CLOSED: _("已关闭"),
}
FINDING_TONE: Mapping[FindingState, tuple[str, str]] = {
    FindingState.OPEN: ("held", "flag-fill"),
    FindingState.ANSWERED: ("provisional", "chat-left-text"),
    FindingState.CLOSED: ("confirmed", "check-circle-fill"),
}
"""Colour and icon; the word beside them carries the meaning."""
TURN: Mapping[FindingStep, tuple[Any, str]] = {
    FindingStep.ANSWER: (_("培训机构答复"), "provisional"),
    FindingStep.SEND_BACK: (_("监管部门退回，要求重新答复"), "held"),
    FindingStep.EXTEND: (_("监管部门延期"), "neutral"),
}
"""What was done about a finding, and its colour."""
