"""Codes of the course part in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from courses.models import FilmState
from courses.rules import Fault
from media_pipeline.film import FilmFault
from media_pipeline.hls import FilmRemark
from xueji.rulebook.vocabulary import Part

PART: Mapping[Part, Any] = {Part.THEORY: _("理论"), Part.PRACTICAL: _("实操")}

FILM_STATE: Mapping[FilmState, Any] = {
    FilmState.QUEUED: _("等待转码"),
    FilmState.WORKING: _("正在转码"),
    FilmState.READY: _("可以播放"),
    FilmState.REFUSED: _("未被接受"),
}

REFUSED: Mapping[str, Any] = {
    FilmFault.NOT_A_FILM: _("这个文件不是视频。请上传 MP4 等常见格式的视频文件。"),
    FilmFault.NO_VIDEO: _("文件里没有画面，只有声音或其他内容。请上传带画面的视频。"),
    FilmFault.TOO_SHORT: _("视频不足一秒。请检查导出设置后重新上传。"),
    FilmFault.TOO_LONG: _("视频超过四小时。请分成几个课时上传。"),
    FilmFault.TOO_MANY_BYTES: _("文件过大。请压缩或分成几个课时上传。"),
    FilmFault.TOO_MANY_PIXELS: _("画面超过 8K。请缩小画面后重新上传。"),
    FilmFault.TOO_FEW_PIXELS: _("画面太小，短边不足 90 像素，看不清内容。请上传更清晰的视频。"),
    FilmFault.BROKEN: _("视频不完整或已损坏。请在本机播放检查，重新导出后再上传。"),
    FilmFault.SOUND_BROKEN: _("视频的声音无法读取。请在本机播放检查，重新导出为带 AAC 声音的 MP4 后再上传。"),
    FilmFault.PICTURE_MISSING: _("视频中有一分钟以上没有画面。请剪去没有画面的部分后重新上传。"),
    FilmFault.STILL_PICTURE: _("整段视频只有一幅静止的画面，不能作为课时。请上传有讲解画面的视频。"),
    FilmFault.LOCKED: _("视频受版权保护（DRM），无法播放。请向版权方索取未加密的文件。"),
    FilmFault.UNPLAYABLE: _(
        "转码后的视频没有通过播放检查。请重新导出为 H.264 编码的 MP4 后再上传；仍不成功请联系管理员。"
    ),
    FilmFault.TOO_SLOW: _("视频处理时间过长。请重新导出为 H.264 编码的 MP4 后再上传。"),
    Fault.ORIGINAL_LOST: _("服务器上的原文件不完整。请重新上传。"),
    Fault.GAVE_UP: _("多次处理都没有成功。请重新导出后再上传；仍不成功请联系管理员。"),
}

REFUSED_AT: Mapping[str, Any] = {
    FilmFault.BROKEN: _("视频从 %(at)s 起无法读取，文件不完整或已损坏。请在本机播放检查，重新导出后再上传。"),
    FilmFault.SOUND_BROKEN: _("视频的声音从 %(at)s 起无法读取。请在本机播放检查，重新导出后再上传。"),
    FilmFault.PICTURE_MISSING: _("视频从 %(at)s 起有一分钟以上没有画面。请剪去没有画面的部分后重新上传。"),
}
"""The same, for those that are wrong from a moment on."""

REMARK: Mapping[str, Any] = {
    FilmRemark.ALMOST_STILL: _("画面几乎不变：有十分钟以上没有变化，或平均五分钟变化不到一次。请确认这是讲课内容。"),
    FilmRemark.PICTURE_HELD: _("声音比画面长，缺画面处以静止画面补足。"),
    FilmRemark.SILENT: _("没有声音。"),
}


def refusal(reason: str, at_ms: int | None) -> str:
    """Why a film was refused and what to do, with the moment in it where that is known."""
    if at_ms and reason in REFUSED_AT:
        return str(REFUSED_AT[reason]) % {"at": _moment(at_ms)}
    return str(REFUSED[reason])


def _moment(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
