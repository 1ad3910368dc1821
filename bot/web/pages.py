"""The demonstration page, the widget and the other files that browsers fetch."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = Path(__file__).resolve().parent / "static"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_PAGE_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SafeHeaders:
    """ASGI middleware: nothing is sniffed, other sites may load files, pages are locked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = {name.lower(): value for name, value in message["headers"]}
                added = {
                    "X-Content-Type-Options": "nosniff",
                    "Cross-Origin-Resource-Policy": "cross-origin",
                }
                if headers.get(b"content-type", b"").startswith(b"text/html"):
                    added |= _PAGE_HEADERS
                message["headers"] = [
                    *message["headers"],
                    *((name.lower().encode(), value.encode()) for name, value in added.items()),
                ]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class _CachedFiles(StaticFiles):
    """Files that browsers keep for a while, then ask about."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response


def pages(folder: Path) -> APIRouter:
    """Return the routes to the page, the widget and the files of `folder`."""
    files = StaticFiles(directory=folder, check_dir=False)
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def index(request: Request) -> Response:
        response = await files.get_response("index.html", request.scope)
        response.headers["Cache-Control"] = "no-cache"
        return response

    @router.api_route("/widget.js", methods=["GET", "HEAD"])
    async def widget(request: Request) -> Response:
        response = await files.get_response("widget.js", request.scope)
        # Sites that embed it get a correction within minutes.
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    router.mount("/static", _CachedFiles(directory=folder, check_dir=False), "static")
    return router
