"""Identity's pages: sign-in, one's own account, and the administrator's."""

from flask import Blueprint

blueprint = Blueprint("identity", "xueji.identity", template_folder="templates")

from xueji.identity.views import account, administration, photos, proof, second_factor, sign_in  # noqa: E402, F401
