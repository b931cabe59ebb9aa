"""The house laws that ruff cannot say, each a function from one parsed file to its breaches.

`tests/test_laws.py` shows for each law a sample that breaks it, and that the tree breaks none.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One file as the laws see it."""

    path: str  # from the root, with forward slashes
    text: str
    tree: ast.Module

    @classmethod
    def parse(cls, path: str, text: str) -> Source:
        """Return the file with its syntax tree."""
        return cls(path=path, text=text, tree=ast.parse(text))


Law = Callable[[Source], Iterator[str]]

# Where unforeseen errors become an answer: the CLI, job and HTTP tables, the SOAP edge, and the
# outermost loop of a worker.
BROAD_EXCEPT_HOMES = (
    "lienthong/main.py",
    "worker/run.py",
    "worker/jobs.py",
    "portal/errors.py",
    "connectors/edxml/document_server.py",
    "connectors/soap_server.py",
)

# What may be used in one home only. Ruff bans most of these too, but can open a file only for
# all of them at once; this table is exact.
HOMES: dict[str, tuple[str, ...]] = {
    # the demo's nodes inherit all but the settings of the developer's own
    "os.environ": ("exchange/settings.py", "lienthong/demo/launch.py"),
    "os.getenv": ("exchange/settings.py",),
    "datetime.datetime.now": ("dossier/clock.py",),
    "datetime.datetime.utcnow": (),
    "datetime.date.today": (),
    "time.time": ("dossier/clock.py",),
    "lxml.etree.fromstring": ("dossier/safexml.py",),
    "lxml.etree.XMLParser": ("dossier/safexml.py",),
    "lxml.etree.XML": (),
    "lxml.etree.HTML": (),
    "lxml.etree.parse": (),
    "lxml.etree.iterparse": (),
    "lxml.html": (),
    "xml.etree": (),
    "xml.dom": (),
    "xml.sax.parse": (),
    "xml.sax.parseString": (),
    "xml.sax.make_parser": (),
    "xml.parsers": (),
    "requests": (),
    # the demo's people are played by a browser of a few lines, on loopback
    "urllib.request": ("lienthong/demo/*",),
    "http.client": ("connectors/connections.py",),
    "pickle": (),
    "marshal": (),
    "shelve": (),
    # commands load their modules after the boot
    # the reader of PDFs is an extra, and takes half a second to load
    "importlib.import_module": ("lienthong/*", "signing/pdf.py"),
    "unittest.mock": (),
    "django.db": ("storage/*",),
    "django.setup": ("exchange/boot.py",),
    "django.contrib.admin": (),
    "django.utils.timezone.now": (),
    "sys.exit": ("lienthong/main.py", "worker/__main__.py"),
}


def broad_excepts(source: Source) -> Iterator[str]:
    """Refuse a broad except but at the tables; cleaning up and raising again is none."""
    if source.path in BROAD_EXCEPT_HOMES:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
            is_broad = node.type is None or names & {"Exception", "BaseException"}
            last = node.body[-1]
            if is_broad and not (isinstance(last, ast.Raise) and last.exc is None):
                yield f"{source.path}:{node.lineno}: broad except outside the translation tables"


def run_time_code(source: Source) -> Iterator[str]:
    """Refuse the builtins that turn text into code."""
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id in {"eval", "exec", "compile", "__import__"}:
            yield f"{source.path}:{node.lineno}: {node.func.id} makes code out of text"


def strayed_uses(source: Source) -> Iterator[str]:
    """Refuse an API of `HOMES` outside its home; ruff's opt-out, with its reason, opens a line."""
    opened = {line for line, comment in _comments(source.text) if "noqa: TID251" in comment}
    for line, used in _dotted_uses(source.tree):
        for banned, homes in HOMES.items():
            is_use = used == banned or used.startswith(f"{banned}.")
            is_home = line in opened or any(fnmatch(source.path, home) for home in homes)
            if is_use and not is_home:
                where = " or ".join(homes) or "tests"
                yield f"{source.path}:{line}: {banned} is for {where} only"


def unexplained_opt_outs(source: Source) -> Iterator[str]:
    """Refuse `noqa` and `type: ignore` without a code and a reason on the same line."""
    for line, comment in _comments(source.text):
        noqa = re.search(r"#\s*noqa\b(.*)", comment)
        if noqa and not re.match(r":\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*\s+\W*\w+", noqa.group(1)):
            yield f"{source.path}:{line}: noqa without a code and a reason"
        ignored = re.search(r"#\s*type:\s*ignore(.*)", comment)
        if ignored and not re.match(r"\[[a-z, -]+\]\s*#\s*\w+", ignored.group(1)):
            yield f"{source.path}:{line}: type: ignore without a code and a reason"


def thawed_dataclasses(source: Source) -> Iterator[str]:
    """Refuse a dataclass that is not slotted, or neither frozen nor said to be mutable."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            written = ast.unparse(decorator)
            if written.split("(")[0] not in {"dataclass", "dataclasses.dataclass"}:
                continue
            said = (ast.get_docstring(node) or "").lower()
            if "slots=True" not in written:
                yield f"{source.path}:{node.lineno}: dataclass {node.name} has no slots"
            if "frozen=True" not in written and "mutable" not in said:
                yield f"{source.path}:{node.lineno}: dataclass {node.name} is not frozen"


def unfinished_work(source: Source) -> Iterator[str]:
    """Refuse stubs and notes to self."""
    for line, comment in _comments(source.text):
        if re.search(r"\b(TODO|FIXME|XXX)\b", comment):
            yield f"{source.path}:{line}: a note to self"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield f"{source.path}:{node.lineno}: a stub"


def tests_that_do_not_test(source: Source) -> Iterator[str]:
    """Refuse skips, expected failures and assertions of a constant."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in {
            "skip",
            "skipif",
            "skipUnless",
            "xfail",
            "importorskip",
        }:
            yield f"{source.path}:{node.lineno}: {node.attr}"
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant):
            yield f"{source.path}:{node.lineno}: asserts a constant"


PRODUCT_LAWS: tuple[Law, ...] = (
    broad_excepts,
    run_time_code,
    strayed_uses,
    thawed_dataclasses,
    unfinished_work,
    unexplained_opt_outs,
)
TEST_LAWS: tuple[Law, ...] = (tests_that_do_not_test, unexplained_opt_outs)


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _dotted_uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of each import, and of each attribute reached through one."""
    imports = [found for node in ast.walk(tree) for found in _imports(node)]
    bound = {local: target for _, local, target in imports}
    yield from ((line, target) for line, _, target in imports)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.lineno, _dotted(node, bound)


def _imports(node: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Yield (line, local name, dotted name) of what an import statement binds."""
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield node.lineno, alias.asname or alias.name, f"{node.module}.{alias.name}"
    elif isinstance(node, ast.Import):
        for alias in node.names:
            yield node.lineno, alias.asname or alias.name, alias.name


def _dotted(node: ast.Attribute, bound: dict[str, str]) -> str:
    """Return the attribute chain as written, its imported beginning spelt out."""
    written = ast.unparse(node)
    for local, target in bound.items():
        if written.startswith(f"{local}."):
            return target + written.removeprefix(local)
    return f"({written})"
