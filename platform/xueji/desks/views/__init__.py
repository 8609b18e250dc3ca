"""The pages of the desks, by whom they are for."""

from flask import Blueprint

blueprint = Blueprint("desks", "xueji.desks", template_folder="templates")

from xueji.desks.views import comparing, enterprise, operator, regulator, today, trainee  # noqa: E402, F401
