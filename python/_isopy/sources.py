"""Source text to code, once: `eval` and `exec` with bound values, top-level await, real tracebacks.

Bound names become parameters of a function that is compiled around the source, so comprehensions
and lambdas see them. What a source assigns at its top level still lands in the context: those
names are declared global in that function, except the bound ones. Without bound names the source
runs as a module does. Sources are kept for tracebacks (linecache) as long as their code is cached.
"""

from __future__ import annotations

import ast
import itertools
import linecache
import threading
from types import CodeType, FunctionType
from typing import Any, Optional

_TOP_LEVEL_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_ASYNC = 0x80 | 0x200  # CO_COROUTINE, CO_ASYNC_GENERATOR: importing inspect costs more than this
_KEEP = 512
_WRAPPER = "__isopy_source__"

_numbers = itertools.count(1)
_cache: dict[tuple[str, str, tuple[str, ...]], Source] = {}
_lock = threading.Lock()


class Source:
    """Compiled source: run it in a namespace with the values of its bound names."""

    __slots__ = ("code", "bound", "asynchronous", "filename")

    def __init__(self, code: CodeType, bound: bool, filename: str) -> None:
        self.code = code
        self.bound = bound
        self.asynchronous = bool(code.co_flags & _ASYNC)
        self.filename = filename

    def run(self, namespace: dict[str, Any], values: tuple[Any, ...]) -> Any:
        """The value; an awaitable when `asynchronous`."""
        if self.bound:
            return FunctionType(self.code, namespace)(*values)
        return eval(self.code, namespace)


def source(text: str, kind: str, names: tuple[str, ...]) -> Source:
    """`kind` is "eval" or "exec". Raises SyntaxError with the caller's own line numbers."""
    key = (text, kind, names)
    found = _cache.get(key)
    if found is not None:
        return found
    filename = f"<isopy {next(_numbers)}>"
    remember_lines(filename, text)
    try:
        code = compile_source(text, kind, names, filename)
    except BaseException:
        forget_lines_later(filename)
        raise
    made = Source(code, bool(names), filename)
    with _lock:
        _cache[key] = made
        if len(_cache) > _KEEP:
            old = _cache.pop(next(iter(_cache)))
            linecache.cache.pop(old.filename, None)
    return made


_failed: list[str] = []


def forget_lines_later(filename: str) -> None:
    """Source that did not compile: its lines are wanted by the error that is about to be described."""
    _failed.append(filename)
    if len(_failed) > 16:
        linecache.cache.pop(_failed.pop(0), None)


def remember_lines(filename: str, text: str) -> None:
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)


def compile_source(text: str, kind: str, names: tuple[str, ...], filename: str) -> CodeType:
    text = _aligned(text, kind)
    if not names:
        return compile(text, filename, kind, _TOP_LEVEL_AWAIT, dont_inherit=True)
    # Not ast.parse: it would be a frame in the traceback of a SyntaxError.
    tree: Any = compile(text, filename, kind, ast.PyCF_ONLY_AST, dont_inherit=True)
    _refuse_loose(tree, filename)
    _refuse_quoted(tree, names, filename)
    assigned = _Assigned()
    assigned.visit(tree)
    body: list[ast.stmt]
    if isinstance(tree, ast.Expression):
        body = [ast.copy_location(ast.Return(tree.body), tree.body)]
    else:
        body = _without_annotations(tree.body, assigned.names - set(names))
    shared = sorted(assigned.names - set(names) - assigned.declared)
    if shared:
        body.insert(0, ast.Global(shared))
    arguments = ast.arguments(
        posonlyargs=[], args=[ast.arg(name) for name in names], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    make: Any = ast.AsyncFunctionDef if assigned.awaits else ast.FunctionDef
    function = make(name=_WRAPPER, args=arguments, body=body or [ast.Pass()], decorator_list=[])
    if hasattr(function, "type_params") or "type_params" in make._fields:
        function.type_params = []
    module = ast.fix_missing_locations(ast.Module([function], []))
    outer = compile(module, filename, "exec", dont_inherit=True)
    code = next(
        const for const in outer.co_consts if isinstance(const, CodeType) and const.co_name == _WRAPPER
    )
    if code.co_freevars:
        raise SyntaxError("a bound name cannot be a free variable")
    return code


def _aligned(text: str, kind: str) -> str:
    """Template strings come indented: the first line of code says by how much."""
    if kind == "eval":
        stripped = text.lstrip()
        before = text[: len(text) - len(stripped)].count("\n")
        # Parentheses let an expression span lines; blank lines keep the numbers right.
        return "\n" * before + stripped.rstrip() if not before else f"({text.rstrip()}\n)"
    first = next((line for line in text.splitlines() if line.strip()), "")
    if first[:1] not in (" ", "\t"):
        return text
    from textwrap import dedent

    return dedent(text)


class _Assigned(ast.NodeVisitor):
    """Names that the top level of a source binds, and whether it awaits."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.declared: set[str] = set()
        self.awaits = False

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.names.add(node.id)

    def visit_Global(self, node: ast.Global) -> None:
        self.declared.update(node.names)

    def visit_Import(self, node: Any) -> None:
        for alias in node.names:
            self.names.add(alias.asname or alias.name.partition(".")[0])

    visit_ImportFrom = visit_Import

    def visit_FunctionDef(self, node: Any) -> None:
        self.names.add(node.name)
        for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.names.add(node.name)
        for part in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(part)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in (*node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                self.visit(part)

    def _comprehension(self, node: Any) -> None:
        # Its targets are its own; a walrus inside binds outside, and so does an await.
        inner = _Assigned()
        inner.generic_visit(node)
        self.awaits |= inner.awaits and not isinstance(node, ast.GeneratorExp)
        self.names |= {found.target.id for found in ast.walk(node) if isinstance(found, ast.NamedExpr)}

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self.awaits |= bool(node.is_async)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.names.add(node.name)
        self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        self.awaits = True
        self.generic_visit(node)

    def _asynchronous(self, node: Any) -> None:
        self.awaits = True
        self.generic_visit(node)

    visit_AsyncFor = visit_AsyncWith = _asynchronous

    def generic_visit(self, node: ast.AST) -> None:
        kind = type(node).__name__
        if kind in ("MatchAs", "MatchStar") and node.name:  # type: ignore[attr-defined]
            self.names.add(node.name)  # type: ignore[attr-defined]
        elif kind == "MatchMapping" and node.rest:  # type: ignore[attr-defined]
            self.names.add(node.rest)  # type: ignore[attr-defined]
        super().generic_visit(node)


def _refuse_loose(tree: ast.AST, filename: str) -> None:
    """What the function around the source would allow although a module does not."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)):
            word = "return" if isinstance(node, ast.Return) else "yield"
            raise SyntaxError(
                f"'{word}' outside function", (filename, node.lineno, node.col_offset + 1, None)
            )
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            todo.extend(ast.iter_child_nodes(node))


def _refuse_quoted(tree: ast.AST, names: tuple[str, ...], filename: str) -> None:
    """A template's value inside a string literal would be the name that stands for it."""
    placeholders = [name for name in names if name.startswith("_js") and name[3:].lstrip("_").isdigit()]
    if not placeholders:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if any(name in text for name in placeholders):
                raise SyntaxError(
                    'a value of the template stands inside a string, where it would be text: write f"…{${value}}"',
                    (filename, node.lineno, node.col_offset + 1, None),
                )


def _without_annotations(body: list[ast.stmt], shared: set[str]) -> list[ast.stmt]:
    """`x: int = 1` cannot be written for a global name inside a function; `x = 1` can."""

    class Rewrite(ast.NodeTransformer):
        def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
            if not isinstance(node.target, ast.Name) or node.target.id not in shared:
                return node
            if node.value is None:
                return ast.copy_location(ast.Pass(), node)
            return ast.copy_location(ast.Assign([node.target], node.value), node)

        def visit_FunctionDef(self, node: Any) -> Any:
            return node

        visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef

    return [Rewrite().visit(statement) for statement in body]


def last_expression(tree: ast.Module) -> Optional[ast.Expr]:
    return tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
