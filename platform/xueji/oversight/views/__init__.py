"""The pages of those who look on: the regulator, the enterprise with its own people, the operator; and what is to do."""

from flask import Blueprint

blueprint = Blueprint("oversight", "xueji.oversight", template_folder="templates")

from xueji.oversight.views import comparing, desk, today  # noqa: E402, F401
