"""The web application: routes, what surrounds them, and the workers that live with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from bot.services import Services
from bot.telegram.webhook import MOST_BYTES as MOST_UPDATE
from bot.telegram.webhook import webhook
from bot.web import api, files, ops
from bot.web.body_limit import BodyLimit
from bot.web.pages import STATIC, SafeHeaders, pages
from bot.web.problems import MAX_BODY, handle_problems
from candidature import attachments


def create_app(services: Services, static: Path = STATIC) -> FastAPI:
    """Return the application; its lifespan runs the workers, then closes `services`."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        workers = [
            asyncio.create_task(services.relay.run()),
            asyncio.create_task(services.arrivals.run()),
            asyncio.create_task(services.outbox.run()),
            asyncio.create_task(services.retention.run()),
        ]
        if services.telegram:
            workers.append(asyncio.create_task(services.telegram.run()))
        try:
            yield
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await services.rasa.close()
            await services.database.close()

    app = FastAPI(
        title="Passerelle",
        summary="L'assistant numérique des petites communes et des aidants d'Indre-et-Loire",
        version="0.1.0",
        openapi_url="/api/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # to an address made of what the client calls us
        lifespan=lifespan,
    )
    app.state.services = services
    handle_problems(app)
    app.include_router(api.router)
    app.include_router(files.router)
    app.include_router(ops.router)
    larger = {"/api/attachments": attachments.MOST_BYTES}
    if services.telegram and (path := services.telegram.webhook_path):
        app.include_router(webhook(services.telegram, path))
        larger[path] = MOST_UPDATE
    app.include_router(pages(static))
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, limit=MAX_BODY, larger=larger)
    app.add_middleware(SafeHeaders)
    # Any town's site may embed the widget. No cookie is used: the token
    # travels in a header that only the widget knows to send.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST", "PUT"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
    )
    return app
