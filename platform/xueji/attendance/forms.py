"""The forms of class sessions and of their rosters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import (
    DateTimeLocalField,
    SelectField,
    StringField,
)

from xueji.attendance.services.planning import ClassSessionPlan
from xueji.cohorts.fields import NEEDED_FIELD, ReasonForm, choices_of, text_field
from xueji.cohorts.wording import PART
from xueji.identity.forms import StrictForm
from xueji.kernel import clock
from xueji.kernel.errors import Invalid
from xueji.rulebook.vocabulary import Part


class ClassSessionForm(StrictForm):
    """A class session. Times are those of Asia/Shanghai."""

    title = text_field(_("内容"), 120)
    part = SelectField(_("类别"), [NEEDED_FIELD], choices=choices_of(PART))
    place = text_field(_("地点"), 200)
    teacher = text_field(_("教师"), 64)
    began_at = DateTimeLocalField(_("开始时间"), [NEEDED_FIELD], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
    ended_at = DateTimeLocalField(_("结束时间"), [NEEDED_FIELD], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])

    def plan(self) -> ClassSessionPlan:
        """The class session as it was filled in."""
        return ClassSessionPlan(
            title=self.title.data,
            part=Part(self.part.data),
            place=self.place.data,
            teacher=self.teacher.data,
            began_at=_in_shanghai(self.began_at.data),
            ended_at=_in_shanghai(self.ended_at.data),
        )


class SettleForm(ReasonForm):
    """Whether an attendance stands, and why."""

    outcome = StringField()
    next = StringField()


HERE, ABSENT = "here", "absent"


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster as sent; whoever was left open stands in none of these."""

    attended: dict[UUID, tuple[datetime, datetime]]
    absent: list[UUID]
    unreadable: dict[UUID, str]


def roster_sent(sent: Mapping[str, str], began: datetime, ended: datetime) -> Roster:
    """For each enrolment that is named whether she was there, and from when to when, by the clock on the wall.

    Raises Invalid for what names nobody.
    """
    roster = Roster({}, [], {})
    for name, state in sent.items():
        if not name.startswith("state-"):
            continue
        try:
            enrolment_id = UUID(name.removeprefix("state-"))
        except ValueError as error:
            raise Invalid from error
        if state == ABSENT:
            roster.absent.append(enrolment_id)
        elif state == HERE:
            first = _on_the_wall(sent.get(f"from-{enrolment_id}", ""), began, began, ended)
            last = _on_the_wall(sent.get(f"to-{enrolment_id}", ""), ended, began, ended)
            if first is None or last is None:
                roster.unreadable[enrolment_id] = gettext("请填写时间，例如 14:05。")
            else:
                roster.attended[enrolment_id] = (first, last)
    return roster


def wall_clock(moment: datetime) -> str:
    """As the roster shows it: 14:05, Asia/Shanghai."""
    return moment.astimezone(clock.SHANGHAI).strftime("%H:%M")


def _on_the_wall(text: str, limit: datetime, began: datetime, ended: datetime) -> datetime | None:
    """The instant meant by an hour and a minute in a session of at most a day; None for what is no time.

    The minute of the ``limit``, its beginning or its end, means that very instant.
    """
    if text.strip() == wall_clock(limit):
        return limit
    try:
        at = time.fromisoformat(text.strip())
    except ValueError:
        return None
    first = datetime.combine(began.astimezone(clock.SHANGHAI), at.replace(tzinfo=None), clock.SHANGHAI)
    next_day = first + timedelta(days=1)
    return next_day if began <= next_day <= ended else first


def _in_shanghai(local: datetime) -> datetime:
    return local.replace(tzinfo=clock.SHANGHAI)
