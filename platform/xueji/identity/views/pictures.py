"""Reference photos inside pages: every look at one is recorded."""

from __future__ import annotations

from werkzeug.wrappers import Response

from xueji.identity import services, vault
from xueji.identity.models import ReferencePhoto
from xueji.trace.rules import PLATFORM
from xueji.web.session import actor, context, db


def shown_photo(photo: ReferencePhoto, *, purpose: str) -> Response:
    """A reference photo that the actor may see, in the clear. The view that calls this is marked `writes`.

    ``purpose``: what the look is recorded and shown to the person as. Raises NotFound, Erased.
    """
    shown = services.FacePicture.of_reference(photo)
    picture = services.show_picture(db(), context(), viewer=actor(), picture=shown, purpose=purpose, chain=PLATFORM)
    return Response(picture, mimetype=vault.picture_type(picture))
