"""`xueji demo`: an invented institution, enterprise and regulators, and people in a cohort that can be studied at once.

Everything is made through the services that the pages call, so the demonstration's trace is a real one. Doing it again
finds what is there, and gives the first trainee a new check-in when the last has run out.
"""

from __future__ import annotations

from typing import Any

from xueji.demo.accounts import Accounts, Placed
from xueji.demo.cast import CAST, Member
from xueji.demo.training import Training, make_training
from xueji.kernel.context import Context
from xueji.kernel.settings import Settings
from xueji.wiring import connect

__all__ = ["make", "welcome"]


def make(context: Context) -> dict[str, Any]:
    """Make or complete the demonstration; returns accounts with passwords, and enrolments with their lessons."""
    connect(context)
    accounts = Accounts.open_or_create(context.settings)
    people = accounts.register(context)
    training = make_training(context, people)
    return {
        "url": context.settings.public_url,
        "accounts": [_account(accounts, member) for member in CAST],
        "enrolments": _enrolments(training, people),
    }


def _account(accounts: Accounts, member: Member) -> dict[str, Any]:
    return {
        "account": member.account,
        "password": accounts.passwords[member.account],
        "role": member.role.value,
        "name": member.name,
        "organisation": member.house.name,
        "region": member.house.region,
        "route": member.route.value if member.route is not None else None,
    }


def _enrolments(training: Training, people: dict[str, Placed]) -> list[dict[str, Any]]:
    lessons = [
        {"lesson_id": str(lesson.lesson_id), "title": lesson.title, "duration_ms": lesson.duration_ms}
        for lesson in training.lessons
    ]
    return [
        {"account": account, "enrolment_id": str(training.enrolments[account]), "lessons": lessons}
        for account in people
        if account in training.enrolments
    ]


def welcome(settings: Settings) -> str:
    """Where to go, and, in a demonstration, one account for each role."""
    lines = ["", f"  学迹 Xueji  {settings.public_url}", ""]
    accounts = Accounts.there(settings)
    if accounts is not None:
        lines += [
            f"  {member.role.value:14} {member.account:14} {accounts.passwords[member.account]}" for member in CAST
        ]
        lines += ["", "  Everybody named here is invented.", ""]
    return "\n".join(lines)
