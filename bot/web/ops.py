"""For those who run it: is it up, is it ready, how much does it do. Not for the world."""

import asyncio
from ipaddress import IPv6Address, ip_address

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from bot.rasa import HEALTH_TIMEOUT
from bot.services import Services
from bot.web.services import FromServices
from storage import drafts, inbox

_NOT_DIRECT = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via", "origin")
"""Headers that proxies add, and browsers on behalf of a page."""


def _direct(request: Request) -> None:
    """Answer only to processes of this machine that come by themselves.

    A proxy on this machine speaks for the world.
    """
    client = request.client
    if client is None or not _is_loopback(client.host):
        raise HTTPException(404)
    if any(name in request.headers for name in _NOT_DIRECT):
        raise HTTPException(404)


def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


router = APIRouter(dependencies=[Depends(_direct)], include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is up."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(services: FromServices) -> JSONResponse:
    """A message sent now would be answered: 200, or 503 and what is missing."""
    database, rasa, actions = await asyncio.gather(
        _database_up(services), services.rasa.rasa_up(), services.rasa.actions_up()
    )
    ready = {"database": database, "rasa": rasa, "actions": actions}
    # Telegram may be away, or the token wrong: the rest goes on.
    told: dict[str, object] = {**ready}
    if services.telegram:
        told["telegram"] = {
            "status": services.telegram.status,
            "username": services.telegram.username,
        }
    return JSONResponse(told, 200 if all(ready.values()) else 503)


@router.get("/metrics")
async def metrics(services: FromServices) -> Response:
    """The counters of this process, for Prometheus."""
    async with services.database.read() as session:
        services.metrics.due.set(await inbox.count_due(session))
        services.metrics.mails_due.set(await drafts.count_mails_due(session))
    return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def _database_up(services: Services) -> bool:
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT), services.database.read() as session:
            await session.execute(text("SELECT 1"))
    except (TimeoutError, SQLAlchemyError):
        return False
    return True
