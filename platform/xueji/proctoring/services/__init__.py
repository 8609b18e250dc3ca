"""Use cases of checks, by the stage of a check's life: asked, answered, judged, reviewed; and check-ins by staff."""

from xueji.proctoring.services.answering import LARGEST_FRAME, CameraFailure, answer_check, give_up, store_frames
from xueji.proctoring.services.asking import (
    check_falls_due,
    check_left,
    check_moves,
    check_wanted,
    conditions_wanted,
    contact_during_check,
    occasions_come,
    schedule_grows,
    study_ends,
    sweep_missed,
)
from xueji.proctoring.services.calibration import calibrate
from xueji.proctoring.services.camera import CameraQuestion, report_camera
from xueji.proctoring.services.checkins import check_in, check_out, confirm_presence, enter_code, go_round, room_code
from xueji.proctoring.services.face_route_end import face_route_ends
from xueji.proctoring.services.judging import judge_attempt, waiting_attempts
from xueji.proctoring.services.judging_queue import judge_left_over, judge_next
from xueji.proctoring.services.picture_retention import end_pictures
from xueji.proctoring.services.reviewing import contest, review
from xueji.proctoring.services.striking import restore_check_in, revoke_check_in

__all__ = [
    "LARGEST_FRAME",
    "CameraFailure",
    "CameraQuestion",
    "answer_check",
    "calibrate",
    "check_falls_due",
    "check_in",
    "check_left",
    "check_moves",
    "check_out",
    "check_wanted",
    "conditions_wanted",
    "confirm_presence",
    "contact_during_check",
    "contest",
    "end_pictures",
    "enter_code",
    "face_route_ends",
    "give_up",
    "go_round",
    "judge_attempt",
    "judge_left_over",
    "judge_next",
    "occasions_come",
    "report_camera",
    "restore_check_in",
    "review",
    "revoke_check_in",
    "room_code",
    "schedule_grows",
    "store_frames",
    "study_ends",
    "sweep_missed",
    "waiting_attempts",
]
