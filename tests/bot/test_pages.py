"""The page, the widget and the other files."""

import httpx
import pytest


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """None of this depends on the database."""
    return sqlite_url


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_page_is_locked(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert ("Démonstration" in response.text) == (method == "GET")


async def test_the_widget_is_for_any_site(client: httpx.AsyncClient) -> None:
    response = await client.get("/widget.js")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["cache-control"] == "public, max-age=300"
    unchanged = await client.get("/widget.js", headers={"If-None-Match": response.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_other_files(client: httpx.AsyncClient) -> None:
    response = await client.get("/static/page.css")
    assert response.headers["content-type"].startswith("text/css")
    assert response.headers["cache-control"] == "public, max-age=3600"
    assert (await client.get("/static/index.html")).headers["content-security-policy"]
    assert (await client.get("/static/none.css")).status_code == 404
