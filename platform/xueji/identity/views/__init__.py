"""Identity's pages: sign-in, one's own account, and the administrator's."""

from flask import Blueprint

blueprint = Blueprint("identity", "xueji.identity", template_folder="templates")

from xueji.identity.views import (  # noqa: E402
    account,  # noqa: F401
    administration,  # noqa: F401
    corrections,  # noqa: F401
    joinings,  # noqa: F401
    photos,  # noqa: F401
    proof,  # noqa: F401
    resets,  # noqa: F401
    second_factor,  # noqa: F401
    sign_in,  # noqa: F401
)
