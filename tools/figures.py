"""The house in figures: `make figures` prints them for the files as they are, `make figures of=COMMIT` beside a commit.

A function's lines are counted from ``def`` to its last line, a module's comment lines are those that hold nothing else,
and a docstring is code to nobody: it counts neither as a comment nor as code.
"""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import tarfile
import tempfile
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HOUSE = Path(__file__).parents[1]
PRODUCT = ("platform/xueji", "courses", "media_pipeline")
FRONTEND, FRONTEND_TESTS = "frontend/src", "frontend/test"
NO_NOUNS = ("said", "told", "held", "here", "mine", "kept")
"""Words that are no names of things: a thing is called by its noun."""
LONG_FUNCTION, LONG_FILE, MANY_PARAMETERS, LONG_TEMPLATE_LINE = 60, 400, 6, 160
REPEATED_LINES = 6
"""So many lines in a row, letter for letter the same in two places, are a repeat."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Measured:
    """What is counted while every file of the product is read once."""

    files: int = 0
    lines: int = 0
    code_lines: int = 0
    comment_lines: int = 0
    function_lines: list[int] = field(default_factory=list)
    long_functions: list[str] = field(default_factory=list)
    long_files: list[str] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    """How often a word of `NO_NOUNS` is given to a thing: a variable, an argument, a field, a function, a class."""
    classes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    many_parameters: list[str] = field(default_factory=list)
    public: int = 0
    described: int = 0
    loose_dicts: int = 0
    """``dict[str, Any]`` in the signature of a public function or as the field of a public class."""
    ignores: int = 0
    windows: Counter[tuple[str, ...]] = field(default_factory=Counter)


def main(arguments: Sequence[str]) -> int:
    """Print the table; with a commit, its figures in the first column."""
    columns = []
    with tempfile.TemporaryDirectory() as folder:
        for commit in arguments:
            columns.append((commit, figures(_unpacked(commit, Path(folder) / commit))))
        columns.append(("now", figures(HOUSE)))
    print("| figure | " + " | ".join(name for name, _ in columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for row in columns[-1][1]:
        print(f"| {row} | " + " | ".join(values.get(row, "") for _, values in columns) + " |")
    return 0


def _unpacked(commit: str, folder: Path) -> Path:
    archive = subprocess.run(["git", "archive", commit], cwd=HOUSE, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def figures(house: Path) -> dict[str, str]:
    """Each figure of the house that stands in a folder, in words, by its name."""
    measured = measure(house)
    lengths = sorted(measured.function_lines)
    repeats = sum(count for count in measured.windows.values() if count > 1)
    scripts, tests = _lines(house / FRONTEND, "*.ts"), _lines(house / FRONTEND_TESTS, "*.ts")
    return {
        "product: files / lines": f"{measured.files} / {measured.lines}",
        "functions: number": str(len(lengths)),
        "functions: p50 / p90 / p99 / most lines": " / ".join(str(_share(lengths, part)) for part in (50, 90, 99, 100)),
        f"functions over {LONG_FUNCTION} lines": str(len(measured.long_functions)),
        f"files over {LONG_FILE} lines": str(len(measured.long_files)),
        "class names that stand twice": str(sum(count > 1 for count in measured.classes.values())),
        f"functions of more than {MANY_PARAMETERS} parameters": str(len(measured.many_parameters)),
        "comment lines a 100 lines of code": f"{100 * measured.comment_lines / measured.code_lines:.1f}",
        "public functions and classes with a docstring": f"{100 * measured.described / measured.public:.0f} %",
        "dict[str, Any] at seams": str(measured.loose_dicts),
        "repeats, letter for letter, a 1,000 lines": f"{1000 * repeats / REPEATED_LINES / measured.lines:.2f}",
        "things called " + ", ".join(NO_NOUNS): str(measured.names.total()),
        "noqa and type: ignore": str(measured.ignores),
        f"lines of templates over {LONG_TEMPLATE_LINE}": str(len(long_template_lines(house))),
        "front-end tests beside its lines": f"{tests} / {scripts} = {100 * tests / scripts:.0f} %",
        "tests beside the product's lines": f"{_lines(house / 'tests', '*.py') / measured.lines:.2f}",
    }


def measure(house: Path) -> Measured:
    """What the product's files hold, each read once."""
    measured = Measured()
    for path in sorted(path for part in PRODUCT for path in (house / part).rglob("*.py")):
        _measure(path, str(path.relative_to(house)), measured)
    return measured


def _share(ordered: Sequence[int], percent: int) -> int:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _lines(folder: Path, pattern: str) -> int:
    return sum(path.read_text("utf-8").count("\n") for path in folder.rglob(pattern))


def long_template_lines(house: Path) -> list[tuple[str, int]]:
    """Lines of the product's templates that no screen shows whole, as file and line number."""
    templates = sorted(path for part in PRODUCT for path in (house / part).glob("**/templates/**/*.html"))
    return [
        (str(path.relative_to(house)), number)
        for path in templates
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(line) > LONG_TEMPLATE_LINE
    ]


def _measure(path: Path, name: str, measured: Measured) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    lines = text.splitlines()
    measured.files += 1
    measured.lines += len(lines)
    measured.long_files += [name] if len(lines) > LONG_FILE else []
    measured.ignores += text.count("# noqa") + text.count("# type: ignore")
    code = _count_lines(text, tree, measured)
    for place in range(len(code) - REPEATED_LINES + 1):
        measured.windows[tuple(code[place : place + REPEATED_LINES])] += 1
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            called = f"{name}::{node.name}"
            measured.function_lines.append(length)
            measured.long_functions += [called] if length > LONG_FUNCTION else []
            measured.many_parameters += [called] if len(parameters(node)) > MANY_PARAMETERS else []
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            measured.classes[node.name] += 1
    measured.names.update(word for word in bound_names(tree) if word.strip("_") in NO_NOUNS)
    for public in _public(tree.body):
        measured.public += 1
        measured.described += ast.get_docstring(public) is not None
        measured.loose_dicts += _loose_dicts(public)


def bound_names(tree: ast.AST) -> Iterator[str]:
    """Every name that is given to something: variables, arguments, fields, functions and classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, FunctionNode | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def _count_lines(text: str, tree: ast.Module, measured: Measured) -> list[str]:
    """The lines of code without imports, blank at both ends, while code and comments are counted."""
    comments: set[int] = set()
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            code.update(range(token.start[0], token.end[0] + 1))
    imports: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            code -= set(range(node.lineno, (node.end_lineno or 0) + 1))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    measured.code_lines += len(code)
    measured.comment_lines += len(comments - code)
    written = text.splitlines()
    return [written[number - 1].strip() for number in sorted(code - imports)]


def parameters(node: FunctionNode) -> list[str]:
    """What a caller gives: every parameter but `self` and `cls`."""
    named = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return [name for name in named if name not in ("self", "cls")]


def _public(body: Iterable[ast.stmt]) -> Iterator[FunctionNode | ast.ClassDef]:
    for node in body:
        if isinstance(node, FunctionNode | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body)


def _loose_dicts(node: FunctionNode | ast.ClassDef) -> int:
    if isinstance(node, ast.ClassDef):
        annotations: list[ast.expr | None] = [each.annotation for each in node.body if isinstance(each, ast.AnnAssign)]
    else:
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        annotations = [node.returns, *(each.annotation for each in arguments)]
    return sum(ast.unparse(each).count("dict[str, Any]") for each in annotations if each is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
