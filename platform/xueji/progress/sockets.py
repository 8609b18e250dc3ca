"""A lesson page's socket: it joins its sitting's room and then only listens. Beats and pictures go over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Flask, request
from flask_socketio import SocketIO, join_room

from xueji.identity.tokens import claims_of_request
from xueji.kernel.errors import Problem
from xueji.progress.access import access_sitting
from xueji.web.session import context


def init_lesson_sockets(app: Flask) -> None:
    sockets: SocketIO = app.extensions["socketio"]
    sockets.on_event("connect", connect)
    sockets.on_event("join", join)


def connect(_auth: Any = None) -> bool:
    """A stranger gets no socket."""
    return claims_of_request() is not None


def join(said: Any) -> dict[str, bool]:
    """``{sitting_id}`` → whether the page now hears its sitting."""
    claims = claims_of_request()
    try:
        sitting_id = UUID(str(said["sitting_id"]))
    except (TypeError, KeyError, ValueError):
        return {"joined": False}
    if claims is None:
        return {"joined": False}
    with context().database.reading() as session:
        try:
            access_sitting(session, claims.actor(), sitting_id)
        except Problem:
            return {"joined": False}
    join_room(f"sitting:{sitting_id}", sid=request.sid)  # type: ignore[attr-defined]
    return {"joined": True}
