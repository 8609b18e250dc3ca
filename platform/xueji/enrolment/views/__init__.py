"""An institution's pages of cohorts, trainees and attendance."""

from flask import Blueprint

blueprint = Blueprint("enrolment", "xueji.enrolment", template_folder="templates")

from xueji.enrolment.views import (  # noqa: E402, F401
    amendments,
    attendance,
    cohorts,
    importing,
    references,
    trainees,
)
