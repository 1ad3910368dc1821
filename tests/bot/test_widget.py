"""The widget in a real browser, on the demonstration page and on another site's."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    FilePayload,
    Locator,
    Page,
    Route,
    expect,
    sync_playwright,
)
from sqlalchemy import create_engine, delete, select
from sqlalchemy.orm import Session

import bot.relay
from bot.rasa import Rasa
from candidature.attachments import MOST_BYTES
from knowledge.dialogue import load_wording
from knowledge.typography import french
from storage.database import Database
from storage.models import Attachment, Draft
from storage.models import Status as DraftStatus
from storage.payloads import ATTACH, step_payload
from tests.bot.fakes import ACTIONS, RASA, UNAVAILABLE, FakeRasa, parts
from tests.bot.live import listening
from tests.bot.mail.filings import CANDIDATURE, FILED_AT
from tests.conftest import unavailable

ANSWER = (
    "Oui, jusqu’à 100\u00a0%.\nDeux voies\u00a0:\n• écrire à pref@exemple.fr\u00a0;\n"
    "• voir https://exemple.fr/aides?a=1&b=2.\n\nSource\u00a0: préfecture, 16/02/2021"
)
BUTTONS = [
    {"title": "Le montant", "payload": '/montant{"subject": "fonds"}'},
    {"title": "Les dates", "payload": '/delai{"subject": "fonds"}'},
]
ATTACH_BUTTON = {"title": "Joindre un fichier", "payload": step_payload(f"7:{ATTACH}")}
DOCUMENT = b"%PDF-1.7\n% the document of a candidature\n%%EOF\n"
QUOTE = FilePayload(
    name="Devis été.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7\n% a quote\n%%EOF\n"
)
UNSENT = re.compile("n’est pas parti")


def replies(message: str) -> list[Any]:
    """Answer a question with all that an answer may have; give the rest back."""
    if message == "Déposer":
        return [
            {"text": "Votre candidature est déposée.", "buttons": BUTTONS},
            {"custom": {"document": CANDIDATURE.reference}},
        ]
    if message == "Joindre":
        return [{"text": "Des pièces à joindre\u00a0?", "buttons": [ATTACH_BUTTON, BUTTONS[0]]}]
    if message.startswith("Peut-on"):
        return [{"text": ANSWER, "buttons": BUTTONS}, {"custom": {"outcome": {"kind": "answer"}}}]
    return [{"text": f"Réponse à {message}"}]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        unavailable("Chromium is not installed")
    with sync_playwright() as playwright:
        # Sites that the tests make up may reach this machine's own addresses.
        arguments = ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def rasa() -> FakeRasa:
    return FakeRasa()


@pytest.fixture
def fake_rasa(rasa: FakeRasa) -> FakeRasa:
    """What answers the bot that listens, as new."""
    rasa.fault, rasa.pause, rasa.replies = None, 0.0, replies
    rasa.messages.clear()
    return rasa


@pytest.fixture(scope="module")
def file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the bot that listens."""
    return Path(shutil.copy(migrated_file, tmp_path_factory.mktemp("widget")))


@pytest.fixture(scope="module")
def site(file: Path, rasa: FakeRasa) -> Iterator[str]:
    """The address of a bot that listens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bot.relay, "POLL", 0.05)
        database = Database(f"sqlite+aiosqlite:///{file}")
        client = Rasa(RASA, ACTIONS, transport=rasa)
        with listening(parts(database, client, file.parent)) as address:
            yield address


@pytest.fixture
def page(browser: Browser, site: str, fake_rasa: FakeRasa) -> Iterator[Page]:
    """The demonstration page; no script error, no refusal by its policy."""
    context = browser.new_context(base_url=site)
    context.set_default_timeout(10_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto("/")
    yield page
    context.close()
    # A request that a test makes fail is told by the browser: it is no error of ours.
    assert [error for error in errors if "Failed to load resource" not in error] == []


def launcher(page: Page) -> Locator:
    return page.get_by_role("button", name="Une question\u00a0?")


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Passerelle assistant automatique")


def box(page: Page) -> Locator:
    return page.get_by_label("Votre question")


def messages(page: Page) -> Locator:
    return page.locator("[data-seq]")


def news(page: Page) -> Locator:
    return page.locator("passerelle-assistant [aria-live=polite]")


def rating(page: Page, sign: str, answer: int = 1) -> Locator:
    """Return the button that says « Utile » or « Pas utile » of the message in this place."""
    group = messages(page).nth(answer).get_by_role("group", name="Cette réponse vous est-elle")
    return group.get_by_role("button", name=sign, exact=True)


def pressed(page: Page) -> list[str]:
    """Return the labels of the pressed buttons."""
    return page.locator(".rating [aria-pressed=true]").all_inner_texts()


def ask(page: Page, text: str) -> None:
    if not panel(page).is_visible():
        launcher(page).click()
    box(page).fill(text)
    box(page).press("Enter")


def posted(page: Page) -> list[Any]:
    """Return the messages that the page sends from now on, as they are sent."""
    sent: list[Any] = []
    page.on(
        "request",
        lambda request: (
            sent.append(request.post_data_json)
            if request.method == "POST" and request.url.endswith("/api/messages")
            else None
        ),
    )
    return sent


def test_nothing_is_sent_or_stored_before_it_is_opened(page: Page, site: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(site)))
    page.reload()
    expect(launcher(page)).to_be_visible()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    launcher(page).click()
    expect(panel(page)).to_contain_text("N’écrivez pas de données sensibles")
    # Nor is there a conversation before something is said.
    files = {"/", "/widget.js", "/static/demo.css", "/static/demo.js", "/static/favicon.svg"}
    assert set(asked) <= files
    assert page.context.cookies() == []


def test_a_question_its_answer_and_a_button(page: Page, fake_rasa: FakeRasa) -> None:
    ask(page, "Peut-on financer un site ?")
    expect(box(page)).to_have_value("")
    question, answer = messages(page).nth(0), messages(page).nth(1)
    expect(question).to_have_text("Vous\u00a0: Peut-on financer un site ?")
    expect(answer.get_by_role("listitem")).to_have_count(2)
    expect(answer.get_by_role("link", name="pref@exemple.fr")).to_have_attribute(
        "href", "mailto:pref@exemple.fr"
    )
    # The full stop that ends the sentence is not part of the address.
    expect(answer.get_by_role("link", name="https")).to_have_attribute(
        "href", "https://exemple.fr/aides?a=1&b=2"
    )
    expect(answer.locator(".source")).to_have_text("Source\u00a0: préfecture, 16/02/2021")
    assert answer.locator("p").first.inner_text() == "Oui, jusqu’à 100\u00a0%.\nDeux voies\u00a0:"

    page.get_by_role("button", name="Le montant").click()
    expect(messages(page)).to_have_count(4)
    expect(messages(page).nth(2)).to_have_text("Vous\u00a0: Le montant")
    assert [text for _, text in fake_rasa.messages][1] == BUTTONS[0]["payload"]
    # Buttons are for the last answer only.
    expect(page.locator(".choices")).to_have_count(0)


def test_an_example_is_a_question_and_waiting_is_said(page: Page, fake_rasa: FakeRasa) -> None:
    fake_rasa.pause = 0.5
    launcher(page).click()
    page.get_by_role("button", name="Comment obtenir un conseiller").click()
    expect(page.get_by_text("Passerelle écrit…")).to_be_visible()
    expect(messages(page).nth(1)).to_contain_text("Réponse à Comment obtenir un conseiller")
    expect(page.get_by_text("Passerelle écrit…")).to_have_count(0)
    assert fake_rasa.messages[0][1] == "Comment obtenir un conseiller numérique\u00a0?"


def test_a_reload_resumes_and_says_nothing_again(page: Page) -> None:
    ask(page, "Peut-on financer un site ?")
    expect(news(page)).to_contain_text("Passerelle\u00a0: Oui, jusqu’à")
    expect(news(page)).to_contain_text("2 suites proposées.")
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "off")
    page.reload()
    expect(messages(page)).to_have_count(2)
    expect(page.get_by_role("button", name="Les dates")).to_be_visible()
    assert news(page).text_content() == ""
    ask(page, "deux")
    expect(messages(page)).to_have_count(4)
    expect(news(page)).to_have_text("Passerelle\u00a0: Réponse à deux")


def test_rasa_down_then_up_again(page: Page, fake_rasa: FakeRasa) -> None:
    fake_rasa.fault = "down"
    ask(page, "un")
    expect(messages(page).nth(1)).to_contain_text(UNAVAILABLE)
    fake_rasa.fault = None
    expect(messages(page).nth(2)).to_contain_text("Réponse à un")


def test_html_is_text(page: Page) -> None:
    typed = "<img src=x onerror=\"document.title='pris'\"><b>gras</b> & <script>1</script>"
    ask(page, typed)
    expect(messages(page).nth(0)).to_have_text(f"Vous\u00a0: {typed}")
    expect(messages(page).nth(1)).to_have_text(f"Passerelle\u00a0: Réponse à {typed}")
    expect(messages(page).locator("img, b, script")).to_have_count(0)
    assert "pris" not in page.title()


def test_the_keyboard_is_enough(page: Page) -> None:
    keyboard = page.keyboard
    expect(launcher(page)).to_be_visible()
    for _ in range(20):
        keyboard.press("Tab")
        if launcher(page).evaluate("one => one.matches(':focus')"):
            break
    keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    keyboard.type("Peut-on")
    keyboard.press("Shift+Enter")
    keyboard.type("tout financer ?")
    expect(box(page)).to_have_value("Peut-on\ntout financer ?")
    keyboard.press("Enter")
    last = page.get_by_role("button", name="Les dates")
    expect(last).to_be_visible()
    # What one thinks of the answer comes after what follows it.
    keyboard.press("Shift+Tab")
    expect(rating(page, "Pas utile")).to_be_focused()
    keyboard.press("Shift+Tab")
    expect(rating(page, "Utile")).to_be_focused()
    keyboard.press("Space")
    expect(rating(page, "Utile")).to_have_attribute("aria-pressed", "true")
    expect(rating(page, "Utile")).to_be_focused()
    keyboard.press("Enter")
    expect(rating(page, "Utile")).to_have_attribute("aria-pressed", "false")
    keyboard.press("Shift+Tab")
    expect(last).to_be_focused()
    keyboard.press("Space")
    # The button is gone: the focus stays in the conversation, before what comes next.
    expect(page.get_by_role("log")).to_be_focused()
    expect(messages(page)).to_have_count(4)
    keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(launcher(page)).to_be_focused()
    keyboard.press("Enter")
    expect(messages(page)).to_have_count(4)


def test_a_message_whose_receipt_is_lost_is_sent_again_once(
    page: Page, fake_rasa: FakeRasa
) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    sent = posted(page)
    page.route("**/api/messages", lose, times=1)
    ask(page, "un")
    expect(page.get_by_role("alert")).to_contain_text(UNSENT)
    expect(box(page)).to_have_value("un")
    page.get_by_role("button", name="Réessayer").click()
    expect(messages(page)).to_have_count(2)
    expect(box(page)).to_have_value("")
    expect(page.get_by_role("alert")).to_be_empty()
    assert len(sent) == 2 and sent[0] == sent[1]
    assert len(fake_rasa.messages) == 1


def test_what_does_not_pass_is_said_and_kept(page: Page) -> None:
    sent = posted(page)
    page.route("**/api/messages", lambda route: route.abort(), times=1)
    ask(page, "un")
    expect(page.get_by_role("alert")).to_contain_text(UNSENT)
    ask(page, "un, mieux dit")  # another text is another message
    expect(messages(page)).to_have_count(2)
    assert sent[0]["id"] != sent[1]["id"]
    # What the server refuses is said in its words.
    page.route(
        "**/api/messages",
        lambda route: route.fulfill(status=422, json={"detail": "Trop vite.", "code": "x"}),
        times=1,
    )
    ask(page, "un")
    expect(page.get_by_role("alert")).to_have_text("Trop vite.")
    expect(box(page)).to_have_value("un")


def test_too_long_is_told_and_not_sent(page: Page) -> None:
    sent = posted(page)
    launcher(page).click()
    # As the server counts: a character is one, whatever it is made of.
    box(page).fill("🌉" * 4001)
    expect(page.get_by_text("4001 caractères sur 4000 au plus")).to_be_visible()
    box(page).press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("4\u00a0000 caractères au plus")
    expect(box(page)).to_have_attribute("aria-invalid", "true")
    assert sent == []
    box(page).fill("🌉" * 4000)
    box(page).press("Enter")
    expect(messages(page)).to_have_count(2)


def test_streams_that_do_not_pass(page: Page) -> None:
    page.route("**/api/events", lambda route: route.abort())
    ask(page, "un")
    expect(messages(page)).to_have_count(2)


def test_a_conversation_that_is_gone(page: Page) -> None:
    ask(page, "Peut-on financer un site ?")
    button = page.get_by_role("button", name="Le montant")
    expect(button).to_be_visible()
    # What the server knows no more, while the page is open.
    page.route("**/api/messages", lambda route: route.fulfill(status=401, json={}), times=1)
    button.click()
    expect(panel(page)).to_contain_text("La conversation précédente n’existe plus")
    expect(messages(page).nth(1)).to_contain_text("Réponse à Le montant")
    # And before.
    forget = "for (const key of Object.keys(sessionStorage)) sessionStorage[key] ="
    page.evaluate(forget + """ '{"token": "inconnu", "open": true}'""")
    page.reload()
    expect(panel(page)).to_contain_text("La conversation précédente n’existe plus")
    ask(page, "deux")
    expect(messages(page).nth(1)).to_contain_text("Réponse à deux")


def test_a_narrow_screen(page: Page) -> None:
    """320 pixels wide: a phone, or 400 % of zoom."""
    page.set_viewport_size({"width": 320, "height": 560})
    ask(page, "Peut-on financer un site ?" + "x" * 200)
    expect(messages(page)).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    log = page.get_by_role("log")
    assert log.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert panel(page).bounding_box() == {"x": 0, "y": 0, "width": 320, "height": 560}
    # Where it covers the page, it does not open by itself on the next one.
    page.reload()
    expect(launcher(page)).to_be_visible()
    launcher(page).click()
    expect(messages(page)).to_have_count(2)


def test_another_site_with_a_strict_policy(page: Page, site: str) -> None:
    town = site.replace("127.0.0.1", "localhost") + "/mairie"
    policy = f"default-src 'none'; script-src {site}; connect-src {site}"
    page.route(
        town,
        lambda route: route.fulfill(
            content_type="text/html",
            headers={"Content-Security-Policy": policy},
            body=f'<!doctype html><script src="{site}/widget.js" async></script><p>Mairie',
        ),
    )
    page.goto(town)
    expect(launcher(page)).to_have_css("position", "fixed")
    ask(page, "un")
    expect(messages(page).nth(1)).to_contain_text("Réponse à un")
    # What one thinks of an answer goes from one site to the other too.
    ask(page, "Peut-on financer un site ?")
    rating(page, "Pas utile", 3).click()
    expect(rating(page, "Pas utile", 3)).to_have_attribute("aria-pressed", "true")


def test_an_answer_is_rated_and_the_rating_is_taken_back(page: Page) -> None:
    ask(page, "Peut-on financer un site ?")
    useful, useless = rating(page, "Utile"), rating(page, "Pas utile")
    expect(useful).to_have_attribute("aria-pressed", "false")
    expect(useless).to_have_attribute("aria-pressed", "false")
    useful.click()
    expect(useful).to_have_attribute("aria-pressed", "true")
    expect(news(page)).to_contain_text("Merci, votre avis est noté.")
    useless.click()
    expect(useless).to_have_attribute("aria-pressed", "true")
    assert pressed(page) == ["Pas utile"]
    useless.click()
    expect(useless).to_have_attribute("aria-pressed", "false")
    assert pressed(page) == []
    # Only what is given is thanked for.
    assert (news(page).text_content() or "").count("Merci") == 2


def test_a_rating_is_kept_after_a_reload(page: Page) -> None:
    ask(page, "Peut-on financer un site ?")
    rating(page, "Pas utile").click()
    expect(rating(page, "Pas utile")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(rating(page, "Pas utile")).to_have_attribute("aria-pressed", "true")
    assert pressed(page) == ["Pas utile"]
    rating(page, "Pas utile").click()
    expect(rating(page, "Pas utile")).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(rating(page, "Pas utile")).to_have_attribute("aria-pressed", "false")
    assert pressed(page) == []


def test_each_answer_has_its_own_rating_and_nothing_else_has(page: Page) -> None:
    for number, question in enumerate(("Peut-on un ?", "deux", "Peut-on trois ?"), start=1):
        ask(page, question)
        expect(messages(page)).to_have_count(2 * number)
    # Neither the questions, nor what is no answer.
    expect(page.locator(".rating")).to_have_count(2)
    expect(messages(page).nth(3).get_by_role("group")).to_have_count(0)
    rating(page, "Utile", 1).click()
    expect(rating(page, "Utile", 1)).to_have_attribute("aria-pressed", "true")
    rating(page, "Pas utile", 5).click()
    expect(rating(page, "Pas utile", 5)).to_have_attribute("aria-pressed", "true")
    assert pressed(page) == ["Utile", "Pas utile"]


def test_a_rating_that_does_not_arrive_is_said_and_not_shown(page: Page) -> None:
    ask(page, "Peut-on financer un site ?")
    useful, useless = rating(page, "Utile"), rating(page, "Pas utile")
    faults: list[Callable[[Route], None]] = [
        lambda route: route.abort(),
        lambda route: route.fulfill(status=503, json={}),
    ]
    for fault in faults:
        useful.click()
        expect(useful).to_have_attribute("aria-pressed", "true")
        page.route("**/rating", fault, times=1)
        useless.click()
        expect(page.get_by_role("alert")).to_contain_text("Votre avis n’est pas parti")
        assert pressed(page) == ["Utile"]
        useless.click()
        expect(useless).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("alert")).to_be_empty()
        assert pressed(page) == ["Pas utile"]


@pytest.fixture
def rows(file: Path) -> Iterator[Session]:
    """The rows of the bot that listens."""
    engine = create_engine(f"sqlite:///{file}")
    with Session(engine) as session:
        yield session
        session.rollback()
        session.execute(delete(Attachment))
        session.execute(delete(Draft))
        session.commit()
    engine.dispose()


@pytest.fixture
def filed(rows: Session) -> None:
    """A filed candidature, whose document is made."""
    rows.add(
        Draft(
            questionnaire="fonds",
            status=DraftStatus.filed,
            open=False,
            state={},
            title=CANDIDATURE.title,
            applicant=CANDIDATURE.applicant,
            siret="21370129800013",
            email=CANDIDATURE.email,
            cost_cents=1_250_050,
            amount_cents=1_000_000,
            reference=CANDIDATURE.reference,
            consented_at=FILED_AT,
            filed_at=FILED_AT,
            filed=CANDIDATURE.model_dump(mode="json"),
            document=DOCUMENT,
        )
    )
    rows.commit()


@pytest.fixture
def offered(page: Page, fake_rasa: FakeRasa, rows: Session) -> Locator:
    """The button that chooses a file, in a conversation with a draft."""
    offer(page, fake_rasa, rows)
    return page.get_by_role("button", name="Joindre un fichier")


def offer(page: Page, fake_rasa: FakeRasa, rows: Session) -> None:
    ask(page, "Joindre")
    expect(messages(page)).to_have_count(2)
    ((conversation, _),) = fake_rasa.messages
    rows.add(Draft(conversation_id=conversation, questionnaire="fonds", open=True, state={}))
    rows.commit()


def choose(page: Page, chosen: FilePayload | Path) -> None:
    with page.expect_file_chooser() as opening:
        page.get_by_role("button", name="Joindre un fichier").click()
    assert not opening.value.is_multiple()
    opening.value.set_files(chosen)


def uploads(page: Page) -> list[str]:
    """Return the addresses to which the page sends files from now on."""
    sent: list[str] = []
    page.on(
        "request",
        lambda request: sent.append(request.url) if "/api/attachments" in request.url else None,
    )
    return sent


def refusal(reason: str) -> str:
    return french(load_wording().refusals[reason])


@pytest.mark.usefixtures("filed")
def test_a_file_that_goes_with_a_message(page: Page) -> None:
    ask(page, "Déposer")
    name = f"{CANDIDATURE.reference}.pdf"
    joined = messages(page).nth(1).get_by_role("group", name="Fichiers joints")
    expect(joined.get_by_role("button")).to_have_count(1)
    with page.expect_download() as downloading:
        joined.get_by_role("button", name=name, exact=True).click()
    assert downloading.value.suggested_filename == name
    assert downloading.value.path().read_bytes() == DOCUMENT
    # Unlike what is offered next, it stays, also on the next page.
    ask(page, "deux")
    expect(messages(page)).to_have_count(4)
    page.reload()
    with page.expect_download() as downloading:
        page.get_by_role("button", name=name).press("Enter")
    assert downloading.value.path().read_bytes() == DOCUMENT
    expect(page.get_by_role("alert")).to_be_empty()


@pytest.mark.usefixtures("filed")
def test_a_file_that_cannot_be_read_is_said(page: Page) -> None:
    ask(page, "Déposer")
    button = page.get_by_role("button", name=f"{CANDIDATURE.reference}.pdf")
    faults: list[Callable[[Route], None]] = [
        lambda route: route.abort(),
        lambda route: route.fulfill(status=503, json={}),
    ]
    for fault in faults:
        page.route("**/attachments/0", fault, times=1)
        button.click()
        expect(page.get_by_role("alert")).to_have_text(
            "Le fichier n’a pas pu être lu\u00a0: réessayez."
        )
        with page.expect_download():
            button.click()
        expect(page.get_by_role("alert")).to_be_empty()


def test_a_chosen_file_is_sent_and_shown(
    page: Page, offered: Locator, fake_rasa: FakeRasa, rows: Session
) -> None:
    sent = posted(page)
    choose(page, QUOTE)
    expect(messages(page)).to_have_count(4)
    expect(messages(page).nth(2)).to_have_text("Vous\u00a0: Devis été.pdf")
    expect(offered).to_have_count(0)
    expect(page.get_by_role("alert")).to_be_empty()
    (row,) = rows.scalars(select(Attachment))
    assert (row.name, row.media_type, row.content) == (
        QUOTE["name"],
        "application/pdf",
        QUOTE["buffer"],
    )
    step = f"{row.draft_id}:attached:{row.id}:{row.sha256[:16]}"
    assert fake_rasa.messages[-1][1] == step_payload(step)
    # The button itself is not pressed.
    assert sent == []


@pytest.mark.usefixtures("offered")
def test_a_file_that_is_refused_is_said_and_another_may_be_chosen(page: Page) -> None:
    web_page = FilePayload(name="devis.pdf", mimeType="application/pdf", buffer=b"<!doctype html>")
    choose(page, web_page)
    expect(page.get_by_role("alert")).to_have_text(refusal("lies"))
    empty = FilePayload(name="devis.pdf", mimeType="application/pdf", buffer=b"")
    choose(page, empty)
    expect(page.get_by_role("alert")).to_have_text(refusal("empty"))
    expect(messages(page)).to_have_count(2)
    choose(page, QUOTE)
    expect(messages(page)).to_have_count(4)
    expect(page.get_by_role("alert")).to_be_empty()


@pytest.mark.usefixtures("offered")
def test_a_file_too_large_is_not_sent(page: Page, rows: Session, tmp_path: Path) -> None:
    sent = uploads(page)
    large = tmp_path / "grand.pdf"
    large.write_bytes(b"%PDF-1.7".ljust(MOST_BYTES + 1))
    choose(page, large)
    expect(page.get_by_role("alert")).to_contain_text("trop lourd\u00a0: 10\u00a0Mo au plus")
    assert sent == []
    large.write_bytes(b"%PDF-1.7".ljust(MOST_BYTES))
    choose(page, large)
    expect(messages(page)).to_have_count(4)
    assert rows.scalar(select(Attachment.size)) == MOST_BYTES


@pytest.mark.usefixtures("offered")
def test_a_file_without_a_draft_any_more(page: Page, rows: Session) -> None:
    rows.execute(delete(Draft))
    rows.commit()
    choose(page, QUOTE)
    expect(page.get_by_role("alert")).to_contain_text("reprenez d’abord une candidature")
    expect(page.get_by_role("button", name="Réessayer")).to_have_count(0)


@pytest.mark.usefixtures("offered")
def test_a_file_that_does_not_pass_is_sent_again_under_its_id(page: Page, rows: Session) -> None:
    sent = uploads(page)
    page.route("**/api/attachments?*", lambda route: route.abort(), times=1)
    choose(page, QUOTE)
    expect(page.get_by_role("alert")).to_contain_text(UNSENT)
    page.get_by_role("button", name="Réessayer").click()
    expect(messages(page)).to_have_count(4)
    expect(page.get_by_role("alert")).to_be_empty()
    assert len(sent) == 2 and sent[0] == sent[1]
    assert len(rows.scalars(select(Attachment)).all()) == 1


@pytest.mark.usefixtures("offered")
def test_a_file_for_a_conversation_that_is_gone(page: Page) -> None:
    gone = {"detail": "Elle n’existe plus.", "code": "no_conversation"}
    page.route("**/api/attachments?*", lambda route: route.fulfill(status=401, json=gone), times=1)
    choose(page, QUOTE)
    expect(panel(page)).to_contain_text("La conversation précédente n’existe plus")
    ask(page, "un")
    expect(messages(page)).to_have_count(2)


def test_a_file_by_the_keyboard(page: Page, offered: Locator) -> None:
    keyboard = page.keyboard
    # Playwright has to listen before a key is pressed, which is quicker than it.
    page.on("filechooser", lambda _: None)
    expect(box(page)).to_be_focused()
    for _ in range(4):
        keyboard.press("Shift+Tab")
        if offered.evaluate("one => one.matches(':focus-visible')"):
            break
    expect(offered).to_be_focused()
    # Nothing is sent for want of a choice.
    sent = uploads(page)
    with page.expect_event("filechooser"):
        keyboard.press("Enter")
    assert sent == []
    with page.expect_event("filechooser") as opening:
        keyboard.press("Space")
    opening.value.set_files(QUOTE)
    expect(messages(page)).to_have_count(4)
    # The button is gone: what follows is in reach from the exchanges.
    expect(page.get_by_role("log")).to_be_focused()


def test_files_on_a_narrow_screen(
    page: Page, filed: None, fake_rasa: FakeRasa, rows: Session
) -> None:
    page.set_viewport_size({"width": 320, "height": 560})
    offer(page, fake_rasa, rows)
    choose(page, FilePayload(name="d" * 96 + ".pdf", mimeType="", buffer=QUOTE["buffer"]))
    expect(messages(page)).to_have_count(4)
    ask(page, "Déposer")
    button = page.get_by_role("button", name=f"{CANDIDATURE.reference}.pdf")
    expect(button).to_be_visible()
    log = page.get_by_role("log")
    assert log.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    shape = button.bounding_box()
    assert shape and shape["height"] >= 40


def test_files_on_another_site_with_a_strict_policy(
    page: Page, site: str, filed: None, fake_rasa: FakeRasa, rows: Session
) -> None:
    town = site.replace("127.0.0.1", "localhost") + "/mairie"
    policy = f"default-src 'none'; script-src {site}; connect-src {site}"
    page.route(
        town,
        lambda route: route.fulfill(
            content_type="text/html",
            headers={"Content-Security-Policy": policy},
            body=f'<!doctype html><script src="{site}/widget.js" async></script><p>Mairie',
        ),
    )
    page.goto(town)
    offer(page, fake_rasa, rows)
    choose(page, QUOTE)
    expect(messages(page)).to_have_count(4)
    ask(page, "Déposer")
    with page.expect_download() as downloading:
        page.get_by_role("button", name=f"{CANDIDATURE.reference}.pdf").click()
    assert downloading.value.path().read_bytes() == DOCUMENT
