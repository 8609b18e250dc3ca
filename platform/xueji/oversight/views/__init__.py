"""The pages of those who look on (regulator, enterprise, operator), and what staff have to do."""

from flask import Blueprint

blueprint = Blueprint("oversight", "xueji.oversight", template_folder="templates")

from xueji.oversight.views import comparing, desk, inspecting, today  # noqa: E402, F401
