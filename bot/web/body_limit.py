"""Refuses request bodies that are too large, before they are read whole."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware: a body over `limit` bytes is a 413 from whoever reads it.

    FastAPI's own `max_body_size` answers in plain text, and outside of CORS.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        # Longer than any size is too large, and more digits than `int` reads.
        too_large = len(announced) > 18 or (announced.isdecimal() and int(announced) > self._limit)
        read = 0

        async def limited() -> Message:
            nonlocal read
            # What is announced as too large is refused before its first byte.
            if too_large:
                raise HTTPException(413)
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > self._limit:
                    raise HTTPException(413)
            return message

        await self._app(scope, limited, send)
