"""The words on screen for what is to do, for a replay and for the log's alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from xueji.desks.today import Duty
from xueji.rulebook.vocabulary import BeatState, Method

DUTY: Mapping[Duty, tuple[Any, str, str]] = {
    Duty.OVERDUE: (_("已逾期的整改"), "exclamation-triangle-fill", "refused"),
    Duty.APPEALS: (_("等待处理的申诉"), "chat-left-text", "held"),
    Duty.FINDINGS: (_("等待答复的监管问题"), "flag", "held"),
    Duty.ANSWERS: (_("等待查看的答复"), "chat-left-text", "held"),
    Duty.ATTENDANCE: (_("课已上完、还没登记考勤"), "calendar-check", "held"),
    Duty.SETTLE: (_("等待决定的出勤"), "geo-alt", "held"),
    Duty.ENDING: (_("七天内结班、还没学完的学员"), "hourglass-split", "held"),
    Duty.SECOND: (_("等待第二人复核的核验"), "people", "provisional"),
    Duty.PHOTOS: (_("等待核对的登记照片"), "person-bounding-box", "provisional"),
    Duty.FAILED: (_("没有通过的核验"), "clipboard-check", "provisional"),
    Duty.DECISIONS: (_("等您决定的更正和重置"), "pencil", "provisional"),
    Duty.FLAGS: (_("时间自相矛盾的学员"), "exclamation-triangle", "refused"),
    Duty.FILMS: (_("不能用的视频"), "film", "refused"),
    Duty.ROUTE: (_("请先选择身份核验方式"), "person-check", "held"),
    Duty.PHOTO: (_("拍登记照片"), "camera", "held"),
    Duty.SAME_NUMBER: (_("另有单位用您的身份证号码登记了学员"), "person-plus", "held"),
    Duty.CONFIRM: (_("请您确认的线下课"), "calendar-check", "held"),
    Duty.MAKE_UP: (_("要补学的课"), "arrow-repeat", "held"),
    Duty.CHECK: (_("等核验的课"), "person-bounding-box", "provisional"),
    Duty.STUDY: (_("还没学完的课"), "play-circle", "provisional"),
    Duty.STAFF_ENDING: (_("七天内结班、还没学满的员工"), "hourglass-split", "held"),
    Duty.STAFF_MAKE_UP: (_("有学时要补的员工"), "arrow-repeat", "held"),
    Duty.STAFF_UNBEGUN: (_("开班了还没开始学的员工"), "play-circle", "provisional"),
    Duty.ALARMS: (_("存证日志的警报"), "exclamation-triangle-fill", "refused"),
    Duty.DUPLICATES: (_("疑似重复的档案"), "person-bounding-box", "provisional"),
    Duty.JOININGS: (_("等您决定的档案合并"), "people", "provisional"),
}
"""What is to do: words, icon, colour."""
METHOD: Mapping[str, Any] = {Method.FACE: _("人脸核验"), Method.SUPERVISED: _("现场核验")}
BEAT_STATE: Mapping[str, Any] = {
    BeatState.PLAYING: _("播放"),
    BeatState.PAUSED: _("暂停"),
    BeatState.HIDDEN: _("页面不可见"),
    BeatState.IDLE: _("无操作"),
    BeatState.BUFFERING: _("缓冲"),
}
ENDED: Mapping[str | None, Any] = {
    None: _("自然结束"),
    "taken": _("在另一处继续"),
    "expired": _("失去联系"),
    "free": _("失去联系"),
    "enrolment_over": _("随报名结束"),
}
"""How a sitting ended; nothing needs a stop, so most simply cease."""
WORTH: Mapping[str, Any] = {
    "confirmed": _("已确认"),
    "provisional": _("等核验"),
    "held": _("先不算"),
    "awaited": _("等核对登记照片"),
    "lost": _("复核未通过"),
}
PARTS: Mapping[str, Any] = {
    "database": _("数据库"),
    "migrations": _("数据库版本"),
    "keys": _("密钥"),
    "broker": _("任务队列"),
    "store": _("文件存储"),
    "sequencer": _("日志签名"),
    "recorder": _("学习记录写入"),
}
"""What the installation consists of, by the name of the probe that looks at it."""

ALARM: Mapping[str, Any] = {
    "gap": _("记录编号中断"),
    "fork": _("日志与外部检查点不一致"),
    "clock": _("服务器时钟异常"),
    "timestamp": _("外部时间戳失败"),
    "witness": _("见证方拒绝签署"),
}
"""What the log's sequencer or a witness refused."""
