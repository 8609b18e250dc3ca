"""The pages of those who look on: findings, random draws, inspections."""

from flask import Blueprint

blueprint = Blueprint("oversight", "xueji.oversight", template_folder="templates")

from xueji.oversight.views import draws, findings, inspecting  # noqa: E402, F401
