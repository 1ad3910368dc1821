"""The whole path: a real browser, the demonstration page, real Rasa, real actions."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.stack import Stack
from tests.conftest import unavailable


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        unavailable("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(20_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto(stack.url)
    yield page
    page.close()
    assert not faults


def opened(page: Page) -> None:
    page.get_by_role("button", name="Une question").click()


def ask(page: Page, text: str) -> None:
    page.get_by_role("textbox").fill(text)
    page.get_by_role("textbox").press("Enter")


def test_a_question_its_answer_and_a_button(page: Page) -> None:
    opened(page)
    ask(page, "c'est quoi l'axe 3 ?")
    log = page.get_by_role("log")
    expect(log).to_contain_text("34\u00a0millions d’euros")
    expect(log).to_contain_text("16/02/2021")
    page.get_by_role("button", name="Candidater au fonds").click()
    expect(log.get_by_role("link", name="pref-badl@indre-et-loire.gouv.fr")).to_be_visible()
