"""What is answered to a request that cannot be served: one sentence for a person, one code.

Nothing of the request is repeated.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from bot.text import MAX_LENGTH
from knowledge.dialogue import load_wording
from knowledge.typography import french

MAX_BODY = 64 * 1024
"""Largest request body, in bytes: the longest message fits, every character escaped."""

log = structlog.get_logger()


class Problem(BaseModel):
    """Why a request was not served."""

    detail: str = Field(description="une phrase à montrer")
    code: str = Field(description="le même problème a toujours le même code")


_LENGTH = f"{MAX_LENGTH:,}".replace(",", " ")

_SENTENCES = {
    "invalid_json": (400, "La requête n'est pas du JSON lisible."),
    "no_conversation": (401, "Cette conversation n'existe pas ou n'existe plus : ouvrez-en une."),
    "not_found": (404, "Cette adresse n'existe pas."),
    "method_not_allowed": (405, "Cette adresse ne s'utilise pas ainsi."),
    "not_ratable": (404, "Ce message n'est pas une réponse de cette conversation."),
    "different_message": (409, "Un autre message a déjà été envoyé sous cet identifiant."),
    "body_too_large": (413, f"La requête est trop grosse : {MAX_BODY // 1024} Kio au plus."),
    "invalid_message": (
        422,
        "Un message porte un identifiant « id » (UUID) et soit un « text », soit un « button ».",
    ),
    "empty_text": (422, "Le message est vide."),
    "text_too_long": (422, f"Le message est trop long : {_LENGTH} caractères au plus."),
    "invalid_rating": (422, "Un avis est « up », « down » ou null, sur le numéro d'une réponse."),
    "no_draft": (409, "Commencez ou reprenez d'abord une candidature : le fichier y sera joint."),
    "no_attachment": (404, "Ce fichier n'existe pas dans cette conversation."),
    "file_too_large": (413, load_wording().refusals["too_large"]),
    "unfit_file": (422, "Ce fichier ne convient pas."),
    "invalid_file": (422, "Un fichier porte un identifiant « id » (UUID) et un nom « name »."),
    "unknown_button": (422, "Ce bouton n'a pas été proposé dans cette conversation."),
    "invalid_position": (422, "« after » et « Last-Event-ID » sont des nombres à partir de 0."),
    "internal": (500, "Une erreur s'est produite. Réessayez dans quelques instants."),
    "unavailable": (503, "Le service ne répond pas. Réessayez dans quelques instants."),
}
_CODES = {400: "invalid_json", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
"""Codes of what the framework itself refuses, by status."""


class Refused(Exception):
    """A request is not served, for the reason that `code` names."""

    def __init__(self, code: str, detail: str | None = None) -> None:
        """Refuse for what `code` names; `detail` says it better than the code's own sentence."""
        super().__init__(code)
        self.code = code
        self.detail = detail


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return these problems as OpenAPI responses."""
    responses: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        status, sentence = _SENTENCES[code]
        known = responses.setdefault(status, {"model": Problem, "description": ""})
        known["description"] += f"`{code}` : {french(sentence)}\n\n"
    return responses


def handle_problems(app: FastAPI) -> None:
    """Make every error of `app` a `Problem`."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_exception_handler(Exception, _internal)


def _response(
    code: str, headers: Mapping[str, str] | None = None, detail: str | None = None
) -> JSONResponse:
    status, sentence = _SENTENCES[code]
    problem = Problem(detail=french(detail or sentence), code=code)
    return JSONResponse(
        problem.model_dump(), status, {"Cache-Control": "no-store", **(headers or {})}
    )


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    headers = {"WWW-Authenticate": 'Bearer realm="passerelle"'}
    return _response(error.code, headers if error.code == "no_conversation" else None, error.detail)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _response("invalid_json")
    if request.url.path.endswith("/attachments"):
        return _response("invalid_file")
    if request.url.path.endswith("/rating"):
        return _response("invalid_rating")
    return _response("invalid_message" if first["loc"][0] == "body" else "invalid_position")


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "internal")
    if code == "body_too_large" and request.url.path.endswith("/attachments"):
        code = "file_too_large"
    return _response(code, error.headers)


async def _database(_: Request, error: Exception) -> JSONResponse:
    log.error("database_failed", error=type(error).__name__)
    return _response("unavailable", {"Retry-After": "5"})


async def _internal(_: Request, error: Exception) -> JSONResponse:
    # The server logs it: the framework raises it again once this is sent.
    return _response("internal")
