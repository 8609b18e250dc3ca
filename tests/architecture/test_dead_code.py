"""Nothing is left that nobody uses: what the product defines is named somewhere in the product once more.

What only tests use is not used. Names are compared as words, so something unused that shares its name with something
used passes; what is found here is dead for certain, or called by a library under a name that the library chose.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from architecture.house import HOUSE, files, name, sources

CALLED_BY_LIBRARIES = {
    "ensure_sync": "Flask",
    "get_id": "Flask-Login",
    "incr": "limits",
    "base_exceptions": "limits",
    "load_dialect_impl": "SQLAlchemy",
    "process_bind_param": "SQLAlchemy",
    "process_result_value": "SQLAlchemy",
    "enqueue": "logging.handlers.QueueHandler",
    "on_json_loading_failed": "Flask",
    "Beat": "SQLAlchemy, by its table",
    "worker_class": "gunicorn",
    "worker_tmp_dir": "gunicorn",
    "logger_class": "gunicorn",
    "proc_name": "gunicorn",
    "gettimeout": "gunicorn, of a socket",
}
FOR_OTHERS = {
    "parse_proof": "a proof as others write it: a reader of the log's proofs",
    "root_from_inclusion": "what a witness or an auditor works out from a proof",
    "read_entry_bundle": "a mirror's reader of the log's tiles",
    "locate_mesh": "how the tests' drawn persons are measured",
    "lesson_of_enrolment": "what the facts of a group are held equal to",
    "line_values": "what the running line is held equal to",
}
"""Used by tests alone, and there for those who check the log or to be held equal to a quicker way."""
NOT_YET = {
    "MODELS",
    "limiter_url",
    "audio_codec",
    "access_cohort",
    "masked_name",
}
"""Used by nobody or by tests alone; to be taken away or to be used. Nothing is added here."""
BESIDE = ("bench", "migrations", "tools")
_WORD = re.compile(r"[A-Za-z_]\w*")
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
_PLAIN_DECORATORS = ("property", "staticmethod", "classmethod", "dataclass", "cache", "contextmanager")


def words() -> Counter[str]:
    """How often each word stands in the product, its templates, its tools and its settings."""
    found: Counter[str] = Counter()
    paths = [*sources(".py", ".html", ".txt"), HOUSE / "wsgi.py", HOUSE / "pyproject.toml", HOUSE / "Makefile"]
    paths += [path for folder in BESIDE for path in files(".py", below=HOUSE / folder)]
    for path in paths:
        found.update(_WORD.findall(_COMMENT.sub("", path.read_text("utf-8"))))
    return found


def definitions(path: Path) -> Iterator[str]:
    """What a module defines that is reached by its name alone."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            decorators = [ast.unparse(each) for each in node.decorator_list]
            if all(any(plain in each for plain in _PLAIN_DECORATORS) for each in decorators):
                yield node.name
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_nothing_is_left_that_nobody_uses() -> None:
    used = words()
    allowed = CALLED_BY_LIBRARIES.keys() | FOR_OTHERS.keys() | NOT_YET
    dead = [
        f"{name(path)}: {defined}"
        for path in sources(".py")
        for defined in definitions(path)
        if used[defined] == 1 and defined not in allowed and not defined.startswith("__")
    ]
    assert dead == [], "\n".join(dead)


def test_no_macro_of_a_template_is_left_that_no_template_calls() -> None:
    text = "\n".join(path.read_text("utf-8") for path in sources(".html", ".txt"))
    macros = re.findall(r"{%-?\s*macro\s+(\w+)", text)
    dead = [macro for macro in macros if len(re.findall(rf"\b{macro}\b", text)) == 1 and macro not in NOT_YET]
    assert dead == []


def test_each_exception_is_still_there() -> None:
    used = words()
    listed = sorted(CALLED_BY_LIBRARIES.keys() | FOR_OTHERS.keys())
    assert [word for word in listed if used[word] == 0] == []
