"""An institution's pages of the trainees in its cohorts."""

from flask import Blueprint

blueprint = Blueprint("enrolment", "xueji.enrolment", template_folder="templates")

from xueji.enrolment.views import (  # noqa: E402, F401
    importing,
    references,
    trainees,
)
