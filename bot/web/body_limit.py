"""Refuses request bodies that are too large, before they are read whole."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware: a body over `limit` bytes is a 413 from whoever reads it.

    `larger` are the limits of the paths that take more. FastAPI's own
    `max_body_size` answers in plain text, and outside of CORS.
    """

    def __init__(self, app: ASGIApp, limit: int, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"], self._limit)
        announced = Headers(scope=scope).get("content-length", "0")
        # Longer than any size is too large, and more digits than `int` reads.
        too_large = len(announced) > 18 or (announced.isdecimal() and int(announced) > limit)
        read = 0

        async def limited() -> Message:
            nonlocal read
            # What is announced as too large is refused before its first byte.
            if too_large:
                raise HTTPException(413)
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > limit:
                    raise HTTPException(413)
            return message

        await self._app(scope, limited, send)
