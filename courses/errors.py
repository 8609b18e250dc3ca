"""What the course part refuses."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from xueji.kernel.errors import Conflict, Invalid, TooLarge


class WrongOffset(Conflict):
    """Carries ``offset``, from where the sender is to go on."""

    type, title = "upload-offset", _("上传位置不一致")
    detail = _("请从服务器已收到的位置继续上传。")


class UploadFinished(Conflict):
    """Carries ``film_id``."""

    type, title = "upload-finished", _("这个文件已经上传完成")
    detail = _("不必再传。如要换成别的文件，请开始一次新的上传。")


class UploadIncomplete(Conflict):
    """Carries ``offset``."""

    type, title = "upload-incomplete", _("文件还没有传完")
    detail = _("请从服务器已收到的位置继续上传。")


class UploadDamaged(Invalid):
    type, title = "upload-damaged", _("收到的文件与原文件不一致")
    detail = _("文件在传输中损坏，或给出的校验值有误。请删除这次上传后重新上传。")


class UploadTooLarge(TooLarge):
    """Carries ``limit``, in bytes."""

    type, title = "upload-too-large", _("文件过大")
    detail = _("文件超出允许的大小。请压缩视频或分成几个课时，再重新上传。")


class PieceTooLarge(TooLarge):
    """Carries ``limit``, in bytes."""

    type, title = "piece-too-large", _("一次发送的内容过大")
    detail = _("请按开始上传时给出的分块大小（chunk_bytes）发送。")


class TooManyUploads(Conflict):
    """Waiting mends nothing: somebody has to go on with one or give one up."""

    type, title = "too-many-uploads", _("未完成的上传过多")
    detail = _("请在课程页的“没有传完的视频”里继续或放弃几个，再上传新的文件。")


class LessonInUse(Conflict):
    type, title = "lesson-in-use", _("课时正在使用")
    detail = _("已开班的培训班正在使用这个课时，内容不能更换或删除。请新建一个课时。")
