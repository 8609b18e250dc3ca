"""A sitting as a timeline, read from its leaves alone: what the trace says, in server time, track by track.

The page draws ``{began_ms, ended_ms, tracks: [{name, items: [{from_ms, to_ms?, kind, label, picture?, detail}]}]}``;
times are epoch ms, ``picture`` is a list of addresses, ``kind`` is confirmed, provisional, held, refused or neutral.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from xueji.desks.wording import BEAT_STATE, METHOD, WORTH
from xueji.hours.rules import Evidence, Mark, Status
from xueji.hours.rules.worth import Span, spans_of
from xueji.hours.wording import MARK, REASON, span
from xueji.kernel import clock
from xueji.proctoring.queries import CheckLine
from xueji.proctoring.rules import holds_time
from xueji.proctoring.wording import DECISION, KIND, OUTCOME, SIGNAL, TONE
from xueji.rulebook.reviewing import Decision
from xueji.rulebook.vocabulary import BeatState, Method
from xueji.trace.rules import Event, epoch_ms

Leaf = Mapping[str, Any]

_KIND_OF = {
    Status.CONFIRMED: "confirmed",
    Status.PROVISIONAL: "provisional",
    Status.HELD: "held",
    Status.AWAITED: "held",
    Status.LOST: "refused",
}
_WORTH_OF = {
    Status.CONFIRMED: "confirmed",
    Status.PROVISIONAL: "provisional",
    Status.HELD: "held",
    Status.AWAITED: "awaited",
    Status.LOST: "lost",
}
_SILENCE_BEATS = 3
"""So many beats' time without a word is shown as a gap."""


_LEASE = (Event.LEASE_TAKE, Event.LEASE_EXPIRE)


@dataclass
class Item:
    from_ms: int
    to_ms: int | None
    kind: str
    label: str
    detail: str = ""
    picture: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        values: dict[str, Any] = {"from_ms": self.from_ms, "kind": self.kind, "label": self.label}
        if self.to_ms is not None:
            values["to_ms"] = self.to_ms
        if self.picture:
            values["picture"] = list(self.picture)
        return {**values, "detail": self.detail}


@dataclass
class _Tracks:
    study: list[Item] = field(default_factory=list)
    film: list[Item] = field(default_factory=list)
    refused: list[Item] = field(default_factory=list)
    focus: list[Item] = field(default_factory=list)
    network: list[Item] = field(default_factory=list)
    device: list[Item] = field(default_factory=list)


def timeline(
    leaves: Iterable[Leaf],
    sitting: str,
    found: Evidence,
    checks: Sequence[CheckLine],
    *,
    device: str,
    pictures: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """The timeline of one sitting. ``pictures``: the addresses of each check's pictures, by its id."""
    mine = [leaf for leaf in leaves if _concerns(leaf, sitting)]
    cut = spans_of(found, found.sittings.get(sitting))
    tracks = _Tracks()
    silence_ms = _SILENCE_BEATS * found.enrolment.plan.beat_ms
    before_ms: int | None = None
    for leaf in mine:
        at_ms = epoch_ms(leaf["at"])
        match leaf["event"]:
            case Event.SITTING_OPEN:
                method = METHOD[leaf["values"]["method"]]
                said = [str(method), device]
                if not leaf["values"].get("from_page", True):
                    said.append(str(MARK[Mark.NO_PAGE]))
                tracks.device.append(Item(at_ms, None, "neutral", _("打开"), " · ".join(said)))
                before_ms = at_ms
            case Event.LEASE_TAKE | Event.LEASE_EXPIRE:
                tracks.device.append(_lease(leaf, at_ms, sitting))
            case Event.BEAT_CONFLICT:
                tracks.network.append(Item(at_ms, None, "refused", _("记录前后不一致"), _("序号 %(n)s", n=_seq(leaf))))
            case Event.BEAT_REFUSED:
                reason = REASON.get(leaf["values"]["reason"], leaf["values"]["reason"])
                tracks.network.append(Item(at_ms, None, "refused", _("整次提交被拒"), str(reason)))
            case Event.BEAT:
                _beat(tracks, leaf, at_ms, before_ms, cut, silence_ms)
                before_ms = at_ms
    items = [_check(line, pictures) for line in checks]
    presence = [
        Item(each.from_ms, each.until_ms, "confirmed", _("工作人员在场确认"))
        for each in found.presences
        if found.sittings.get(sitting) == Method.SUPERVISED and mine and each.until_ms > epoch_ms(mine[0]["at"])
    ]
    return _drawn(mine, tracks, items, presence)


def _drawn(mine: Sequence[Leaf], tracks: _Tracks, checks: list[Item], presence: list[Item]) -> dict[str, Any]:
    named = [
        (_("学习"), tracks.study),
        (_("发出视频"), tracks.film),
        (_("不计入"), tracks.refused),
        (_("身份核验"), checks),
        (_("现场"), presence),
        (_("专注"), tracks.focus),
        (_("网络"), tracks.network),
        (_("设备"), tracks.device),
    ]
    began_ms = epoch_ms(mine[0]["at"]) if mine else 0
    # The lease may be found lost hours after the last beat: that is no longer part of the sitting.
    last_ms = max((epoch_ms(leaf["at"]) for leaf in mine if leaf["event"] not in _LEASE), default=began_ms)
    ended_ms = max([last_ms, *(item.to_ms or item.from_ms for item in checks)])
    shown = [
        {"name": name, "items": [_clipped(item, began_ms, ended_ms).to_dict() for item in items]}
        for name, items in named
        if items
    ]
    return {"began_ms": began_ms, "ended_ms": ended_ms, "tracks": shown}


def _clipped(item: Item, began_ms: int, ended_ms: int) -> Item:
    """Staff vouch for longer than one sitting lasts: only that part is drawn."""
    item.from_ms = min(max(item.from_ms, began_ms), ended_ms)
    if item.to_ms is not None:
        item.to_ms = max(min(item.to_ms, ended_ms), item.from_ms)
    return item


def _concerns(leaf: Leaf, sitting: str) -> bool:
    values = leaf["values"]
    return sitting in (values.get("sitting"), values.get("from_sitting"))


def _seq(leaf: Leaf) -> int:
    return int(leaf["values"]["seq"])


def _lease(leaf: Leaf, at_ms: int, sitting: str) -> Item:
    if leaf["event"] == Event.LEASE_EXPIRE:
        return Item(at_ms, None, "neutral", _("失去联系，占用自动释放"))
    if leaf["values"]["sitting"] == sitting:
        return Item(at_ms, None, "neutral", _("从另一处接过来"))
    return Item(at_ms, None, "held", _("被另一处接走"))


def _beat(tracks: _Tracks, leaf: Leaf, at_ms: int, before_ms: int | None, cut: Sequence[Span], silence_ms: int) -> None:
    values = leaf["values"]
    if before_ms is not None and at_ms - before_ms > silence_ms:
        seconds = (at_ms - before_ms) // 1000
        tracks.network.append(Item(before_ms, at_ms, "held", _("没有消息"), _("%(n)s 秒", n=seconds)))
    occurred = leaf.get("occurred")
    if occurred is not None and at_ms - epoch_ms(occurred) > silence_ms:
        said_ms = epoch_ms(occurred)
        said = Item(said_ms, at_ms, "provisional", _("断网后补传，始于客户端时间"), time_of_day(said_ms))
        _extend(tracks.network, said)
    for first, last, handed_ms in values.get("handed_out", ()):
        tracks.film.append(Item(handed_ms, None, "neutral", _("发出"), span(first, last)))
    if values["credited"]:
        begins = values["server"][0]
        for first, last in values["credited"]:
            _study(tracks.study, begins, first, last, cut)
            begins += last - first
    for refused in values["refused"]:
        length_ms = refused["to_ms"] - refused["from_ms"]
        label = str(REASON[refused["reason"]])
        spot = Item(at_ms - length_ms, at_ms, "refused", label, span(refused["from_ms"], refused["to_ms"]))
        _extend(tracks.refused, spot)
    if values["state"] != BeatState.PLAYING and before_ms is not None:
        tone = "neutral" if values["state"] in (BeatState.PAUSED, BeatState.BUFFERING) else "held"
        _extend(tracks.focus, Item(before_ms, at_ms, tone, str(BEAT_STATE[values["state"]])))


def _study(track: list[Item], begins: int, first: int, last: int, cut: Sequence[Span]) -> None:
    """A credited piece, cut where its worth changes."""
    ends = begins + last - first
    for start, until, status in cut:
        left, right = max(start, begins), min(until, ends)
        if left >= right:
            continue
        media = span(first + left - begins, first + right - begins)
        _extend(track, Item(left, right, _KIND_OF[status], str(WORTH[_WORTH_OF[status]]), media))


def _extend(track: list[Item], item: Item) -> None:
    """Join what follows on the same; its detail then spans both."""
    last = track[-1] if track else None
    touches = last is not None and last.to_ms is not None and item.from_ms - last.to_ms <= 1000
    if last is not None and touches and (last.kind, last.label) == (item.kind, item.label):
        last.to_ms = max(last.to_ms or 0, item.to_ms or 0)
        if "–" in last.detail and "–" in item.detail:
            last.detail = f"{last.detail.split('–')[0]}–{item.detail.split('–')[-1]}"
        return
    track.append(item)


def _check(line: CheckLine, pictures: Mapping[str, Sequence[str]]) -> Item:
    """From the moment it was asked for to the moment it was over."""
    said = [str(KIND[line.kind])]
    attempt = line.last
    if attempt is not None and attempt.score is not None and attempt.threshold is not None:
        said.append(
            _("距离 %(score)s，阈值 %(threshold)s", score=micro(attempt.score), threshold=micro(attempt.threshold))
        )
    if attempt is not None and attempt.references:
        said.append(_("对照登记照片 %(names)s", names="、".join(str(photo)[:8] for photo in attempt.references)))
    if len(line.attempts) > 1:
        said.append(_("第 %(n)s 次作答", n=attempt.number if attempt else 1))
    if attempt is not None:
        said += [str(SIGNAL.get(code, code)) for code in attempt.signals]
    if attempt is not None and attempt.deleted_ms is not None:
        said.append(_("照片已按法定期限删除（%(day)s）", day=clock.shanghai_day(clock.from_ms(attempt.deleted_ms))))
    kind = TONE[line.outcome][0] if line.outcome else "provisional"
    if line.outcome and not holds_time(line.kind, line.outcome) and kind == "held":
        kind = "neutral"
    if line.decision is not None:
        said.append(str(DECISION[line.decision]))
        kind = {Decision.ACCEPTED: "confirmed", Decision.REJECTED: "refused"}.get(Decision(line.decision), "held")
    label = str(OUTCOME[line.outcome]) if line.outcome else _("等待结果")
    over_ms = line.decided_ms or line.answer_by_ms
    picture = pictures.get(str(line.check_id), ())
    return Item(line.due_ms, max(over_ms, line.due_ms), kind, label, " · ".join(said), picture)


def time_of_day(at_ms: int) -> str:
    return clock.from_ms(at_ms).astimezone(clock.SHANGHAI).strftime("%H:%M:%S")


def micro(value: int) -> str:
    """Millionths with three decimals, cut: 0.312."""
    return f"{value // 1_000_000}.{value % 1_000_000 // 1000:03d}"
