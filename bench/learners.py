"""An installation with many learners whose sittings are open, made straight in its tables; measuring comes after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import insert

import xueji.tables  # noqa: F401  every table, so that create_all knows them
from courses.models import Course, Film, FilmState, Lesson
from xueji.cohorts.models import Cohort, CohortLesson, CohortState
from xueji.enrolment.models import Enrolment, EnrolmentState
from xueji.enrolment.queries import enrolment_facts
from xueji.enrolment.services.trainees import opening_leaf
from xueji.identity import tokens
from xueji.identity.models import Consent, LoginSession, Organisation, Person, ReferencePhoto
from xueji.identity.rules import ConsentKind, OrganisationKind, PhotoStanding, PhotoState, ProofRoute, SessionKind
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.crypto import Keyring, new_key
from xueji.kernel.database import Base, Database
from xueji.kernel.settings import Settings
from xueji.progress.leaves import LeaseExpired
from xueji.progress.models import Lease, Sitting
from xueji.progress.rules import SittingTerms
from xueji.progress.terms import write_terms
from xueji.rulebook.rules import load
from xueji.rulebook.shanghai import DAY_MS, day_of
from xueji.rulebook.vocabulary import Category, Part, Training
from xueji.trace.leaf import Entry
from xueji.trace.services import record_many

FILM_MS = 6 * 3_600_000


@dataclass(frozen=True)
class Learner:
    token: str
    sitting_id: UUID
    enrolment_id: UUID
    lesson_id: UUID


def make(data: Path, database_url: str, count: int, beginners: int = 0) -> list[Learner]:
    """``count`` learners in a new installation in ``data``, each with a sitting open for three hours already.

    Behind them ``beginners`` more who have everything that studying before a camera needs, and have opened none.
    """
    settings = Settings.load({"XUEJI_DATA": str(data), "XUEJI_DATABASE_URL": database_url})
    keyring = Keyring.create(settings.keys)
    database = Database(settings)
    Base.metadata.create_all(database.engine)
    now = clock.now()
    now_ms, today = clock.to_ms(now), clock.shanghai_day(now)
    book = load()
    # The largest a plan allows: neither the day nor idleness is to end what is measured.
    plan = book.proctoring_plan("620000", today, daily_max_ms=86_400_000, idle_ms=7_200_000)
    terms = SittingTerms(
        duration_ms=FILM_MS,
        plan=plan,
        schedule=(),
        opens_ms=now_ms - 86_400_000,
        closes_ms=now_ms + 86_400_000,
        part=Part.THEORY,
    )
    learners: list[Learner] = []
    with database.writing() as session:
        organisation = Organisation(
            name="压测培训中心", kind=OrganisationKind.INSTITUTION, region="620100", created_at=now
        )
        session.add(organisation)
        session.flush()
        course = Course(organisation_id=organisation.id, title="压测课程", summary="", created_at=now)
        session.add(course)
        session.flush()
        film = Film(
            organisation_id=organisation.id,
            name="压测.mp4",
            size=1,
            state=FilmState.READY,
            duration_ms=FILM_MS,
            folder="films/bench",
            uploaded_at=now,
        )
        session.add(film)
        session.flush()
        lesson = Lesson(course_id=course.id, position=1, title="压测课时", part=Part.THEORY, film_id=film.id)
        cohort = Cohort(
            organisation_id=organisation.id,
            title="压测班",
            region="620100",
            home="620100",
            category=Category.OTHER,
            high_risk=False,
            training=Training.INITIAL,
            syllabus="压测",
            total_ms=FILM_MS,
            theory_ms=FILM_MS,
            practical_ms=0,
            online_ms=FILM_MS,
            in_person_ms=0,
            starts_on=today - timedelta(days=1),
            ends_on=date(today.year + 1, 1, 1),
            plan=plan.to_dict(),
            rulebook=book.reference,
            state=CohortState.OPEN,
            created_at=now,
        )
        session.add_all([lesson, cohort])
        session.flush()
        place = {"cohort_id": cohort.id, "lesson_id": lesson.id, "position": 1, "part": Part.THEORY}
        session.add(CohortLesson(**place, duration_ms=FILM_MS))
        rows: dict[type[Base], list[dict[str, object]]] = {
            each: [] for each in (Person, LoginSession, Enrolment, Sitting, Lease, Consent, ReferencePhoto)
        }
        entries, begun = [], list[tuple[UUID, str]]()
        for number in range(count + beginners):
            begins = number >= count
            person, login, enrolment, sitting = uuid4(), uuid4(), uuid4(), uuid4()
            name = f"bench{number}".encode()
            rows[Person].append(
                {
                    "id": person,
                    "name_cipher": name,
                    "name_masked": "测*",
                    "name_hash": name,
                    "id_number_cipher": name,
                    "id_number_masked": "*",
                    "id_number_hash": name,
                    "wrapped_key": keyring.wrap(new_key(), str(person)),
                    "proof_route": ProofRoute.FACE if begins else ProofRoute.SUPERVISED,
                    "route_chosen_at": now,
                    "registered_at": now,
                }
            )
            rows[LoginSession].append(
                {
                    "id": login,
                    "person_id": person,
                    "organisation_id": None,
                    "kind": SessionKind.TOKEN,
                    "learner": True,
                    "idle_minutes": 720,
                    "started_at": now,
                    "last_seen_at": now,
                    "expires_at": now + timedelta(hours=12),
                    "user_agent": "bench",
                }
            )
            rows[Enrolment].append(
                {
                    "id": enrolment,
                    "cohort_id": cohort.id,
                    "person_id": person,
                    "enrolled_at": now,
                    "state": EnrolmentState.ACTIVE,
                }
            )
            if begins:
                rows[Consent].append(
                    {
                        "id": uuid4(),
                        "person_id": person,
                        "kind": ConsentKind.FACE,
                        "text_version": "bench",
                        "given_at": now,
                    }
                )
                rows[ReferencePhoto].append(
                    {
                        "id": uuid4(),
                        "person_id": person,
                        "state": PhotoState.STORED,
                        "standing": PhotoStanding.CONFIRMED,
                        "sha256": name.hex(),
                        "model": "bench",
                        "enrolled_at": now,
                    }
                )
            else:
                rows[Sitting].append(
                    _open_sitting(person, enrolment, sitting, lesson.id, terms, cohort.rulebook, keyring)
                )
                rows[Lease].append({"person_id": person, "sitting_id": sitting})
            who = keyring.pseudonym(person, enrolment)
            if begins:
                begun.append((enrolment, who))
            else:
                entries.append(Entry(LeaseExpired(sitting=str(sitting)), str(enrolment), who))
            claims = tokens.Claims(person, login, frozenset({Role.TRAINEE}), None, None)
            learners.append(Learner(tokens.issue(keyring, claims), sitting, enrolment, lesson.id))
        for table, values in rows.items():
            if values:
                session.execute(insert(table), values)
        if begun:
            facts = enrolment_facts(session, begun[0][0])
            assert facts is not None
            opening = opening_leaf(facts, None).named("0" * 64, "0" * 64)
            entries += [Entry(opening, str(each), who) for each, who in begun]
        record_many(session, entries)
    database.dispose()
    return learners


def _open_sitting(
    person: UUID, enrolment: UUID, sitting: UUID, lesson: UUID, terms: SittingTerms, rulebook: str, keyring: Keyring
) -> dict[str, object]:
    """A row of one that has been open for a day, so that a day's worth of reports may come at once."""
    now_ms = clock.to_ms(clock.now())
    return {
        "id": sitting,
        "enrolment_id": enrolment,
        "person_id": person,
        "lesson_id": lesson,
        "who": keyring.pseudonym(person, enrolment),
        "method": "supervised",
        "rulebook": rulebook,
        "device": "bench",
        "terms": write_terms(terms),
        "opened_ms": now_ms - DAY_MS,  # so that a day's worth of reports may come at once
        "last_contact_ms": now_ms,
        "used_until_ms": now_ms,
        "furthest_ms": 0,
        "resume_ms": 0,
        "make_up": "[]",
        "study_ms": 0,
        "since_check_ms": 0,
        "next_check": 0,
        "last_interaction_ms": now_ms,
        "day": day_of(now_ms),
        "day_used_ms": 0,
        "last_seq": 0,
        "reports": 0,
    }
