"""The interface's description taken at its word: whether an answer is one that it speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

Schema = dict[str, Any]
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_FORMATS: dict[str, Callable[[str], object]] = {
    "uuid": UUID,
    "date": date.fromisoformat,
    "date-time": lambda text: datetime.fromisoformat(text).utcoffset() or 0,
}
_SAY_NOTHING = {"title", "description", "default", "type"}


class Description:
    """An OpenAPI document with JSON Schemas of the few words that this interface uses; any other word is an error."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def operations(self) -> Iterator[tuple[str, str]]:
        """Method and path, as ``GET /api/v1/checks/{check_id}``."""
        for path, item in self.document["paths"].items():
            yield from ((method.upper(), path) for method in item)

    def find(self, method: str, path: str) -> tuple[str, str]:
        """The operation an address belongs to; those without parameters go first. Raises LookupError."""
        for known, template in sorted(self.operations(), key=lambda each: each[1].count("{")):
            if known == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                return known, template
        raise LookupError(f"{method} {path} is not described")

    def faults(self, operation: tuple[str, str], status: int, content_type: str, body: Any) -> list[str]:
        """What an answer has that the description does not say; ``body`` is parsed where it is JSON."""
        method, path = operation
        answers = self.document["paths"][path][method.lower()]["responses"]
        if str(status) not in answers and status < 500:
            return [f"{status} is not described"]
        answer = self.resolved(answers.get(str(status), answers["default"]))
        kinds = answer.get("content", {})
        if not kinds:
            return [] if not body else ["a body where none is described"]
        media_type = content_type.partition(";")[0]
        if media_type not in kinds:
            return [f"{media_type} is not described"]
        schema = kinds[media_type]["schema"]
        return [] if schema.get("format") == "binary" else list(self._check(schema, body, "body"))

    def resolved(self, found: Schema) -> Schema:
        """What a reference leads to. Raises KeyError when it leads nowhere."""
        while "$ref" in found:
            here: Any = self.document
            for part in found["$ref"].removeprefix("#/").split("/"):
                here = here[part]
            found = here
        return found

    def _check(self, schema: Schema, value: Any, at: str) -> Iterator[str]:
        if "type" in schema and not _is(schema["type"], value):
            yield f"{at}: {value!r} is no {schema['type']}"
            return
        for word, said in schema.items():
            if word not in _SAY_NOTHING:
                yield from getattr(self, "_" + word.strip("$"))(said, value, at, schema)

    def _ref(self, said: str, value: Any, at: str, _schema: Schema) -> Iterator[str]:
        yield from self._check(self.resolved({"$ref": said}), value, at)

    def _format(self, said: str, value: Any, at: str, _schema: Schema) -> Iterator[str]:
        try:
            _FORMATS[said](value)
        except ValueError:
            yield f"{at}: {value!r} is no {said}"

    def _enum(self, said: list[Any], value: Any, at: str, _schema: Schema) -> Iterator[str]:
        if value not in said:
            yield f"{at}: {value!r} is none of {said}"

    def _const(self, said: Any, value: Any, at: str, _schema: Schema) -> Iterator[str]:
        if value != said:
            yield f"{at}: {value!r} is not {said!r}"

    def _minimum(self, said: int, value: Any, at: str, _schema: Schema) -> Iterator[str]:
        if isinstance(value, int) and value < said:
            yield f"{at}: {value!r} is less than {said}"

    def _anyOf(self, said: list[Schema], value: Any, at: str, _schema: Schema) -> Iterator[str]:
        tried = [list(self._check(one, value, at)) for one in said]
        if all(tried):
            yield from min(tried, key=len)

    def _allOf(self, said: list[Schema], value: Any, at: str, _schema: Schema) -> Iterator[str]:
        for one in said:
            yield from self._check(one, value, at)

    def _required(self, said: list[str], value: Any, at: str, _schema: Schema) -> Iterator[str]:
        yield from (f"{at}: no {name}" for name in said if name not in value)

    def _properties(self, said: dict[str, Schema], value: Any, at: str, schema: Schema) -> Iterator[str]:
        for name, inner in value.items():
            if name in said:
                yield from self._check(said[name], inner, f"{at}.{name}")
            elif "additionalProperties" not in schema and "type" in schema:
                # Our own answers give away nothing that is not described.
                yield f"{at}: {name} is not described"

    def _additionalProperties(self, said: bool | Schema, value: Any, at: str, schema: Schema) -> Iterator[str]:
        for name in value.keys() - schema.get("properties", {}).keys():
            if said is False:
                yield f"{at}: {name} is not described"
            elif said is not True:
                yield from self._check(said, value[name], f"{at}.{name}")

    def _items(self, said: Schema, value: Any, at: str, _schema: Schema) -> Iterator[str]:
        for number, one in enumerate(value):
            yield from self._check(said, one, f"{at}.{number}")

    def _prefixItems(self, said: list[Schema], value: Any, at: str, _schema: Schema) -> Iterator[str]:
        for number, (inner, one) in enumerate(zip(said, value, strict=False)):
            yield from self._check(inner, one, f"{at}.{number}")

    def _minItems(self, said: int, value: Any, at: str, _schema: Schema) -> Iterator[str]:
        if len(value) < said:
            yield f"{at}: fewer than {said}"

    def _maxItems(self, said: int, value: Any, at: str, _schema: Schema) -> Iterator[str]:
        if len(value) > said:
            yield f"{at}: more than {said}"


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and not (isinstance(value, bool) and kind != "boolean")
