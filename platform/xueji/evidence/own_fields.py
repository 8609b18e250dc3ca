"""What of each table somebody may take along as her own data, column by column.

Every table and every column stands here once, as taken or as left out with a reason, so that a new one is nobody's
until it is decided (`tests/evidence/services/test_own_data.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class LeftOut(StrEnum):
    """Why something is not in the file."""

    SECRET = "secret"
    KEYED = "keyed"
    TEMPLATE = "template"
    OTHERS = "others"
    OFFICE = "office"
    HOW = "how"
    PLACE = "place"
    AGAIN = "again"
    NOBODY = "nobody"


WHY: Mapping[LeftOut, tuple[str, str]] = {
    LeftOut.SECRET: (
        "密码、两步验证和一次性代码的秘密：只供核对，抄出来会让别人能冒用您的账号",
        "secrets of passwords, second factors and codes: whoever reads them could sign in as you",
    ),
    LeftOut.KEYED: (
        "由平台密钥算出的摘要：只供查找和比对，内容在别处已写明",
        "digests under the platform's key: they serve to find and compare what stands elsewhere in the clear",
    ),
    LeftOut.TEMPLATE: (
        "由登记照片算出的人脸模板和画面特征：照片本身在文件里或可在页面查看，特征只会帮助想冒充您的人",
        "what is computed from your pictures to compare faces: the photo itself is here, and the numbers would only "
        "help somebody who wants to pass for you",
    ),
    LeftOut.OTHERS: (
        "同时涉及另一个人，或是监管人员与机构之间的往来：请向培训机构或监管部门申请查阅",
        "speaks of somebody else too, or is between a regulator and an institution: ask them to see it",
    ),
    LeftOut.OFFICE: (
        "工作人员在职务中对他人或课程做的事：属于对方的档案",
        "what staff did in office to other people's files or to courses: it belongs there",
    ),
    LeftOut.HOW: (
        "尚未进行的核验怎样安排、系统怎样运行：公开后核验就失去意义",
        "how checks still to come are arranged, and working notes of the system",
    ),
    LeftOut.PLACE: ("密文在服务器上的位置", "where the encrypted file lies on the server"),
    LeftOut.AGAIN: (
        "内容已在本文件的 trainings 文件夹里，或可随每次培训的证据包下载",
        "stands in the folder trainings, or comes with the evidence bundle of each training",
    ),
    LeftOut.NOBODY: ("不含任何人的个人信息", "holds nothing about anybody"),
}


class OwnTable(NamedTuple):
    """A table of which a person has rows of her own."""

    owner: str
    """The way from a row to whose it is, along foreign keys: ``enrolment_id.person_id``."""
    zh: str
    en: str
    fields: str
    """The columns that are taken, separated by blanks."""
    left: Mapping[str, LeftOut] = {}
    also: str = ""
    """A second column that must name one of her files too."""


def _left(why: LeftOut, names: str) -> dict[str, LeftOut]:
    return dict.fromkeys(names.split(), why)


TAKEN: Mapping[str, OwnTable] = {
    "person": OwnTable(
        "id",
        "实名信息和核验方式",
        "who you are, and how you prove it",
        "id name_cipher name_masked id_number_cipher id_number_masked proof_route route_chosen_at registered_at "
        "joined_to",
        {
            **_left(LeftOut.KEYED, "name_hash id_number_hash"),
            **_left(LeftOut.SECRET, "wrapped_key"),
            **_left(LeftOut.OTHERS, "same_number_as"),
        },
    ),
    "account": OwnTable(
        "person_id",
        "账号",
        "your account",
        "id person_id account password_is_temporary password_changed_at activated_at code_lapses_at staff reset_at "
        "suspended_at totp_confirmed_at",
        _left(LeftOut.SECRET, "password_hash totp_cipher totp_last_step"),
    ),
    "account_act": OwnTable(
        "person_id",
        "账号变动记录",
        "what was done to your account",
        "id person_id actor_id event place happened_at told read_at",
    ),
    "reset_request": OwnTable(
        "person_id",
        "重置申请",
        "requests to reset your account",
        "id person_id kind asked_by asked_at reason_cipher decided_by decided_at confirmed",
        _left(LeftOut.SECRET, "half_cipher"),
    ),
    "recovery_code": OwnTable(
        "account_id.person_id",
        "恢复代码的使用",
        "use of recovery codes",
        "id account_id used_at",
        _left(LeftOut.SECRET, "code_hash"),
    ),
    "membership": OwnTable(
        "person_id", "单位与角色", "organisations and roles", "id person_id organisation_id role since"
    ),
    "login_session": OwnTable(
        "person_id",
        "登录记录",
        "sign-ins",
        "id person_id organisation_id kind learner idle_minutes started_at last_seen_at expires_at ends_at ended_at "
        "ended_reason user_agent",
    ),
    "consent": OwnTable(
        "person_id", "人脸核验的同意", "consents", "id person_id kind text_version given_at withdrawn_at"
    ),
    "reference_photo": OwnTable(
        "person_id",
        "登记照片（图片在 photos 文件夹）",
        "reference photos (pictures in the folder photos)",
        "id person_id state standing replaces sha256 plain_sha256 model enrolled_at compared_at deleted_at",
        {**_left(LeftOut.PLACE, "path"), **_left(LeftOut.TEMPLATE, "descriptor_cipher")},
    ),
    "photo_decision": OwnTable(
        "photo_id.person_id",
        "登记照片的核对",
        "what staff found about your photos",
        "id photo_id decided_by organisation_id decided_at confirmed reason_cipher",
    ),
    "person_correction": OwnTable(
        "person_id",
        "姓名或证件号码的更正",
        "corrections of your name or number",
        "id person_id slip old_name_cipher old_number_cipher name_cipher number_cipher reason_cipher asked_by asked_at "
        "decided_by decided_at confirmed",
    ),
    "file_joining": OwnTable(
        "person_id",
        "档案的合并",
        "files of yours that were joined",
        "id person_id joined_id parts same_number asked_by asked_at reason_cipher decided_by decided_at confirmed",
        _left(LeftOut.OTHERS, "flag_id"),
        also="joined_id",
    ),
    "face_view": OwnTable(
        "person_id",
        "谁看过您的照片",
        "who looked at your pictures",
        "id person_id viewer_id viewer_organisation_id picture purpose viewed_at",
    ),
    "enrolment": OwnTable("person_id", "培训", "trainings", "id cohort_id person_id enrolled_at state"),
    "enrolment_reference": OwnTable(
        "enrolment_id.person_id",
        "各次培训使用的登记照片",
        "which photos each training knows",
        "enrolment_id photo_id commitment",
    ),
    "enrolment_declaration": OwnTable(
        "enrolment_id.person_id",
        "报名时申报的内容",
        "what was declared at enrolment",
        "enrolment_id post employer employer_id industry earlier reason misfits to_look_at declared_by declared_at",
    ),
    "attendance": OwnTable(
        "enrolment_id.person_id",
        "线下出勤",
        "attendance in person",
        "id session_id enrolment_id from_at to_at absent recorded_at recorded_by recorded_reason waits overlaps word "
        "word_at denied settled_at settled_by settled_reason revoked_at revoked_by revoked_reason",
    ),
    "sitting": OwnTable(
        "person_id",
        "线上学习",
        "study online",
        "id enrolment_id person_id lesson_id who method rulebook device opened_ms last_contact_ms valid_until_ms "
        "used_until_ms furthest_ms resume_ms make_up study_ms last_interaction_ms day day_used_ms reports ended_ms "
        "ended_reason",
        {
            **_left(
                LeftOut.HOW,
                "terms since_check_ms next_check question_id question_by_ms last_seq open_check ledger_leaves "
                "handed_out",
            ),
            **_left(LeftOut.AGAIN, "ledger"),
        },
    ),
    "lease": OwnTable("person_id", "正在进行的学习", "the study under way", "person_id sitting_id"),
    "check": OwnTable(
        "person_id",
        "核验",
        "checks",
        "id occasion_kind occasion_id enrolment_id person_id kind state due_ms answer_by_ms attempt redelivered "
        "excused_ms camera outcome "
        "decided_ms decision second_awaited",
        {**_left(LeftOut.HOW, "nonce prompts pulses"), **_left(LeftOut.OTHERS, "review_case")},
    ),
    "check_attempt": OwnTable(
        "check_id.person_id",
        "每次核验的回答：得分、阈值、结论",
        "answers to checks: score, threshold, result",
        "id check_id number prompts device answered_ms judged_ms outcome score threshold mismatch engine model "
        "signals references",
        _left(LeftOut.HOW, "nonce pulses taken_ms"),
    ),
    "check_picture": OwnTable(
        "person_id",
        "核验画面的登记（画面可在每次培训的“核验记录”中查看）",
        "pictures of checks (to be seen under each training's checks)",
        "id attempt_id person_id position movement deleted_ms sha256 commitment",
        {
            **_left(LeftOut.PLACE, "path"),
            **_left(LeftOut.KEYED, "mark likeness_mark"),
            **_left(LeftOut.TEMPLATE, "likeness"),
        },
    ),
    "reminder": OwnTable(
        "enrolment_id.person_id",
        "培训机构的提醒",
        "reminders by the institution",
        "id enrolment_id by day at read_at",
    ),
    "check_pictures_end": OwnTable(
        "enrolment_id.person_id",
        "核验画面保存到何时、何时删除",
        "until when pictures of checks are kept, and when they were deleted",
        "enrolment_id look_on ended_ms pictures years figure",
    ),
    "check_appeal": OwnTable(
        "check_id.person_id",
        "申诉和答复",
        "appeals and answers",
        "id check_id reason_cipher raised_ms decide_by_ms decided_ms decided_by decision answer_cipher",
    ),
    "check_review": OwnTable(
        "check_id.person_id",
        "核验的复核",
        "reviews of checks",
        "id check_id by organisation_id office outcome reason_cipher said_ms looked_ms asked_ms led_to",
    ),
    "check_in": OwnTable(
        "person_id",
        "现场核验",
        "supervised check-ins",
        "id enrolment_id person_id supervisor_id place opened_ms until_ms confirmed_ms closed_ms ended_why code_ms "
        "code_tries revoked_ms revoked_by",
    ),
    "check_in_look": OwnTable(
        "check_in_id.person_id", "现场核验的巡查", "rounds at check-ins", "id check_in_id by_id kind at_ms"
    ),
    "flag_clearance": OwnTable(
        "enrolment_id.person_id",
        "异常时间的核实",
        "what people found about impossible sums",
        "id enrolment_id code ids ms proposed_by proposed_at reason by decided_by decided_at decision restored_by "
        "restored_at",
    ),
    "person_account": OwnTable(
        "person_id", "培训之间的矛盾", "contradictions between trainings", "person_id count flags"
    ),
}
"""What is taken. Whose row it is, the sealed words, organisations and names are opened by `own_data`."""

NOT_TAKEN: Mapping[str, LeftOut] = {
    **_left(LeftOut.OTHERS, "duplicate_flag finding finding_turn draw"),
    **_left(LeftOut.OFFICE, "upload upload_piece cohort_amendment calibration inspection"),
    **_left(LeftOut.KEYED, "lock_out"),
    **_left(LeftOut.AGAIN, "beat hours_account trace_opening trace_leaf trace_pending"),
    **_left(
        LeftOut.NOBODY,
        "organisation cohort cohort_lesson course film lesson in_person_session hours_reading installation trace_alarm "
        "trace_chain trace_checkpoint trace_cosignature trace_key trace_log trace_tile trace_timestamp trace_witnessed",
    ),
}
"""Tables of which nobody takes rows along; the teacher of a session is named with each attendance at it."""


def readme() -> str:
    """What is in the file and what is not, in Chinese and in English."""
    return f"{_readme_zh()}\n\n{_readme_en()}\n"


def _left_out(language: int) -> list[str]:
    found: dict[LeftOut, list[str]] = {}
    for table, taken in TAKEN.items():
        for column, why in taken.left.items():
            found.setdefault(why, []).append(f"{table}.{column}")
    for table, why in NOT_TAKEN.items():
        if why is not LeftOut.NOBODY:
            found.setdefault(why, []).append(table)
    stop = ": " if language else "："
    return [f"- {WHY[why][language]}{stop}{', '.join(names)}" for why, names in found.items()]


def _readme_zh() -> str:
    return "\n".join(
        [
            "这是您本人在学迹平台的个人信息。内含姓名和身份证号码的明文，请妥善保管，不要转发。",
            "",
            "- data.json：平台按您登记的信息，逐表列出。时间为 UTC；以 _ms 结尾的是毫秒（时刻为 1970 年起的毫秒）。",
            "  别人只写出隐去一部分的姓名。空值（null）表示没有，或已按规定删除、无法再打开。",
            "- photos/：尚未删除的登记照片。",
            "- trainings/编号/statement.json：这次培训的学时账。events.jsonl：您的学习记录，一行一条，与存证日志一致。",
            "- 核验画面不在本文件里：在“我的学时”中打开每次培训的核验记录即可查看。",
            "- 要向别人证明学时，请在每次培训的页面下载证据包：它可以脱离平台核验。",
            "",
            "data.json 中的各表：",
            *(f"- {name}：{taken.zh}" for name, taken in TAKEN.items()),
            "",
            "没有包括的内容及原因：",
            *_left_out(0),
        ]
    )


def _readme_en() -> str:
    return "\n".join(
        [
            "This is what the Xueji platform keeps about you. It holds your name and identity number in the clear:",
            "keep it safe and do not pass it on.",
            "",
            "- data.json: what is kept about you, table by table. Times are UTC; what ends in _ms is in milliseconds",
            "  (a moment: milliseconds since 1970). Other people are given by masked names. null: there is nothing, or",
            "  it was erased and cannot be opened any more.",
            "- photos/: reference photos that have not been deleted.",
            "- trainings/ID/statement.json: the hours of that training. events.jsonl: the record of your study, one",
            "  entry a line, as the log has it.",
            "- Pictures of checks are not in this file: open the checks of each training under “My hours”.",
            "- To prove your hours to others, download the evidence bundle of a training: it is checked without us.",
            "",
            "The tables of data.json:",
            *(f"- {name}: {taken.en}" for name, taken in TAKEN.items()),
            "",
            "What is not in it, and why:",
            *_left_out(1),
        ]
    )
