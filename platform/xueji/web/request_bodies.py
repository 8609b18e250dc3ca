"""What a request to the interface carries: of the type its view reads, of a sane size, and readable.

Decided before the view is asked, so that a body of another type, or one that cannot be read, is refused for just that.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from functools import cache
from typing import IO, Annotated, Any, NoReturn

from flask import Flask, Request, current_app, request
from flask_babel import gettext as _
from flask_openapi3.models.file import FileStorage
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import FileStorage as Sent

from xueji.kernel.errors import Invalid, Malformed, TooLarge, WrongType
from xueji.web.plain_text import UnusableText

LARGEST_JSON = 1024 * 1024
IN_MEMORY_BYTES = 1024 * 1024
"""Files of a shorter form are not written to the disk only to be read back: the gateway has it in memory already."""
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")


class InterfaceRequest(Request):
    """Says of unreadable JSON what is wrong with it, and keeps the files of a short form in memory."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if total_content_length is not None and total_content_length <= IN_MEMORY_BYTES:
            return io.BytesIO()
        return super()._get_file_stream(total_content_length, content_type, filename, content_length)

    def on_json_loading_failed(self, e: ValueError | None) -> NoReturn:
        if isinstance(e, UnusableText):
            raise Invalid(f"{e.field}: {e}", errors=[{"field": e.field, "problem": str(e)}])
        raise Malformed(_("请求体须为一个 UTF-8 编码的 JSON 对象。"))


class UploadedFile(FileStorage):
    """A file in a form; text under its name is none."""

    @classmethod
    def validate(cls, value: Any, *_args: Any, **_kwargs: Any) -> Sent:
        if not isinstance(value, Sent):
            raise PydanticCustomError("file_type", "Input should be an uploaded file")
        return value


UploadedFiles = Annotated[list[UploadedFile], BeforeValidator(lambda sent: sent if isinstance(sent, list) else [sent])]
"""All files of one name. Text under it comes by itself and not in a list; that it is no file is what matters."""


class UploadForm(BaseModel):
    """A form with files. Its texts stay as they were written: ``123`` as a name is no number."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, given: dict[str, Any]) -> dict[str, Any]:
        texts = {name for name, field in cls.model_fields.items() if field.annotation is str}
        return given | {name: value for name, value in request.form.items() if name in texts}


def init_bodies(app: Flask) -> None:
    """After the step that decides access, so that no stranger's body is read."""
    app.request_class = InterfaceRequest

    @app.before_request
    def _read_body() -> None:
        kind = body_of(current_app.view_functions[request.endpoint]) if request.endpoint else None
        if kind == "body":
            if not request.is_json:
                raise WrongType(_("请以 Content-Type: application/json 提交 JSON。"))
            _read_object()
        elif kind == "form" and request.mimetype not in FORM_TYPES:
            raise WrongType(_("请以 Content-Type: multipart/form-data 提交表单。"))


@cache
def body_of(view: Callable[..., Any]) -> str | None:
    """How a view of the interface reads what it is sent: ``body`` as JSON, ``form``, or None for not at all."""
    parameters = inspect.signature(view).parameters
    return next((name for name in ("body", "form") if name in parameters), None)


def _read_object() -> None:
    request.max_content_length = LARGEST_JSON
    # A body that does not say how long it is, is cut at the limit without a word.
    if len(request.get_data()) >= LARGEST_JSON:
        raise TooLarge(_("一次请求最多 1 MB，请分几次提交。"), limit=LARGEST_JSON)
    if not isinstance(request.get_json(), dict):
        raise Invalid(_("请求体须为一个 UTF-8 编码的 JSON 对象。"))
