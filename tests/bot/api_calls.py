"""Calls of the widget's API, as the widget makes them."""

from typing import Any
from uuid import uuid4

import httpx


async def opened(client: httpx.AsyncClient) -> dict[str, str]:
    """Open a conversation; return the headers that give access to it."""
    response = await client.post("/api/conversations")
    assert response.status_code == 201
    return {"Authorization": f"Bearer {response.json()['token']}"}


async def send(client: httpx.AsyncClient, who: dict[str, str], **body: Any) -> httpx.Response:
    return await client.post("/api/messages", json={"id": str(uuid4()), **body}, headers=who)


async def read(client: httpx.AsyncClient, who: dict[str, str], after: int = 0) -> list[Any]:
    response = await client.get("/api/messages", params={"after": after}, headers=who)
    assert response.status_code == 200
    messages: list[Any] = response.json()["messages"]
    return messages


def is_problem(response: httpx.Response, status: int, code: str) -> None:
    """One French sentence and one code, and nothing of the request."""
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert set(response.json()) == {"detail", "code"}
    assert response.json()["detail"].endswith(".")
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
