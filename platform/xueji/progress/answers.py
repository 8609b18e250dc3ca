"""What progress answers, in the words of the interface."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import url_for

from xueji.enrolment.queries import EnrolmentFacts
from xueji.kernel import clock
from xueji.occasions.answers import check_json
from xueji.progress.beat_recording import BeatAnswer
from xueji.progress.opening import OpenedSitting
from xueji.progress.queries import LessonProgress


def answer_json(answer: BeatAnswer) -> dict[str, Any]:
    return {
        "credited_ms": answer.furthest_ms,
        "furthest_ms": answer.furthest_ms,
        "ledger": answer.ledger,
        "refused": [{"from_ms": first, "to_ms": last, "reason": why} for first, last, why in answer.refused],
        "check": check_json(answer.check),
        "question": _question(*answer.question),
        "server_time": clock.rfc3339(clock.from_ms(answer.now_ms)),
    }


def opened_json(opened: OpenedSitting, lease: str) -> dict[str, Any]:
    sitting, plan = opened.sitting, opened.terms.plan
    film_id = opened.lesson.film_id
    media = None
    if film_id is not None and opened.lesson.film_ready:
        # Each sitting has addresses of its own, so that whatever it plays is handed out to it.
        playlist = url_for("courses.film_part", film_id=film_id, sitting_id=sitting.id, path="master.m3u8")
        poster = url_for("courses.film_file", film_id=film_id, path="poster.jpg")
        media = {"hls": playlist, "poster": poster}
    return {
        "sitting_id": str(sitting.id),
        "resume_ms": sitting.resume_ms,
        "furthest_ms": sitting.furthest_ms,
        "ledger": opened.line,
        "duration_ms": opened.terms.duration_ms,
        "beat_seconds": plan.beat_ms // 1000,
        "lease": {
            "id": str(sitting.id),
            "token": lease,
            "expires_at": clock.rfc3339(clock.from_ms(opened.lease_until_ms)),
        },
        "rulebook": sitting.rulebook,
        "method": sitting.method,
        "plan": plan.to_dict(),
        "make_up": json.loads(sitting.make_up),
        "media": media,
        "check": check_json(sitting.open_check),
        "question": _question(sitting.question_id, sitting.question_by_ms),
    }


def _question(question_id: UUID | None, by_ms: int | None) -> dict[str, str] | None:
    if question_id is None or by_ms is None:
        return None
    return {"question_id": str(question_id), "answer_by": clock.rfc3339(clock.from_ms(by_ms))}


def enrolment_json(facts: EnrolmentFacts, progress: dict[Any, LessonProgress]) -> dict[str, Any]:
    cohort = facts.cohort
    return {
        "enrolment_id": str(facts.enrolment_id),
        "state": facts.state,
        "cohort": {
            "cohort_id": str(cohort.cohort_id),
            "title": cohort.title,
            "syllabus": cohort.syllabus,
            "starts_on": cohort.starts_on.isoformat(),
            "ends_on": cohort.ends_on.isoformat(),
            "total_ms": cohort.total_ms,
            "theory_ms": cohort.theory_ms,
            "practical_ms": cohort.practical_ms,
            "online_ms": cohort.online_ms,
            "in_person_ms": cohort.in_person_ms,
            "rulebook": cohort.rulebook,
        },
        "lessons": [
            {
                "lesson_id": str(lesson.lesson_id),
                "title": lesson.title,
                "part": lesson.part,
                "position": lesson.position,
                "duration_ms": lesson.duration_ms,
                "film_ready": lesson.film_ready,
                "furthest_ms": getattr(progress.get((facts.enrolment_id, lesson.lesson_id)), "furthest_ms", 0),
            }
            for lesson in facts.lessons
        ],
    }
