"""An institution's pages of cohorts, and what is put right in them."""

from flask import Blueprint

blueprint = Blueprint("cohorts", "xueji.cohorts", template_folder="templates")

from xueji.cohorts.views import (  # noqa: E402, F401
    amendments,
    cohorts,
)
