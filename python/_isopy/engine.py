"""The engine: what a host starts and feeds (PROTOCOL.md, section 8).

`receive` takes frames on any thread and never waits; `work` runs what is queued, on as many
threads as the host likes. Nothing escapes either as an exception: a malformed frame becomes an
ERR_PROTOCOL reply or event, a program's failure becomes its reply, and SystemExit or
KeyboardInterrupt of user code are such failures too.
"""

from __future__ import annotations

import atexit
import pickle
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Optional

from . import framed
from .aio import Loops
from .asking import Asker
from .callbacks import CallbackTable
from .contexts import Context, Contexts
from .errors import EngineError, protocol_error
from .events import Events
from .handles import HandleTable, HostHandles, discard
from .input import redirect as redirect_input
from .interrupts import Interrupts
from .lanes import Lane, current, lane
from .lazily import asyncio, running_loop
from .limits import Limits
from .output import redirect
from .principal import PRINCIPAL
from .replies import Replies
from .scheduler import Scheduler
from .stream import Codec
from .synchronous import Synchronous
from .unravel import Held

if TYPE_CHECKING:
    from .host import Host
    from .rules import Rules
    from .session import Session

SUBMIT, RELEASE, INTERRUPT, ANSWER, FORGET = 1, 2, 3, 4, 19

ENGINES: list[Engine] = []


class Engine:
    """One engine: its handles, callbacks, contexts and queue. Several may live in one process."""

    def __init__(self, host: Host, options: bytes = b"") -> None:
        self.host = host
        self.closed = False
        self.trusted = bool(getattr(host, "trusted", False))
        self.trusted_batches = self.trusted or bool(getattr(host, "trusted_batches", False))
        self.tick = getattr(host, "tick", None)
        self._announce = getattr(host, "announce", None)
        self.options: dict[str, Any] = {}
        self.rules: Optional[Rules] = None
        self.ruled: list[Rules] = []  # the same; a host sees by its length whether there are any
        self.handles = HostHandles(host) if hasattr(host, "object_of") else HandleTable()
        self.discard = discard
        self.callbacks = CallbackTable(self)
        # With threads there are C stacks of 16 MB, and CPython's own guard sees them.
        self.held = None if host.threads else Held()
        self.codec = Codec(self, Limits())
        if options:
            self.options = self._dict(self.codec.decode(options))
            limits = self._dict(self.options.get("limits", self.options))
            default = Limits()
            self.codec.limits = Limits(
                limits.get("maxDepth", default.depth),
                limits.get("maxNodes", default.nodes),
                limits.get("maxBytes", default.bytes),
            )
            if "maxHandles" in limits:
                self.handles.limit(limits["maxHandles"])
        self.contexts = Contexts()
        self.asker = Asker(self)
        self.aio = Loops(self)
        self.interrupts = Interrupts(self)
        self.replies = Replies(host)
        self.events = Events(
            self, self.replies.lock, self._dict(self.options.get("limits", {})).get("maxOutput")
        )
        self.scheduler = Scheduler(self)
        self.work = self.scheduler.work
        self.work_main = self.scheduler.work_main
        self.resume = self.scheduler.resume
        synchronous = Synchronous(self)
        self.run_sync = synchronous.run
        self.call_sync = synchronous.call
        self.get_sync = synchronous.get
        self.encode = synchronous.encode
        self.reference = synchronous.reference
        self.framed = partial(framed.call, self.contexts.by_id[0].namespace)
        self.encode_error = self.codec.encode_error
        self.decode = self.codec.decode
        self.sessions: dict[int, Session] = {}
        self.event = self.events.emit
        self._log_handler: Any = None
        ENGINES.append(self)
        if self.options.get("redirect", True):
            redirect(write_output)
            redirect_input()
        if host.threads and self.options.get("waits", True):
            from . import waits

            waits.install(host)
        end_fork = getattr(host, "end_fork", None)
        if end_fork is not None:
            from . import forking, spawning

            spawning.install()
            forking.install(end_fork, lambda: [engine.scheduler.queue.clear() for engine in ENGINES])
        if self.options.get("logs"):
            from . import logs

            self._log_handler = logs.listen(self, str(self.options["logs"]))

    @staticmethod
    def _dict(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise protocol_error("The options of an engine are not a dict.")
        return value

    # ---- what the host calls ------------------------------------------------------------------

    def hello(self) -> bytes:
        """A stream with the facts about this Python."""
        from .facts import facts

        return self.codec.stream(facts(self))

    def receive(self, kind: int, frame: bytes) -> None:
        """A frame from JavaScript. Never raises, never waits for JavaScript."""
        try:
            if kind == SUBMIT:
                self.scheduler.submit(frame)
            elif kind == RELEASE:
                flat = iter(self._ints(frame))
                self.handles.release(zip(flat, flat))
            elif kind == INTERRUPT:
                for program in self._ints(frame):
                    self.interrupts.interrupt(program)
                self.flush()
            elif kind == ANSWER:
                self.asker.receive(frame)
            else:
                raise protocol_error(f"Unknown frame kind {kind!r:.40}.")
        except BaseException as error:
            self.report(error)

    def close(self) -> None:
        """Stops loops, runs exit handlers (of the last engine), drops everything. Idempotent."""
        if self.closed:
            return
        self.closed = True
        self.asker.close()
        self.scheduler.refuse_queued()
        for context in list(self.contexts.by_id.values()):
            self.aio.stop(context)
            PRINCIPAL.release(context)
        if [self] == ENGINES:
            self.run_exit_handlers()
        if self._log_handler is not None:
            import logging

            logging.getLogger().removeHandler(self._log_handler)
        if self in ENGINES:
            ENGINES.remove(self)
        self.handles.clear()
        self.flush()

    def run_exit_handlers(self) -> None:
        if self.options.get("exit", True):
            try:
                atexit._run_exitfuncs()  # what they print is still this engine's
            except BaseException as error:
                self.report(error)

    # ---- what the parts call ------------------------------------------------------------------

    def flush(self) -> None:
        """Sends what was printed, what is done and what was dropped, in this order."""
        if self.replies.flat or self.events.waiting:
            self.replies.flush(self.events.flush)
        if self.callbacks.dropped:
            dropped = self.callbacks.take()
            if dropped:
                self.host.send(FORGET, pickle.dumps(dropped, 5))
        if self._announce is not None:
            self._announce()

    def nudge(self) -> None:
        """Something is waiting for a flush; when this thread is not working, ask for one.

        A synchronous call of JavaScript looks for it when it ends: another thread would take the GIL from it.
        """
        own = lane()
        if own.depth == 0 and not (own.javascript and own.engine is self) and not self.closed:
            self.host.wake()

    def flush_soon(self) -> None:
        """After the other callbacks of this turn of the loop."""
        own = lane()
        if own.flushing:
            return
        loop = running_loop()
        if loop is None:
            self.flush()
        else:
            own.flushing = True
            loop.call_soon(self._flush_now, own)

    def _flush_now(self, own: Lane) -> None:
        own.flushing = False
        self.flush()

    def report(self, error: BaseException) -> None:
        """What belongs to no program becomes an event; nothing is swallowed."""
        try:
            self.events.unhandled(error)
        except Exception:
            if not self.closed:
                raise

    def unhandled(self, details: dict[str, Any]) -> None:
        """What asyncio says about a background task that failed."""
        error = details.get("exception")
        self.report(
            error if isinstance(error, BaseException) else RuntimeError(str(details.get("message", "")))
        )

    def host_loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the only thread: the host's, or the running one."""
        loop = getattr(self.host, "loop", None)
        if loop is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                loop = asyncio.get_event_loop()
        return loop

    def asking_context(self, program: int) -> Optional[Context]:
        return self.scheduler.context_of(program)

    def close_context(self, number: int) -> None:
        context = self.contexts.close(number)
        if context is not None:
            waiting = list(context.waiting)
            context.waiting.clear()
            error = EngineError("ERR_CLOSED", f"Context {number} was closed before this program ran.")
            self.scheduler.refuse([program[0] for program in waiting], error)
            self.aio.stop(context)
            PRINCIPAL.release(context)

    def _ints(self, frame: bytes) -> list[int]:
        found = self.codec.decode(frame)
        if type(found) is not list or any(type(item) is not int for item in found):
            raise protocol_error("A frame is not a flat list of integers.")
        return found


def farewell() -> None:
    """The process ends: runs exit handlers once, and sends and flushes what was written."""
    for engine in list(ENGINES):
        engine.run_exit_handlers()
        engine.flush()
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            with suppress(OSError, ValueError):  # closed, or nobody reads it any more
                stream.flush()


def write_output(name: str, origin: Optional[tuple[Engine, int, int]], text: str) -> None:
    """Text of sys.stdout or sys.stderr, to the engine whose code wrote it, else to the oldest; "" is a flush."""
    if origin is not None:
        engine, session, cell = origin
    else:
        found = current()[0]
        if found is None:
            if not ENGINES:
                original = sys.__stderr__ if name == "stderr" else sys.__stdout__
                if original is not None:
                    original.write(text)
                return
            found = ENGINES[0]
        engine, session, cell = found, 0, 0
    if text:
        engine.events.write(name, session, cell, text)
    else:
        engine.events.flush()
