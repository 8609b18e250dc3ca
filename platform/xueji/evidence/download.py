"""Handing bundles out: as a file that no cache keeps, and no more of them to one person than an audit takes.

Each bundle is worked out from the whole chain, waits for the log to sign and adds two leaves to it for ever, so nobody
may ask for them without end. What is taken over the interface and from the pages is counted together.
"""

from __future__ import annotations

from uuid import UUID

from flask import Response, send_file
from flask_babel import gettext as _

from xueji.evidence import services
from xueji.evidence.own_data import take_own_data
from xueji.identity.authentication import limiter
from xueji.kernel import clock
from xueji.kernel.actor import STAFF
from xueji.web.session import actor, context


def _allowed() -> str:
    settings = context().settings
    return settings.evidence_exports if actor().is_(*STAFF) else settings.own_evidence_exports


limit_exports = limiter.shared_limit(
    _allowed,
    scope="evidence",
    key_func=lambda: str(actor().person_id),
    error_message=lambda: _("您下载证据包的次数过多。"),
)


limit_copies = limiter.shared_limit(
    lambda: context().settings.own_data_copies,
    scope="own-data",
    key_func=lambda: str(actor().person_id),
    error_message=lambda: _("您带走个人数据的次数过多。"),
)


def own_data_as_file() -> Response:
    """What is kept about whoever is asking; there is no way to ask for another's."""
    day = clock.shanghai_day(clock.now()).isoformat()
    response = send_file(
        take_own_data(context(), actor=actor()),
        mimetype="application/zip",
        as_attachment=True,
        download_name=f"xueji-my-data-{day}.zip",
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def bundle_as_file(enrolment_id: UUID, *, with_pictures: bool = False, held_size: int | None = None) -> Response:
    """The enrolment's bundle for whoever is asking. Raises what `services.build_bundle` raises."""
    # The service opens its own short transactions: it waits for the log to sign between writing and reading.
    bundle = services.build_bundle(
        context(), enrolment_id=enrolment_id, actor=actor(), with_pictures=with_pictures, held_size=held_size
    )
    response = send_file(bundle.file, mimetype="application/zip", as_attachment=True, download_name=bundle.name)
    response.headers["Cache-Control"] = "private, no-store"
    return response
