"""Where Telegram posts updates, if it is asked to: answered once they are rows."""

import json

import structlog
from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from bot.telegram.channel import Telegram

MOST_BYTES = 8 * 1024 * 1024
"""Largest update: Telegram's own are a few kilobytes, and one refused comes again for a day."""
SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (a header's name)

log = structlog.get_logger()


def webhook(telegram: Telegram, path: str) -> APIRouter:
    """Return the route at which one bot's updates come."""
    router = APIRouter(include_in_schema=False)

    @router.post(path)
    async def take_update(request: Request) -> Response:
        """Take an update from whoever knows the secret."""
        # Before a byte of the body is read.
        if not telegram.knows_secret(request.headers.get(SECRET, "")):
            return Response(status_code=403)
        try:
            raw = json.loads(await request.body())
        except (ValueError, RecursionError):
            return Response(status_code=400)
        if not isinstance(raw, dict):
            return Response(status_code=400)
        try:
            await telegram.take(raw)
        except SQLAlchemyError as error:
            log.error("update_not_stored", error=type(error).__name__)
            return Response(status_code=503)
        return Response()

    return router
