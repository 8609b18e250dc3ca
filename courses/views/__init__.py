"""The course part's pages for institutions, and the files of films for whoever may watch them."""

from flask import Blueprint

blueprint = Blueprint("courses", "courses", template_folder="templates")

from courses.views import media, pages, tus  # noqa: E402, F401
