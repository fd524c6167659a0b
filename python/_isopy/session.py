"""Sessions: an ordered context that runs notebook cells.

JavaScript opens one (`create`), then sends each cell as a program of the session's own
context (`run`), so order, cancellation and top-level await are those of every other program.
What a cell shows are events; what `run` returns says how it ended.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Optional

from . import display as shown
from .errors import EngineError
from .lanes import asking_engine
from .output import enter_cell, flush, leave_cell
from .principal import PRINCIPAL
from .sources import forget_lines_later, remember_lines

if TYPE_CHECKING:
    from .engine import Engine

_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_ASYNC = 0x80  # inspect.CO_COROUTINE


class Session:
    """One namespace, one order, counted cells."""

    def __init__(
        self, engine: Engine, number: int, namespace: dict[str, Any], name: Optional[str] = None
    ) -> None:
        self.name = name or f"session {number}"
        self.engine = engine
        self.number = number
        self.namespace = namespace
        self.count = 0
        namespace.setdefault("display", shown.display)
        namespace.setdefault("clear_output", shown.clear_output)

    def _filename(self, count: int) -> str:
        # Lines are looked up by file name, so sessions must not share one.
        return f"<cell {count}>" if self.number == 1 else f"<cell {count} of {self.name}>"

    def start(self, code: str, cell: int, silent: bool) -> Any:
        """The outcome of a cell, or a coroutine of it when the cell awaits."""
        if not silent:
            self.count += 1
        count = self.count
        entered = enter_cell(self.engine, self.number, cell)
        self._event("status", cell, "busy")
        waits = False
        try:
            steps = compile_cell(code, self._filename(count))
            value = None
            for position, step in enumerate(steps):
                if step.co_flags & _ASYNC:
                    waits = True
                    return self._rest(steps, position, cell, count, silent)
                value = eval(step, self.namespace)
            return self._finished(value, cell, count, silent)
        except BaseException as error:
            return self._failed(error, cell, count)
        finally:
            if waits:
                leave_cell(entered)
            else:
                self._end(cell, entered)

    async def _rest(self, steps: list[Any], position: int, cell: int, count: int, silent: bool) -> Any:
        entered = enter_cell(self.engine, self.number, cell)
        try:
            value = None
            for step in steps[position:]:
                value = eval(step, self.namespace)
                if step.co_flags & _ASYNC:
                    value = await value
            return self._finished(value, cell, count, silent)
        except BaseException as error:
            return self._failed(error, cell, count)
        finally:
            self._end(cell, entered)

    def _end(self, cell: int, entered: Any) -> None:
        flush()
        self._event("status", cell, "idle")
        leave_cell(entered)

    def _finished(self, value: Any, cell: int, count: int, silent: bool) -> dict[str, Any]:
        if value is not None and not silent:  # statements evaluate to None
            self.namespace["_"] = value
            data, metadata = shown.bundle(value)
            flush()
            self._event("execute_result", cell, data, metadata, count)
            return {"status": "ok", "executionCount": count, "value": value}
        return {"status": "ok", "executionCount": count}

    def _failed(self, error: BaseException, cell: int, count: int) -> Any:
        flush()
        self._event("error", cell, error)
        if (
            issubclass(type(error), (KeyboardInterrupt, GeneratorExit))
            or type(error).__name__ == "CancelledError"
        ):
            raise error  # who cancelled the program is told so by its reply
        return {"status": "error", "executionCount": count, "error": error}

    def _event(self, kind: str, cell: int, *data: Any) -> None:
        self.engine.event(kind, self.number, cell, *data)


def compile_cell(code: str, filename: str) -> list[Any]:
    """The cell as code objects: its statements, then its last expression.

    The source is kept as it is, so the numbers of its lines are those that the author sees.
    """
    remember_lines(filename, code)
    try:
        # Not ast.parse: it would be a frame in the traceback of a SyntaxError.
        tree: Any = compile(code, filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except BaseException:
        forget_lines_later(filename)
        raise
    last: Optional[ast.Expression] = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not code.rstrip().endswith(";"):
        last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
    steps = []
    if tree.body:
        steps.append(compile(tree, filename, "exec", _FLAGS, dont_inherit=True))
    if last is not None:
        steps.append(compile(last, filename, "eval", _FLAGS, dont_inherit=True))
    return steps


def create(name: Optional[str] = None) -> tuple[int, int]:
    """Makes a session in the engine that asks; (session id, context id)."""
    engine = asking_engine()
    context = engine.contexts.open(ordered=True)
    context.main = PRINCIPAL.claim(engine.host, context)
    engine.sessions[context.id] = Session(engine, context.id, context.namespace, name)
    return context.id, context.id


def run(session: int, cell: int, code: str, silent: bool = False) -> Any:
    """Runs one cell; a dict with `status` ("ok" or "error"), `executionCount` and `value` or `error`."""
    found = asking_engine().sessions.get(session)
    if found is None:
        raise EngineError("ERR_CLOSED", f"Session {session} is closed.", "Open a new one with py.session().")
    return found.start(code, cell, silent)


def close(session: int) -> None:
    """Ends a session; its namespace goes once nobody holds anything of it. Unknown ids are ignored."""
    engine = asking_engine()
    if engine.sessions.pop(session, None) is not None:
        engine.close_context(session)
