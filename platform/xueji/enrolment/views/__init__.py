"""An institution's pages of cohorts and the trainees in them."""

from flask import Blueprint

blueprint = Blueprint("enrolment", "xueji.enrolment", template_folder="templates")

from xueji.enrolment.views import (  # noqa: E402, F401
    amendments,
    cohorts,
    importing,
    references,
    trainees,
)
