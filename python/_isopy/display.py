"""Objects as MIME bundles, the way notebooks show them, and `display()` for cells.

A bundle always has text/plain. `_repr_mimebundle_` wins over the single `_repr_*_` methods; one
that raises is left out (its text/plain still shows), as in IPython.
"""

from __future__ import annotations

from binascii import b2a_base64
from typing import Any, Optional

Bundle = dict[str, Any]

_METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_pdf_": "application/pdf",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
}


def bundle(value: object) -> tuple[Bundle, dict[str, Any]]:
    """(MIME bundle, metadata) of an object; never raises for what the object does."""
    data: Bundle = {"text/plain": text(value)}
    metadata: dict[str, Any] = {}
    if isinstance(value, type):
        return data, metadata
    whole = _called(value, "_repr_mimebundle_")
    if isinstance(whole, tuple) and len(whole) == 2 and isinstance(whole[1], dict):
        whole, metadata = whole
    if isinstance(whole, dict):
        data.update({str(mime): _plain(content) for mime, content in whole.items()})
        return data, metadata
    for method, mime in _METHODS.items():
        content = _called(value, method)
        if isinstance(content, tuple) and len(content) == 2:
            content, extra = content
            if isinstance(extra, dict):
                metadata[mime] = extra
        if content is not None:
            data[mime] = _plain(content)
    return data, metadata


def text(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__} object whose repr raised {type(error).__name__}>"


def _called(value: object, name: str) -> Any:
    method = getattr(type(value), name, None)
    if method is None:
        return None
    try:
        return method(value, include=None, exclude=None) if name == "_repr_mimebundle_" else method(value)
    except Exception:
        return None  # by the display protocol a failing representation is one that is absent


def _plain(content: Any) -> Any:
    return (
        b2a_base64(content, newline=False).decode("ascii")
        if isinstance(content, (bytes, bytearray))
        else content
    )


def display(*objects: object, raw: bool = False, metadata: Optional[dict[str, Any]] = None) -> None:
    """Shows objects in the running cell, in order; `raw=True` takes bundles as they are."""
    from .output import flush, origin

    flush()
    found = origin()
    if found is None:
        for value in objects:
            print(text(value))
        return
    engine, session, cell = found
    for value in objects:
        data, extra = (value, {}) if raw and isinstance(value, dict) else bundle(value)
        engine.event("display_data", session, cell, data, {**extra, **(metadata or {})}, {})


def clear_output(wait: bool = False) -> None:
    """Clears what the running cell has shown; with `wait`, once something new comes."""
    from .output import flush, origin

    flush()
    found = origin()
    if found is not None:
        engine, session, cell = found
        engine.event("clear_output", session, cell, bool(wait))
