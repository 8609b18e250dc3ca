"""The words on screen for the codes of checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from media_pipeline.verdict import Prompt, SignalCode
from xueji.identity.events import WhyFaceRouteEnds
from xueji.proctoring.rules import DECIDE_DAYS as DECIDE_DAYS
from xueji.proctoring.rules import CheckState
from xueji.proctoring.services.answering import CameraFailure
from xueji.proctoring.services.judging import JUDGE_TRIPPED, NO_REFERENCE, PICTURES_LOST, SHOWN_BY_ANOTHER
from xueji.rulebook.reviewing import Decision, Office
from xueji.rulebook.vocabulary import CheckKind, Outcome, ReviewOutcome

KIND: Mapping[str, Any] = {
    CheckKind.SCHEDULED: _("随机核验"),
    CheckKind.CLOSING: _("下课前核验"),
    CheckKind.VOLUNTARY: _("主动核验"),
}

STATE: Mapping[str, Any] = {
    CheckState.SCHEDULED: _("未到时间"),
    CheckState.UNREACHED: _("未触发"),
    CheckState.DUE: _("等待拍照"),
    CheckState.ANSWERED: _("等待比对"),
    CheckState.DECIDED: _("已有结果"),
    CheckState.CONTESTED: _("申诉中"),
    CheckState.REVIEWED: _("已复核"),
}

OUTCOME: Mapping[str, Any] = {
    Outcome.MATCH: _("一致"),
    Outcome.MISMATCH: _("不一致"),
    Outcome.UNCLEAR: _("无法判断"),
    Outcome.NO_FACE: _("没有人脸"),
    Outcome.SEVERAL_FACES: _("不止一人"),
    Outcome.NO_CAMERA: _("摄像头不可用"),
    Outcome.SERVICE_DOWN: _("比对服务中断"),
    Outcome.REFUSED: _("拒绝拍照"),
    Outcome.MISSED: _("未作答"),
}

OUTCOME_SENTENCE: Mapping[str, Any] = {
    Outcome.MATCH: _("照片与登记照片一致。上一次核验也通过的话，两次之间的学习就算数了。"),
    Outcome.MISMATCH: _("照片与登记照片不像同一人，前后的学习时间先不算。如是您本人，请申诉。"),
    Outcome.UNCLEAR: _("照片不足以判断是否本人，前后的学习时间先不算。可以补学这一段，或申诉。"),
    Outcome.NO_FACE: _("照片里没有找到人脸，前后的学习时间先不算。可以补学这一段，或申诉。"),
    Outcome.SEVERAL_FACES: _("照片里不止一张脸，前后的学习时间先不算。可以补学这一段，或申诉。"),
    Outcome.NO_CAMERA: _("摄像头当时不可用，前后的学习时间先不算。可以补学这一段、申诉，或改用现场核验。"),
    Outcome.SERVICE_DOWN: _(
        "照片没有得到比对（例如在我们这边丢失，或您已改用现场核验），这不是您的过错，不影响学时。前后的学习时间由下一次核验确认。"
    ),
    Outcome.REFUSED: _("您当时选择不拍照，前后的学习时间先不算。可以补学这一段，或改用现场核验。"),
    Outcome.MISSED: _("在规定时间内没有作答，前后的学习时间先不算。可以补学这一段，或申诉。"),
}
"""What an outcome means for the time around it, and the way out."""

OFFER_NOT_TAKEN = _("没有作答，不影响学时：这是可选的核验。")
"""Of a check that was an offer; see `queries.fails`."""

REVIEW: Mapping[str, Any] = {
    ReviewOutcome.ACCEPT: _("认可为本人"),
    ReviewOutcome.REJECT: _("不是本人"),
}

OFFICE: Mapping[str, Any] = {Office.INSTITUTION: _("培训机构"), Office.REGULATOR: _("监管部门")}

DECISION: Mapping[str, Any] = {
    Decision.ACCEPTED: _("认可为本人"),
    Decision.REJECTED: _("复核未获认可"),
    Decision.STRUCK: _("监管部门存疑"),
}
DECISION_TONE: Mapping[str, tuple[str, str]] = {
    Decision.ACCEPTED: ("confirmed", "patch-check-fill"),
    Decision.REJECTED: ("refused", "x-circle-fill"),
    Decision.STRUCK: ("held", "flag-fill"),
}
DECISION_SENTENCE: Mapping[str, Any] = {
    Decision.ACCEPTED: _("经人工复核认可为本人，前后的学习时间得到确认。"),
    Decision.REJECTED: _("经人工复核未获认可。补学这一段，可以重新计入。"),
    Decision.STRUCK: _(
        "监管部门对这次核验存疑，前后的学习时间先不算，等另一位看过。补学这一段或申诉，都可以重新计入。"
    ),
}

PROMPT: Mapping[str, Any] = {
    Prompt.TURN_LEFT: _("向左转头"),
    Prompt.TURN_RIGHT: _("向右转头"),
    Prompt.BLINK: _("眨眼"),
    Prompt.OPEN_MOUTH: _("张嘴"),
    Prompt.TILT_LEFT: _("头歪向左肩"),
    Prompt.TILT_RIGHT: _("头歪向右肩"),
}

SIGNAL: Mapping[str, Any] = {
    SignalCode.UNDECODABLE_FRAME: _("有照片无法读取"),
    SignalCode.FRAME_UNUSABLE: _("有照片过暗、过小或模糊"),
    SignalCode.FRAME_DARK: _("有照片过暗或过亮"),
    SignalCode.FRAME_BLURRED: _("有照片模糊"),
    SignalCode.FACE_SMALL: _("有照片里脸太小或没有拍全"),
    SignalCode.FACE_AWAY: _("有照片里脸偏向一侧"),
    SignalCode.FACE_COVERED: _("脸被口罩、手或阴影遮住"),
    SignalCode.SECOND_FACE_ONCE: _("个别照片里出现另一张脸"),
    SignalCode.PRINTED_FACE: _("另一张脸一动不动，像海报或照片"),
    SignalCode.REPLAY: _("照片以前用过"),
    SignalCode.REPEATED_FRAME: _("同一张照片重复出现"),
    SignalCode.FROZEN_PICTURE: _("画面静止不动"),
    SignalCode.PROMPT_UNANSWERED: _("没有做出要求的动作"),
    SignalCode.STRIP_UNUSABLE: _("没有拍到完整的动作"),
    SignalCode.MOVEMENT_BROKEN: _("动作不连贯"),
    SignalCode.ONE_PICTURE: _("前后拍到的是同一张图片"),
    SignalCode.FACE_CHANGED: _("前后照片不像同一人"),
    SignalCode.VIRTUAL_CAMERA: _("疑似虚拟摄像头"),
    SignalCode.SCREEN_PATTERN: _("疑似翻拍屏幕"),
    SignalCode.DISAGREEMENT: _("各张照片结论不一"),
    SHOWN_BY_ANOTHER: _("同一张照片曾出现在他人名下"),
    NO_REFERENCE: _("登记照片已被删除，无从比对"),
    JUDGE_TRIPPED: _("照片无法处理"),
    PICTURES_LOST: _("照片丢失或无法读取"),
    "service_down": _("比对服务中断"),
    WhyFaceRouteEnds.CONSENT_WITHDRAWN: _("已撤回人脸核验的同意"),
    WhyFaceRouteEnds.OTHER_ROUTE: _("已改用现场核验"),
    f"camera_{CameraFailure.NOT_FOUND}": _("没有找到摄像头"),
    f"camera_{CameraFailure.DENIED}": _("未允许使用摄像头"),
    f"camera_{CameraFailure.BLOCKED}": _("摄像头被系统或管理员禁用"),
    f"camera_{CameraFailure.IN_USE}": _("摄像头被其他程序占用"),
    f"camera_{CameraFailure.TOO_LOW}": _("摄像头分辨率过低"),
    f"camera_{CameraFailure.LOST}": _("摄像头中途断开"),
}

TONE: Mapping[str, tuple[str, str]] = {
    Outcome.MATCH: ("confirmed", "check-circle-fill"),
    Outcome.MISMATCH: ("refused", "person-x"),
    Outcome.UNCLEAR: ("held", "question-circle-fill"),
    Outcome.NO_FACE: ("held", "eye-slash"),
    Outcome.SEVERAL_FACES: ("held", "people"),
    Outcome.NO_CAMERA: ("held", "camera-video-off"),
    Outcome.SERVICE_DOWN: ("provisional", "cloud-slash"),
    Outcome.REFUSED: ("held", "slash-circle"),
    Outcome.MISSED: ("held", "clock-history"),
}
"""Colour and icon of an outcome; the word beside them carries the meaning."""
