"""From evidence to class hours, under one rulebook: `assess`. Pure, exact, and linear in the number of segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final, List, NamedTuple, Tuple

from xueji.hours.rules.attendance import attendance_lines, flag_attendance, judge_attendance, who_counts
from xueji.hours.rules.impossible import (
    AttendanceElsewhere,
    DailyRoom,
    DaySums,
    Suspicions,
    look_at_days,
    look_at_sessions,
    sort_out,
)
from xueji.hours.rules.records import EVER, AttendanceFacts, EnrolmentTerms, Evidence, SyllabusLesson
from xueji.hours.rules.statement import (
    CapLine,
    FlagCode,
    InPersonSums,
    LessonLine,
    Missing,
    MissingCode,
    OnlineSums,
    RefusedSum,
    Share,
    Statement,
    Statutory,
    Totals,
)
from xueji.hours.rules.worth import Span, Status, spans_of
from xueji.python38 import UTC, dataclass
from xueji.rulebook.industries import risk
from xueji.rulebook.intervals import Interval, intersect, length, subtract, union
from xueji.rulebook.rules import (
    USED_BY_THE_ACCOUNT,
    InForce,
    OnlineCap,
    RequiredHours,
    Rulebook,
    Situation,
    all_online_forbidden,
    online_cap,
    required_hours,
)
from xueji.rulebook.vocabulary import Method, Part, Reason

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class WrongRulebook(ValueError):
    """The enrolment was opened under another rulebook than the one it is assessed by."""


Media = Tuple[List[Interval], ...]
"""A lesson's film by what the watching of it is worth at best, in the order of `Status`: each a union, each millisecond
once. What is confirmed stands here before the limit on online hours."""


class Assessed(NamedTuple):
    """A statement, and which stretches of each lesson's film its sums are made of."""

    statement: Statement
    media: Mapping[str, Media]
    """by lesson"""


def assess(rulebook: Rulebook, evidence: Evidence, as_of: datetime | int) -> Statement:
    """The enrolment's hours as of an instant (an aware datetime, or epoch ms).

    All the evidence is used; `as_of` decides only whether the time to make up is over. To see an earlier day, read
    the leaves up to that day. Raises WrongRulebook when the enrolment names another rulebook.
    """
    return assess_media(rulebook, evidence, as_of).statement


def assess_media(rulebook: Rulebook, evidence: Evidence, as_of: datetime | int) -> Assessed:
    """`assess`, and where in the films each sum lies."""
    enrolment = evidence.enrolment
    if enrolment.rulebook != rulebook.reference:
        raise WrongRulebook(f"opened under {enrolment.rulebook}, not {rulebook.reference}")
    as_of_ms = as_of if isinstance(as_of, int) else (as_of - _EPOCH) // timedelta(milliseconds=1)
    settled = as_of_ms >= enrolment.settles_ms
    in_force = rulebook.in_force(enrolment.jurisdiction, enrolment.starts)
    situations = _situations(enrolment, in_force)
    cap = _cap(enrolment, in_force, situations)

    suspicions = Suspicions(evidence.irregular)
    judged = judge_attendance(enrolment, evidence.attendance)
    flag_attendance(suspicions, judged)
    rooms = who_counts(judged)
    study = _study(evidence, rooms, suspicions)
    again = _shown_before(enrolment.lessons) if enrolment.rules >= 2 else frozenset()
    media = {lesson.lesson: _standing_media(lesson, study, settled, again) for lesson in enrolment.lessons}
    lines, confirmed_ms = _lesson_lines(enrolment.lessons, study, media, cap.limit_ms)
    online = _online_sums(lines, study.stray_ms)
    look_at_sessions(suspicions, rooms, study.server)
    look_at_days(suspicions, study.days, enrolment.plan.daily_max_ms, rooms)
    flags, cleared = sort_out(suspicions.flags(), evidence.clearances)

    in_person = _in_person(rooms, study)
    theory_ms = online.counted_ms + in_person.theory_ms
    totals = Totals(theory_ms, in_person.practical_ms, theory_ms + in_person.practical_ms)
    missing = _missing(enrolment, totals, online.counted_ms, cap, flagged=bool(flags))
    if enrolment.rules >= 2:
        missing = (*_missing_in_person(enrolment, in_person, in_force, situations), *missing)
    statement = Statement(
        enrolment=enrolment.enrolment,
        rulebook=rulebook.reference,
        as_of_ms=as_of_ms,
        leaves=evidence.leaves,
        settled=settled,
        class_hour_ms=in_force.class_hour_ms,
        online=online,
        lessons=lines,
        cap=_cap_line(cap, online.counted_ms, confirmed_ms, enrolment),
        in_person=in_person,
        totals=totals,
        syllabus=enrolment.syllabus,
        online_of_syllabus=Share(online.counted_ms, enrolment.total_ms),
        online_of_delivered=Share(online.counted_ms, totals.delivered_ms),
        statutory=_statutory(enrolment, in_force, situations),
        complete=not missing,
        missing=missing,
        flags=flags,
        marks=tuple(sorted(evidence.marks.items())),
        cleared=cleared,
        rules=enrolment.rules,
        attendance=() if study.stays is None else attendance_lines(judged, study.stays),
        withdrawn=evidence.withdrawn and enrolment.rules >= 2,
    )
    return Assessed(statement, media)


def _situations(enrolment: EnrolmentTerms, in_force: InForce) -> tuple[Situation, ...]:
    """What was trained, by every reading of the terms: one, unless they were amended.

    Whether the industry is high-risk is not anybody's word where the opening names it.
    """
    return tuple(
        Situation(
            enrolment.category,
            each.high_risk or (each.industry is not None and risk(in_force, each.industry).high),
            enrolment.training,
            each.subject,
        )
        for each in enrolment.readings
    )


def _cap(enrolment: EnrolmentTerms, in_force: InForce, situations: Sequence[Situation]) -> OnlineCap:
    """The limit on online hours: since the second edition also what was filed (003 art. 8, 13).

    Of several readings that with the lowest limit, and of equal ones that under which the share applies.
    """
    filed_ms = enrolment.online_ms if enrolment.rules >= 2 else None
    caps = [
        online_cap(in_force, each, total_ms=enrolment.total_ms, theory_ms=enrolment.theory_ms, filed_ms=filed_ms)
        for each in situations
    ]
    return min(caps, key=lambda cap: (cap.limit_ms, not cap.applies))


@dataclass(slots=True)
class _LessonStudy:
    """What was watched of one lesson: media by what it is worth, and what earned nothing."""

    by_status: tuple[list[Interval], ...] = field(default_factory=lambda: tuple([] for _ in Status))
    refused: Counter[str] = field(default_factory=Counter)
    furthest_ms: int = 0
    unplayed: list[Interval] = field(default_factory=list)
    """media that was credited before it was handed out"""


@dataclass(slots=True)
class _Study:
    """What was watched in the whole enrolment."""

    lessons: dict[str, _LessonStudy]
    days: DaySums = field(default_factory=DaySums)
    server: list[Interval] = field(default_factory=list)
    """server time spent, joined where it touches"""
    stray_ms: int = 0
    """credited for a lesson that the syllabus does not have"""
    stays: dict[str, int] | None = None
    """what of each attendance can be, by session; None where the edition of the rules only flags"""


def _study(evidence: Evidence, rooms: Sequence[AttendanceFacts], suspicions: Suspicions) -> _Study:
    """One sweep over the segments in the order of server time."""
    study = _Study({lesson.lesson: _LessonStudy() for lesson in evidence.enrolment.lessons})
    for lesson_id, furthest_ms in evidence.furthest_ms.items():
        if lesson_id in study.lessons:
            study.lessons[lesson_id].furthest_ms = furthest_ms
    for refusal in evidence.refusals:
        if refusal.lesson in study.lessons:
            study.lessons[refusal.lesson].refused[refusal.reason] += refusal.to_ms - refusal.from_ms

    for piece in evidence.unplayed:
        if piece.lesson in study.lessons:
            study.lessons[piece.lesson].unplayed.append((piece.from_ms, piece.to_ms))

    face = spans_of(evidence, Method.FACE)
    supervised = spans_of(evidence, Method.SUPERVISED)
    sift = _Sift(evidence, rooms) if evidence.enrolment.rules >= 2 else None
    face_at = supervised_at = 0
    durations = {lesson.lesson: lesson.duration_ms for lesson in evidence.enrolment.lessons}
    spent_until = -EVER
    for segment in sorted(evidence.segments, key=attrgetter("server_ms", "n")):
        start, first, last = segment.server_ms, segment.from_ms, segment.to_ms
        end = start + last - first
        study.days.add(start, end)
        lesson = study.lessons.get(segment.lesson)
        if lesson is None:
            suspicions.add(FlagCode.UNKNOWN_LESSON, last - first, f"n:{segment.n}", segment.lesson)
            study.stray_ms += last - first
            continue
        if start < spent_until:
            twice = min(spent_until, end) - start
            suspicions.add(FlagCode.SERVER_TIME_TWICE, twice, f"n:{segment.n}", segment.sitting)
            lesson.refused[Reason.IMPOSSIBLE] += twice
            start, first = start + twice, first + twice
        over = last - max(first, durations[segment.lesson])
        if over > 0:
            suspicions.add(FlagCode.BEYOND_DURATION, over, f"n:{segment.n}", segment.lesson)
            lesson.refused[Reason.IMPOSSIBLE] += over
            end -= over
        if start >= end:
            continue
        spent_until = end
        if study.server and study.server[-1][1] == start:
            study.server[-1] = (study.server[-1][0], end)
        else:
            study.server.append((start, end))
        # Both pointers only ever move on, so the sweep costs one step for each segment and each span.
        for begins, ends in [(start, end)] if sift is None else sift.keep(segment.n, start, end, lesson):
            if evidence.sittings.get(segment.sitting) == Method.SUPERVISED:
                supervised_at = _sort_by_status(lesson, supervised, supervised_at, begins, ends, first + begins - start)
            else:
                face_at = _sort_by_status(lesson, face, face_at, begins, ends, first + begins - start)
    if sift is not None:
        study.stays = sift.elsewhere.stays()
    return study


class _Sift:
    """Takes from online study what cannot be beside the other evidence, and says why (second edition)."""

    def __init__(self, evidence: Evidence, rooms: Sequence[AttendanceFacts]) -> None:
        self.elsewhere = AttendanceElsewhere(rooms)
        self._room = DailyRoom(evidence.enrolment.plan.daily_max_ms)

    def keep(self, n: int, start: int, end: int, lesson: _LessonStudy) -> list[Interval]:
        """The parts of leaf `n`'s server time that count; the others are refused in the lesson."""
        free = self.elsewhere.free(n, start, end)
        kept = self._room.fit(free)
        lesson.refused[Reason.IMPOSSIBLE] += end - start - length(free)
        lesson.refused[Reason.DAILY_MAXIMUM] += length(free) - length(kept)
        return kept


def _sort_by_status(lesson: _LessonStudy, cut: Sequence[Span], at: int, start: int, end: int, first: int) -> int:
    """Put media from `first`, watched in the server time [start, end), with what it is worth; the span reached."""
    while cut[at][1] <= start:
        at += 1
    while True:
        _, until, status = cut[at]
        last = first + min(until, end) - start
        pieces = lesson.by_status[status]
        if pieces and pieces[-1][1] == first:
            pieces[-1] = (pieces[-1][0], last)
        else:
            pieces.append((first, last))
        if until >= end:
            return at
        start, first = until, last
        at += 1


def _shown_before(lessons: Iterable[SyllabusLesson]) -> frozenset[str]:
    """The lessons whose film is that of an earlier one: a film counts once, under whatever titles it is shown."""
    films: set[str] = set()
    again: set[str] = set()
    for lesson in lessons:
        if lesson.film and lesson.film in films:
            again.add(lesson.lesson)
        films.add(lesson.film)
    return frozenset(again)


def _standing_media(lesson: SyllabusLesson, study: _Study, settled: bool, again: Collection[str]) -> Media:
    """What of the lesson's film stands as what; also notes in its refusals what of it was watched and never stands.

    Practical training never stands online, nor does a lesson of `again`, whose film was an earlier lesson's; what still
    waits when the account is settled was not made up.
    """
    watched = study.lessons[lesson.lesson]
    best = _best(watched)
    none: list[Interval] = []
    if lesson.part == Part.PRACTICAL or lesson.lesson in again:
        why = Reason.PRACTICAL_ONLINE if lesson.part == Part.PRACTICAL else Reason.ALREADY_COUNTED
        watched.refused[why] += sum(map(length, best))
        return (none,) * len(Status)
    lost, held, awaited, provisional, confirmed = best
    watched.refused[Reason.CHECK_FAILED] += length(lost)
    if not settled:
        return best
    watched.refused[Reason.NOT_MADE_UP] += length(held) + length(awaited) + length(provisional)
    return none, none, none, none, confirmed


def _lesson_lines(
    lessons: Iterable[SyllabusLesson], study: _Study, media: Mapping[str, Media], limit_ms: int
) -> tuple[tuple[LessonLine, ...], int]:
    """Each lesson's line, and the confirmed theory of all of them before the cap of `limit_ms`.

    The cap is used up in the order of the syllabus, so that the lines always add up to the total.
    """
    lines: list[LessonLine] = []
    confirmed_total = 0
    for lesson in lessons:
        watched = study.lessons[lesson.lesson]
        lost, held, awaited, provisional, confirmed = media[lesson.lesson]
        confirmed_ms, awaited_ms = length(confirmed), length(awaited)
        refused = Counter(watched.refused)
        counted_ms = min(confirmed_ms, limit_ms - min(limit_ms, confirmed_total))
        refused[Reason.OVER_CAP] += confirmed_ms - counted_ms
        confirmed_total += confirmed_ms
        lines.append(
            LessonLine(
                lesson=lesson.lesson,
                part=lesson.part,
                duration_ms=lesson.duration_ms,
                furthest_ms=watched.furthest_ms,
                counted_ms=counted_ms,
                provisional_ms=length(provisional),
                held_ms=length(held) + awaited_ms,
                refused=_refused_sums(refused),
                make_up=tuple(union([*held, *lost])),
                awaited_ms=awaited_ms,
                unplayed_ms=length(intersect(held, union(watched.unplayed))),
            )
        )
    return tuple(lines), confirmed_total


def _best(watched: _LessonStudy) -> Media:
    """The lesson's media by what it is worth at best, each millisecond once, in the order of `Status`."""
    best: list[list[Interval]] = []
    better: list[Interval] = []
    for pieces in reversed(watched.by_status):
        found = subtract(union(pieces), better)
        best.append(found)
        better = union([*better, *found])
    return tuple(reversed(best))


def _refused_sums(refused: Counter[str]) -> tuple[RefusedSum, ...]:
    """In the order of `Reason`, without the reasons that refused nothing."""
    return tuple(RefusedSum(reason.value, refused[reason]) for reason in Reason if refused[reason])


def _online_sums(lines: Sequence[LessonLine], stray_ms: int) -> OnlineSums:
    refused: Counter[str] = Counter({Reason.IMPOSSIBLE: stray_ms})
    for line in lines:
        for item in line.refused:
            refused[item.reason] += item.ms
    return OnlineSums(
        counted_ms=sum(line.counted_ms for line in lines),
        provisional_ms=sum(line.provisional_ms for line in lines),
        held_ms=sum(line.held_ms for line in lines),
        refused=_refused_sums(refused),
        awaited_ms=sum(line.awaited_ms for line in lines),
        unplayed_ms=sum(line.unplayed_ms for line in lines),
    )


def _in_person(rooms: Sequence[AttendanceFacts], study: _Study) -> InPersonSums:
    """Attendance that counts; what cannot be beside other evidence does not, since the second edition."""
    sums: Counter[str] = Counter()
    for session in rooms:
        counted_ms = session.ms if study.stays is None else study.stays[session.session]
        sums[session.part] += counted_ms
        sums[Reason.IMPOSSIBLE] += session.ms - counted_ms
    refused: Counter[str] = Counter({Reason.IMPOSSIBLE: sums[Reason.IMPOSSIBLE]})
    return InPersonSums(sums[Part.THEORY], sums[Part.PRACTICAL], _refused_sums(refused))


def _cap_line(cap: OnlineCap, counted_ms: int, confirmed_ms: int, enrolment: EnrolmentTerms) -> CapLine:
    figure = None if cap.ruling is None else cap.ruling.figure
    return CapLine(
        applies=cap.applies,
        percent=cap.percent,
        document="" if figure is None else figure.document,
        article="" if figure is None else figure.article,
        limit_ms=cap.limit_ms,
        used_ms=counted_ms,
        over_ms=confirmed_ms - counted_ms,
        note=cap.note.value,
        filed_ms=enrolment.online_ms if enrolment.rules >= 2 else None,
    )


def _statutory(enrolment: EnrolmentTerms, in_force: InForce, situations: Sequence[Situation]) -> Statutory:
    """What the law asks for at least, in all and of each part, and what is open about any rule the account rests on.

    Statements of the first edition named the total and its questions only; those of a chain that was put right since
    say everything.
    """
    whole = enrolment.rules >= 2 or enrolment.corrected
    about = USED_BY_THE_ACCOUNT if whole else ("training_hours",)
    readings: list[RequiredHours] = [required_hours(in_force, each, about=about) for each in situations]
    required = max(readings, key=lambda each: each.total_ms or 0)
    figure = next((ruling.figure for ruling in required.rulings if ruling.figure.key == "training_hours"), None)
    return Statutory(
        total_ms=required.total_ms,
        per_year=figure is not None and figure.unit == "class_hour_per_year",
        met=None if required.total_ms is None else enrolment.total_ms >= required.total_ms,
        document="" if figure is None else figure.document,
        article="" if figure is None else figure.article,
        questions=required.questions,
        theory_ms=_most(each.theory_ms for each in readings) if whole else None,
        practical_ms=_most(each.practical_ms for each in readings) if whole else None,
    )


def _most(least: Iterable[int | None]) -> int | None:
    return max((each for each in least if each is not None), default=None)


def _missing_in_person(
    enrolment: EnrolmentTerms, in_person: InPersonSums, in_force: InForce, situations: Sequence[Situation]
) -> Iterable[Missing]:
    """What was filed to be taught in a room and was not; where nothing may be wholly online, its theory too."""
    short = {
        MissingCode.IN_PERSON_SHORT: enrolment.in_person_ms - in_person.theory_ms - in_person.practical_ms,
    }
    if any(all_online_forbidden(in_force, each) is not None for each in situations):
        short[MissingCode.THEORY_IN_PERSON_SHORT] = enrolment.theory_ms - enrolment.online_ms - in_person.theory_ms
    return tuple(Missing(code.value, ms) for code, ms in short.items() if ms > 0)


def _missing(
    enrolment: EnrolmentTerms, totals: Totals, online_ms: int, cap: OnlineCap, *, flagged: bool
) -> tuple[Missing, ...]:
    """What the account lacks: hours of either part or altogether, an allowed share, sums that can be true."""
    short = {
        MissingCode.THEORY_SHORT: enrolment.theory_ms - totals.theory_ms,
        MissingCode.PRACTICAL_SHORT: enrolment.practical_ms - totals.practical_ms,
        MissingCode.TOTAL_SHORT: enrolment.total_ms - totals.delivered_ms,
    }
    if cap.percent is not None:
        short[MissingCode.ONLINE_SHARE_OF_DELIVERED] = online_ms - totals.delivered_ms * cap.percent // 100
    missing = [Missing(code.value, ms) for code, ms in short.items() if ms > 0]
    if flagged:
        missing.append(Missing(MissingCode.IMPOSSIBLE_SUMS.value, 0))
    return tuple(missing)
