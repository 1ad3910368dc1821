"""Telegram's Bot API, as strict as the real one: `/bot<token>/<method>`.

`async with Telegram() as telegram` serves it in the running loop,
`with listening(Telegram()) as telegram` in a thread; `telegram.url` is where.
The persons are in `tests.telegram.people`.
"""

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http import HTTPStatus
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.telegram.markup import Json, Refusal, bad
from tests.telegram.methods import Args, Methods, too_many
from tests.telegram.state import TO_SEND, Fault

HOST = "127.0.0.1"


class Telegram(Methods):
    """The server and all that it remembers."""

    def __init__(self, token: str = "123:ABC", username: str = "passerelle_test_bot") -> None:
        super().__init__(token, username)
        self.url = ""
        self._port = 0
        self._runner: web.AppRunner | None = None
        self.updates.on_reply = self._call_from_webhook

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=TO_SEND + (1 << 20))
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        app.router.add_route("*", "/{rest:.*}", self._nowhere)
        # A poll whose bot has gone is not to hold the server.
        self._runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=0.2, access_log=None
        )
        await self._runner.setup()
        self.updates.start()
        # The same port again after a restart, so that the bot finds it.
        site = web.TCPSite(self._runner, HOST, port or self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://{HOST}:{self._port}"

    async def stop(self) -> None:
        await self.updates.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # Answering

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fault = None
        try:
            self._check_token(request.match_info["token"])
            args = await _read(request)
            self.calls.append((method, dict(args.texts)))
            fault = self.fault(method)
            if fault is not None and not fault.done:
                return await self._wrong(request, fault)
            result = await self.call(method, args)
        except Refusal as refusal:
            if fault is None:
                return _refused(refusal)
        if fault is not None:
            return await self._wrong(request, fault)
        return web.json_response({"ok": True, "result": result})

    async def _call_from_webhook(self, reply: Json) -> None:
        """A webhook may call one method in its answer; nobody hears whether it went well."""
        args = Args()
        for name, value in reply.items():
            args.put(name, value)
        self.calls.append((str(reply["method"]), dict(args.texts)))
        with contextlib.suppress(Refusal):
            await self.call(str(reply["method"]), args)

    def _check_token(self, token: str) -> None:
        if not re.fullmatch(r"\d+:[A-Za-z0-9_-]+", token):
            raise Refusal(404, "Not Found")
        if token != self.token:
            raise Refusal(401, "Unauthorized")

    async def _wrong(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.hang:
            await asyncio.Event().wait()  # until the bot gives up
        if fault.cut:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        match fault.code:
            case 429:
                return _refused(too_many(fault.retry_after or 1))
            case 502 | 504:  # said by what stands before Telegram, in HTML
                body = f"<html><head><title>{fault.code} Bad Gateway</title></head></html>"
                return web.Response(status=fault.code, text=body, content_type="text/html")
            case code:
                said = fault.description or HTTPStatus(code).phrase
                return _refused(Refusal(code, said))

    async def _nowhere(self, _request: web.Request) -> web.Response:
        return _refused(Refusal(404, "Not Found"))

    async def _download(self, request: web.Request) -> web.StreamResponse:
        try:
            self._check_token(request.match_info["token"])
        except Refusal as refusal:
            return _refused(refusal)
        if fault := self.fault("download"):
            return await self._wrong(request, fault)
        file = self.paths.get(request.match_info["path"])
        if file is None:
            return _refused(Refusal(404, "Not Found"))
        content = bytes(file.size) if file.content is None else file.content
        return web.Response(body=content, content_type="application/octet-stream")


async def _read(request: web.Request) -> Args:
    args = Args()
    for name, value in request.query.items():
        args.put(name, value)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except ValueError:
            raise bad("can't parse request JSON object") from None
        if not isinstance(body, dict):
            raise bad("object expected as request body")
        for name, value in body.items():
            args.put(name, value)
    else:
        try:
            form = await request.post()
        except web.HTTPRequestEntityTooLarge:
            raise Refusal(413, "Request Entity Too Large") from None
        for name, field in form.items():
            args.put(name, field)
    return args


def _refused(refusal: Refusal) -> web.Response:
    body: Json = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    headers = {}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
        if "retry_after" in refusal.parameters:
            headers["Retry-After"] = str(refusal.parameters["retry_after"])
    return web.json_response(body, status=refusal.code, headers=headers)


@contextlib.contextmanager
def listening(telegram: Telegram, port: int = 0) -> Iterator[Telegram]:
    """Serve in a thread of its own, for tests that are not asynchronous."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(telegram.start(port), loop).result(10)
        yield telegram
    finally:
        asyncio.run_coroutine_threadsafe(telegram.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
