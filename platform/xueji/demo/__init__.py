"""`xueji demo`: an invented institution, enterprise and regulators, and people in a cohort that can be studied at once.

Everything is made through the services that the pages call, so the demonstration's trace is a real one. Doing it again
finds what is there, says what is true of it now, and adds what is missing: whatever visitors did to it, everybody named
can sign in, and the first trainee can study without a camera until her check-in ends.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from xueji.demo import history
from xueji.demo.accounts import Accounts, Placed
from xueji.demo.course import FilmNotMade
from xueji.demo.training import DemoTraining, Ready, let_inspect, make_training, ready_until
from xueji.identity.models import Person
from xueji.kernel import clock
from xueji.kernel.actor import Role
from xueji.kernel.context import Context
from xueji.kernel.errors import Problem
from xueji.kernel.tasks import make_celery
from xueji.trace.process import AnotherSequencer
from xueji.trace.rules import PLAYED
from xueji.wiring import connect

__all__ = ["NotMade", "make", "welcome"]

MOST_NEW_TRAINEES = 2


class NotMade(Exception):
    """The demonstration cannot be made, or not made whole again; a sentence for the operator."""


def make(context: Context) -> dict[str, Any]:
    """Make or complete the demonstration; returns accounts with passwords, and enrolments with their lessons.

    The first account is a trainee's who is checked in. ``notes`` say what was put right. Raises NotMade.
    """
    connect(context)
    try:
        return _made(context)
    except FilmNotMade as error:
        raise NotMade(str(error)) from error
    except Problem as error:
        raise NotMade(f"the demonstration cannot be made here: {error.type} {error.extra or ''}".rstrip()) from error


def _made(context: Context) -> dict[str, Any]:
    accounts = Accounts.open_or_create(context.settings)
    if history.is_wanted(context):
        _play(context, accounts)
    people = accounts.register(context)
    notes = accounts.put_right(context, people)
    training = make_training(context, people)
    for _ in range(MOST_NEW_TRAINEES):
        if training.ready is not None and len(training.enrolments) >= 2:
            break
        accounts = accounts.with_another_trainee(context.settings)
        people = accounts.register(context)
        training = make_training(context, people)
    let_inspect(context, people, training)
    ready = training.ready
    if ready is None:
        raise NotMade("nobody of the demonstration can be checked in: her check-in elsewhere has to end first")
    # The one who can study comes first.
    order = sorted(people, key=lambda account: account != ready.account)
    routes = _routes(context, people)
    return {
        "url": context.settings.public_url,
        "accounts": [_account(accounts, people[account], routes, ready) for account in order],
        "enrolments": _enrolments(training, order),
        "notes": notes,
    }


def _play(context: Context, accounts: Accounts) -> None:
    """The weeks before the first start. No broker is up yet: what is told to one meanwhile is told to nobody."""
    now = clock.now()
    make_celery(replace(context.settings, broker_url="memory://"))
    try:
        with clock.fixed(now - PLAYED + timedelta(minutes=5)):
            history.play(context, accounts.register(context), now)
    except AnotherSequencer as error:
        raise NotMade("the installation is up: stop it, then run `xueji demo` again") from error
    finally:
        make_celery(context.settings)


def _routes(context: Context, people: dict[str, Placed]) -> dict[UUID, str]:
    """By person, as they have chosen by now."""
    ids = [each.person_id for each in people.values()]
    with context.database.reading() as session:
        return {each.id: each.proof_route.value for each in session.scalars(select(Person).where(Person.id.in_(ids)))}


def _account(accounts: Accounts, placed: Placed, routes: dict[UUID, str], ready: Ready) -> dict[str, Any]:
    member = placed.member
    return {
        "account": member.account,
        "password": accounts.passwords[member.account],
        "role": member.role.value,
        "name": member.name,
        "organisation": member.house.name,
        "region": member.house.region,
        "route": routes[placed.person_id] if member.role is Role.TRAINEE else None,
        "checked_in_until": _hour(ready.until) if member.account == ready.account else None,
    }


def _enrolments(training: DemoTraining, order: list[str]) -> list[dict[str, Any]]:
    lessons = [
        {"lesson_id": str(lesson.lesson_id), "title": lesson.title, "duration_ms": lesson.duration_ms}
        for lesson in training.lessons
    ]
    return [
        {"account": account, "enrolment_id": str(training.enrolments[account]), "lessons": lessons}
        for account in order
        if account in training.enrolments
    ]


def _hour(instant: datetime) -> str:
    return instant.astimezone(clock.SHANGHAI).isoformat(timespec="minutes")


def welcome(context: Context) -> str:
    """Where to go, and, in a demonstration, who can sign in as what and who can study at once until when."""
    lines = ["", f"  学迹 Xueji  {context.settings.public_url}", ""]
    accounts = Accounts.there(context.settings)
    if accounts is not None:
        lines += [
            f"  {member.role.value:14} {member.account:14} {accounts.passwords[member.account]}"
            for member in accounts.members
        ]
        lines += ["", *_who_can_study(context, accounts), "  Everybody named here is invented.", ""]
    return "\n".join(lines)


def _who_can_study(context: Context, accounts: Accounts) -> list[str]:
    ready = ready_until(context, [member.account for member in accounts.members])
    anew = "`xueji demo` checks in anew, and so does the institution on its check-in page."
    if ready is None:
        return [f"  Nobody is checked in: {anew}"]
    return [
        f"  {ready.account} is checked in, and can study without a camera, until {_hour(ready.until)}.",
        f"  {anew}",
    ]
