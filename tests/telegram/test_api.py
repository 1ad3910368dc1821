"""The fake of Telegram itself, with the real library as its client."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    KeyboardButton,
    LinkPreviewOptions,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    Update,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)
from telegram.ext import Application, CallbackQueryHandler, MessageHandler, filters
from telegram.request import HTTPXRequest

from tests.telegram.api import Telegram, listening
from tests.telegram.people import Channel, Group, Person
from tests.telegram.state import Limits

TOKEN = "123:ABC"
YES_NO = InlineKeyboardMarkup(
    [
        [InlineKeyboardButton("Oui", callback_data="oui")],
        [InlineKeyboardButton("Non", "http://a.fr")],
    ]
)


def client(telegram: Telegram, token: str = TOKEN, timeout: float = 5) -> Bot:
    def request() -> HTTPXRequest:
        return HTTPXRequest(
            connection_pool_size=8, read_timeout=timeout, httpx_kwargs={"trust_env": False}
        )

    return Bot(
        token,
        base_url=f"{telegram.url}/bot",
        base_file_url=f"{telegram.url}/file/bot",
        request=request(),
        get_updates_request=request(),
    )


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    async with Telegram(TOKEN) as telegram:
        yield telegram


@pytest.fixture
async def bot(telegram: Telegram) -> AsyncIterator[Bot]:
    async with client(telegram) as bot:
        yield bot


@pytest.fixture
def person(telegram: Telegram) -> Person:
    return Person(telegram, "Camille", "Martin", username="camille", started=True)


async def raw(
    telegram: Telegram, method: str, *, http: str = "POST", token: str = TOKEN, **options: Any
) -> tuple[int, dict[str, Any]]:
    url = f"{telegram.url}/bot{token}/{method}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(http, url, **options) as response,
    ):
        return response.status, await response.json()


class Hook:
    """A webhook: what it receives, and what it answers to each call, in turn."""

    def __init__(self) -> None:
        self.received: list[tuple[str | None, dict[str, Any]]] = []
        self.answers: list[web.Response] = []
        self.url = ""

    async def receive(self, request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        self.received.append((secret, await request.json()))
        return self.answers.pop(0) if self.answers else web.Response()

    @property
    def numbers(self) -> list[int]:
        return [update["update_id"] for _, update in self.received]


@asynccontextmanager
async def hooked() -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield hook
    await runner.cleanup()


async def until(done: Callable[[], bool], seconds: float = 3) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.01)


class TestTokensAndForms:
    async def test_a_wrong_token(self, telegram: Telegram) -> None:
        wrong = client(telegram, "123:ABD")
        with pytest.raises(InvalidToken):
            await wrong.initialize()
        await wrong.shutdown()
        assert await raw(telegram, "getMe", token="123:ABD") == (
            401,
            {"ok": False, "error_code": 401, "description": "Unauthorized"},
        )
        assert await raw(telegram, "getMe", token="malformed") == (
            404,
            {"ok": False, "error_code": 404, "description": "Not Found"},
        )

    async def test_an_unknown_method(self, telegram: Telegram) -> None:
        status, body = await raw(telegram, "sendTelegram")
        assert (status, body["description"]) == (404, "Not Found: method not found")

    async def test_who_the_bot_is(self, bot: Bot) -> None:
        me = await bot.get_me()
        assert (me.id, me.is_bot, me.username) == (123, True, "passerelle_test_bot")
        assert me.can_read_all_group_messages is False

    @pytest.mark.parametrize("form", ["json", "data", "params"])
    async def test_json_forms_and_addresses_say_the_same(
        self, telegram: Telegram, person: Person, form: str
    ) -> None:
        given: Any = {"chat_id": person.id, "text": "Bonjour", "unknown": "ignored"}
        http = "GET" if form == "params" else "POST"
        options: dict[str, Any] = {form: given}
        status, body = await raw(telegram, "SENDmessage", http=http, **options)
        assert (status, body["ok"]) == (200, True)
        assert person.said[0].text == "Bonjour"

    async def test_a_body_that_is_not_json(self, telegram: Telegram) -> None:
        headers = {"Content-Type": "application/json"}
        status, body = await raw(telegram, "getMe", data="{", headers=headers)
        assert (status, body["error_code"]) == (400, 400)

    @pytest.mark.parametrize(
        ("method", "given", "reason"),
        [
            ("sendMessage", {"text": "a"}, "chat_id is empty"),
            ("sendMessage", {"chat_id": 1}, "message text is empty"),
            ("sendDocument", {"chat_id": 1}, "there is no document in the request"),
            ("sendChatAction", {"chat_id": 1}, "wrong parameter action in request"),
            ("editMessageText", {"text": "a"}, "inline message identifier is not specified"),
            ("deleteMessage", {}, "chat identifier is not specified"),
            ("getFile", {}, "file_id not specified"),
            ("sendMessage", {"chat_id": "x", "text": "a"}, "chat not found"),
        ],
    )
    async def test_what_is_missing(
        self, telegram: Telegram, method: str, given: dict[str, Any], reason: str
    ) -> None:
        status, body = await raw(telegram, method, json=given)
        assert (status, body["description"]) == (400, f"Bad Request: {reason}")


class TestTexts:
    async def test_a_message_has_all_its_fields(self, bot: Bot, person: Person) -> None:
        first = await bot.send_message(person.id, "Bonjour")
        second = await bot.send_message(
            person.id,
            "Voir https://a.fr",
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            reply_parameters=ReplyParameters(first.message_id),
        )
        assert (first.message_id, second.message_id) == (1, 2)
        assert second.chat.first_name == "Camille" and second.chat.type == "private"
        assert second.from_user is not None and second.from_user.is_bot
        assert second.reply_to_message is not None and second.reply_to_message.text == "Bonjour"
        assert [entity.type for entity in second.entities] == ["url"]
        assert second.link_preview_options is not None
        assert second.link_preview_options.is_disabled

    async def test_html(self, bot: Bot, person: Person) -> None:
        message = await bot.send_message(
            person.id,
            '  😀 <b>gras <i>et</i></b> &amp; &lt;<a href="https://a.fr/b?c=1&amp;d=2">ici</a>'
            '<pre><code class="language-py">x</code></pre><blockquote expandable>q</blockquote> \n',
            parse_mode="HTML",
        )
        assert message.text == "😀 gras et & <icixq"
        found = {e.type: message.parse_entity(e) for e in message.entities}
        assert found == {
            "bold": "gras et",
            "italic": "et",
            "text_link": "ici",
            "pre": "x",
            "expandable_blockquote": "q",
        }
        urls = [e.url for e in message.entities if e.url]
        assert urls == ["https://a.fr/b?c=1&d=2"]
        assert [e.language for e in message.entities if e.type == "pre"] == ["py"]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
            ("a</b>", "Unexpected end tag at byte offset 1"),
            (
                "<b><i>a</b></i>",
                'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"',
            ),
            ("é<br>", 'Unsupported start tag "br" at byte offset 2'),
            ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
            ("<p>a</p>", 'Unsupported start tag "p" at byte offset 0'),
            ("a <3", "Unclosed start tag at byte offset 2"),
            ('<a href="b', "Unclosed start tag at byte offset 0"),
            ("<a href=http://b>a</a>", "Unexpected end of name token at byte offset 0"),
            ('<a "b">a</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
            ("<b>a</b", "Unclosed end tag at byte offset 4"),
            ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
            ("<b/>", 'Unsupported start tag "b/" at byte offset 0'),
        ],
    )
    async def test_html_that_is_refused(
        self, telegram: Telegram, bot: Bot, person: Person, text: str, reason: str
    ) -> None:
        with pytest.raises(BadRequest, match="Can't parse entities: "):
            await bot.send_message(person.id, text, parse_mode="HTML")
        # The library changes the case of what it is told.
        given = {"chat_id": person.id, "text": text, "parse_mode": "HTML"}
        _, body = await raw(telegram, "sendMessage", json=given)
        assert body["description"] == f"Bad Request: can't parse entities: {reason}"
        assert person.said == []

    async def test_lengths_are_counted_once_the_entities_are_read(
        self, bot: Bot, person: Person
    ) -> None:
        await bot.send_message(person.id, f"<b>{'😀' * 4094}&amp;</b>é", parse_mode="HTML")
        with pytest.raises(BadRequest, match="Message is too long"):
            await bot.send_message(person.id, "é" * 4097)
        with pytest.raises(BadRequest, match="Text must be non-empty"):
            await bot.send_message(person.id, "<b></b>", parse_mode="HTML")
        with pytest.raises(BadRequest, match="Text must be non-empty"):
            await bot.send_message(person.id, " \n ")
        with pytest.raises(BadRequest, match="Unsupported parse_mode"):
            await bot.send_message(person.id, "a", parse_mode="XML")

    async def test_a_reply_to_nothing(self, bot: Bot, person: Person) -> None:
        with pytest.raises(BadRequest, match="Message to be replied not found"):
            await bot.send_message(person.id, "a", reply_parameters=ReplyParameters(99))
        lenient = ReplyParameters(99, allow_sending_without_reply=True)
        sent = await bot.send_message(person.id, "a", reply_parameters=lenient)
        assert sent.reply_to_message is None


class TestKeyboards:
    async def test_inline_buttons_are_shown(self, bot: Bot, person: Person) -> None:
        sent = await bot.send_message(person.id, "Alors ?", reply_markup=YES_NO)
        assert sent.reply_markup is not None
        assert sent.reply_markup.inline_keyboard[0][0].callback_data == "oui"
        assert sent.reply_markup.inline_keyboard[1][0].url == "http://a.fr/"
        assert person.labels == ["Oui", "Non"]
        with pytest.raises(LookupError):
            person.tap("Non")
        with pytest.raises(LookupError):
            person.tap("Peut-être")

    @pytest.mark.parametrize(
        ("button", "reason"),
        [
            ({"text": "a", "callback_data": "é" * 33}, "BUTTON_DATA_INVALID"),
            (
                {"text": "a"},
                "can't parse inline keyboard button: "
                "Text buttons are unallowed in the inline keyboard",
            ),
            (
                {"text": "a", "callback_data": ""},
                "can't parse inline keyboard button: "
                "Text buttons are unallowed in the inline keyboard",
            ),
            ({"text": " ", "callback_data": "b"}, "inline keyboard button text must be non-empty"),
            (
                {"callback_data": "b"},
                "can't parse inline keyboard button: Can't find field \"text\"",
            ),
            (
                {"text": "a", "url": "localhost"},
                "inline keyboard button URL 'localhost' is invalid: Wrong HTTP URL",
            ),
        ],
    )
    async def test_inline_buttons_that_are_refused(
        self, telegram: Telegram, person: Person, button: dict[str, str], reason: str
    ) -> None:
        given = {"chat_id": person.id, "text": "a", "reply_markup": {"inline_keyboard": [[button]]}}
        status, body = await raw(telegram, "sendMessage", json=given)
        assert (status, body["description"]) == (400, f"Bad Request: {reason}")

    async def test_data_of_64_bytes_are_accepted(self, bot: Bot, person: Person) -> None:
        button = InlineKeyboardButton("a", callback_data="é" * 32)
        await bot.send_message(person.id, "a", reply_markup=InlineKeyboardMarkup([[button]]))

    async def test_too_many_buttons(self, bot: Bot, person: Person) -> None:
        buttons = [[InlineKeyboardButton(str(n), callback_data="x")] for n in range(101)]
        with pytest.raises(BadRequest, match="Reply markup is too long"):
            await bot.send_message(person.id, "a", reply_markup=InlineKeyboardMarkup(buttons))

    async def test_the_keyboard_stays_until_it_is_removed(self, bot: Bot, person: Person) -> None:
        keys = ReplyKeyboardMarkup([["Oui", KeyboardButton("Ma position", request_location=True)]])
        sent = await bot.send_message(person.id, "Alors ?", reply_markup=keys)
        assert sent.reply_markup is None, "a message does not show a reply keyboard"
        await bot.send_message(person.id, "Eh bien ?")
        assert person.labels == ["Oui", "Ma position"]
        assert person.tap("Oui") is None and person.tap("Ma position") is None
        said, place = await bot.get_updates()
        assert said.message is not None and said.message.text == "Oui"
        assert place.message is not None and place.message.location is not None
        await bot.send_message(person.id, "Merci", reply_markup=ReplyKeyboardRemove())
        assert person.labels == []

    async def test_a_number_is_asked_for_in_private_only(
        self, telegram: Telegram, bot: Bot, person: Person
    ) -> None:
        group = Group(telegram, "Mairie", person)
        group.add_bot()
        keys = ReplyKeyboardMarkup([[KeyboardButton("Mon numéro", request_contact=True)]])
        with pytest.raises(BadRequest, match="Phone number can be requested in private chats only"):
            await bot.send_message(group.id, "a", reply_markup=keys)
        with pytest.raises(BadRequest, match="Keyboard button text must be non-empty"):
            await bot.send_message(person.id, "a", reply_markup=ReplyKeyboardMarkup([[""]]))


class TestChanges:
    async def test_an_edit_replaces_text_and_buttons(self, bot: Bot, person: Person) -> None:
        sent = await bot.send_message(person.id, "Alors ?", reply_markup=YES_NO)
        edited = await bot.edit_message_text("Merci", person.id, sent.message_id)
        assert not isinstance(edited, bool)
        assert edited.text == "Merci" and edited.edit_date is not None
        assert edited.reply_markup is None, "an edit without a keyboard takes it away"
        assert person.said[0].versions[0]["text"] == "Alors ?"
        assert [event.kind for event in person.events] == ["sent", "edited"]

    async def test_what_cannot_be_edited(self, bot: Bot, person: Person) -> None:
        theirs = person.say("Bonjour")
        sent = await bot.send_message(person.id, "a", reply_markup=YES_NO)
        keys = await bot.send_message(person.id, "b", reply_markup=ReplyKeyboardMarkup([["c"]]))
        file = await bot.send_document(person.id, b"d", filename="d.txt")
        with pytest.raises(BadRequest, match="Message is not modified: specified new message"):
            await bot.edit_message_text("a", person.id, sent.message_id, reply_markup=YES_NO)
        with pytest.raises(BadRequest, match="Message is not modified"):
            await bot.edit_message_reply_markup(person.id, sent.message_id, reply_markup=YES_NO)
        await bot.edit_message_reply_markup(person.id, sent.message_id)
        with pytest.raises(BadRequest, match="Message is not modified"):
            await bot.edit_message_reply_markup(person.id, sent.message_id)
        with pytest.raises(BadRequest, match="Message to edit not found"):
            await bot.edit_message_text("b", person.id, 99)
        with pytest.raises(BadRequest, match="There is no text in the message to edit"):
            await bot.edit_message_text("b", person.id, file.message_id)
        for message_id in (theirs.id, keys.message_id):
            with pytest.raises(BadRequest, match="Message can't be edited"):
                await bot.edit_message_text("x", person.id, message_id)

    async def test_deleting(self, telegram: Telegram, bot: Bot, person: Person) -> None:
        sent = await bot.send_message(person.id, "a")
        old = await bot.send_message(person.id, "b")
        assert await bot.delete_message(person.id, sent.message_id)
        assert [message.text for message in person.said] == ["b"]
        with pytest.raises(BadRequest, match="Message to delete not found"):
            await bot.delete_message(person.id, sent.message_id)
        with pytest.raises(BadRequest, match="Message to edit not found"):
            await bot.edit_message_text("c", person.id, sent.message_id)
        telegram.advance(49 * 3600)
        with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
            await bot.delete_message(person.id, old.message_id)

    async def test_writing(self, bot: Bot, person: Person) -> None:
        assert await bot.send_chat_action(person.id, "typing")
        assert [event.kind for event in person.events] == ["typing"]
        with pytest.raises(BadRequest, match="Wrong parameter action in request"):
            await bot.send_chat_action(person.id, "thinking")


class TestTaps:
    async def test_a_tap_is_answered_once(self, bot: Bot, person: Person) -> None:
        await bot.send_message(person.id, "Alors ?", reply_markup=YES_NO)
        number = person.tap("Oui")
        (update,) = await bot.get_updates()
        query = update.callback_query
        assert query is not None and query.id == number and query.data == "oui"
        assert query.message is not None and query.message.chat.id == person.id
        assert await query.answer("Noté")
        assert person.toasts == ["Noté"]
        with pytest.raises(BadRequest, match="Query is too old and response timeout expired"):
            await query.answer()

    async def test_too_late_unknown_or_too_long(
        self, telegram: Telegram, bot: Bot, person: Person
    ) -> None:
        await bot.send_message(person.id, "Alors ?", reply_markup=YES_NO)
        first, second = person.tap("Oui"), person.tap("Oui")
        assert first is not None and second is not None and first != second
        with pytest.raises(BadRequest, match="Message_too_long"):  # as the library writes it
            await bot.answer_callback_query(second, "a" * 201)
        telegram.callback_life = 10
        telegram.advance(11)
        for number in (first, "999"):
            with pytest.raises(BadRequest, match="Query is too old"):
                await bot.answer_callback_query(number)

    async def test_a_tap_on_what_is_gone(self, bot: Bot, person: Person) -> None:
        sent = await bot.send_message(person.id, "Alors ?", reply_markup=YES_NO)
        shown = person.said[0]
        await bot.edit_message_text("Trop tard", person.id, sent.message_id)
        with pytest.raises(LookupError):
            person.tap("Oui")
        person.tap("Oui", message=shown)
        await bot.delete_message(person.id, sent.message_id)
        person.press(shown, {"text": "Oui", "callback_data": "forgé"})
        stale, gone = await bot.get_updates()
        assert stale.callback_query is not None and stale.callback_query.data == "oui"
        assert gone.callback_query is not None and gone.callback_query.message is not None
        assert not gone.callback_query.message.is_accessible


class TestFiles:
    async def test_a_document_keeps_its_name(self, bot: Bot, person: Person) -> None:
        sent = await bot.send_document(
            person.id,
            InputFile(b"%PDF-", filename="Candidature d’Élodie.pdf"),
            caption="<b>Voici</b>",
            parse_mode="HTML",
            reply_markup=YES_NO,
        )
        assert sent.document is not None and sent.document.file_name == "Candidature d’Élodie.pdf"
        assert sent.document.mime_type == "application/pdf" and sent.document.file_size == 5
        assert sent.caption == "Voici" and sent.caption_entities[0].type == "bold"
        kept = person.said[0].file
        assert kept is not None and kept.content == b"%PDF-"
        again = await bot.send_document(person.id, sent.document.file_id)
        assert again.document is not None
        assert again.document.file_unique_id == sent.document.file_unique_id

    async def test_documents_that_are_refused(self, bot: Bot, person: Person) -> None:
        await bot.send_document(person.id, b"a", caption="é" * 1024)
        with pytest.raises(BadRequest, match="Message caption is too long"):
            await bot.send_document(person.id, b"a", caption="é" * 1025)
        with pytest.raises(BadRequest, match="File must be non-empty"):
            await bot.send_document(person.id, InputFile(b"", filename="a.txt"))
        with pytest.raises(BadRequest, match="Wrong file identifier/http url specified"):
            await bot.send_document(person.id, "BQACunknown")
        with pytest.raises(NetworkError, match="Request Entity Too Large"):
            await bot.send_document(person.id, bytes(52 << 20))

    async def test_what_a_person_sends_can_be_read(
        self, telegram: Telegram, bot: Bot, person: Person
    ) -> None:
        person.document("budget.pdf", b"content", caption="Voici")
        (update,) = await bot.get_updates()
        assert update.message is not None and update.message.document is not None
        assert update.message.caption == "Voici"
        file = await update.message.document.get_file()
        assert file.file_path is not None and file.file_path.startswith(telegram.url)
        assert bytes(await file.download_as_bytearray()) == b"content"
        telegram.forget_paths()
        with pytest.raises(InvalidToken):  # what the library makes of any 404
            await file.download_as_bytearray()

    async def test_files_that_cannot_be_read(self, bot: Bot, person: Person) -> None:
        for size in (20 << 20, 25_000_000):
            person.document("film.mp4", size=size)
        fits, large = [u.message.document for u in await bot.get_updates() if u.message]
        assert fits is not None and large is not None and large.file_size == 25_000_000
        assert await fits.get_file()
        with pytest.raises(BadRequest, match="File is too big"):
            await large.get_file()
        with pytest.raises(BadRequest, match="Invalid file_id"):
            await bot.get_file("unknown")

    async def test_all_that_can_be_sent(self, bot: Bot, person: Person) -> None:
        person.photo(caption="Une photo")
        person.voice()
        person.video()
        person.sticker()
        person.location()
        person.contact()
        person.contact("+33611111111", name="Dominique")
        person.poll("Quand ?", "Lundi", "Mardi")
        kinds = ["photo", "voice", "video", "sticker", "location", "contact", "contact", "poll"]
        updates = await bot.get_updates()
        for update, kind in zip(updates, kinds, strict=True):
            assert update.message is not None and getattr(update.message, kind), kind
        own, other = [u.message.contact for u in updates if u.message and u.message.contact]
        assert (own.user_id, other.user_id) == (person.id, None)


class TestPolling:
    async def test_offsets_confirm(self, bot: Bot, person: Person) -> None:
        for text in ("a", "b", "c"):
            person.say(text)
        first = await bot.get_updates()
        numbers = [update.update_id for update in first]
        assert numbers == list(range(numbers[0], numbers[0] + 3))
        assert await bot.get_updates() == first, "nothing was confirmed"
        (second,) = await bot.get_updates(offset=numbers[1], limit=1)
        assert second.update_id == numbers[1]
        assert [u.update_id for u in await bot.get_updates()] == numbers[1:]
        (last,) = await bot.get_updates(offset=-1)
        assert last.update_id == numbers[2]
        assert await bot.get_updates(offset=numbers[2] + 1) == ()

    async def test_fields_that_are_always_there(self, bot: Bot, person: Person) -> None:
        person.start("mairie-37")
        (update,) = await bot.get_updates()
        message = update.message
        assert message is not None and message.text == "/start mairie-37"
        assert message.from_user is not None and message.from_user.language_code == "fr"
        assert message.from_user.id == message.chat.id and not message.from_user.is_bot
        (command,) = message.entities
        assert (command.type, command.offset, command.length) == ("bot_command", 0, 6)
        assert message.date.microsecond == 0

    async def test_it_waits(self, bot: Bot, person: Person) -> None:
        waiting = asyncio.create_task(bot.get_updates(timeout=5))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        person.say("enfin")
        (update,) = await waiting
        assert update.message is not None and update.message.text == "enfin"
        assert await bot.get_updates(offset=update.update_id + 1, timeout=0) == ()

    async def test_two_polls(self, telegram: Telegram, bot: Bot, person: Person) -> None:
        first = asyncio.create_task(bot.get_updates(timeout=5))
        await asyncio.sleep(0.1)
        async with client(telegram) as other:
            second = asyncio.create_task(other.get_updates(timeout=5))
            with pytest.raises(Conflict, match="terminated by other getUpdates request"):
                await first
            person.say("a")
            assert len(await second) == 1

    async def test_a_webhook_and_a_poll(self, bot: Bot) -> None:
        waiting = asyncio.create_task(bot.get_updates(timeout=5))
        await asyncio.sleep(0.1)
        await bot.set_webhook("http://127.0.0.1:9/")
        with pytest.raises(Conflict, match="terminated by setWebhook"):
            await waiting
        with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
            await bot.get_updates()
        await bot.delete_webhook()
        assert await bot.get_updates() == ()

    async def test_kinds_of_updates(self, telegram: Telegram, bot: Bot, person: Person) -> None:
        await bot.get_updates(allowed_updates=["callback_query"])
        person.say("a")
        assert await bot.get_updates() == (), "what was asked before holds"
        await bot.get_updates(allowed_updates=[])
        person.say("b")
        telegram.updates.add("chat_member", {})
        (update,) = await bot.get_updates()
        assert update.message is not None and update.message.text == "b"

    async def test_repeats_and_disorder(self, telegram: Telegram, bot: Bot, person: Person) -> None:
        person.say("a")
        (update,) = await bot.get_updates()
        telegram.updates.repeat()
        (again,) = await bot.get_updates(offset=update.update_id + 1)
        assert again.update_id == update.update_id
        assert await bot.get_updates(offset=update.update_id + 1) == ()
        person.say("b")
        person.say("c")
        telegram.updates.reorder(renumber=True)
        updates = await bot.get_updates()
        assert [u.message.text for u in updates if u.message] == ["c", "b"]
        assert updates[0].update_id < updates[1].update_id

    async def test_an_update_of_any_form(self, telegram: Telegram, bot: Bot) -> None:
        telegram.updates.raw({"news_of_2030": {"a": 1}})
        telegram.updates.raw({"update_id": 7, "message": {"message_id": 1, "date": 0}})
        _, body = await raw(telegram, "getUpdates")
        assert [sorted(update) for update in body["result"]] == [
            ["message", "update_id"],
            ["news_of_2030", "update_id"],
        ]

    async def test_a_long_text_comes_in_pieces(self, bot: Bot, person: Person) -> None:
        person.say("a" * 5000)
        sizes = [len(u.message.text or "") for u in await bot.get_updates() if u.message]
        assert sizes == [4096, 904]

    async def test_an_edit_of_a_person(self, bot: Bot, person: Person) -> None:
        person.edit(person.say("Tour"), "Tours")
        _, update = await bot.get_updates()
        assert update.edited_message is not None and update.edited_message.text == "Tours"
        assert update.edited_message.edit_date is not None


class TestWebhook:
    async def test_it_is_given_each_update_until_it_takes_it(
        self, bot: Bot, person: Person
    ) -> None:
        async with hooked() as hook:
            hook.answers = [web.Response(status=500), web.Response(status=302)]
            await bot.set_webhook(hook.url, secret_token="s3cret-_")
            person.say("a")
            person.say("b")
            await until(lambda: len(hook.received) == 4)
            assert {secret for secret, _ in hook.received} == {"s3cret-_"}
            texts = [update["message"]["text"] for _, update in hook.received]
            assert texts == ["a", "a", "a", "b"]
            info = await bot.get_webhook_info()
            assert (info.url, info.pending_update_count) == (hook.url, 0)
            assert info.last_error_message == "Wrong response from the webhook: 302 Found"
            await bot.delete_webhook()
        assert (await bot.get_webhook_info()).url == ""

    async def test_it_may_be_down_for_a_while(self, bot: Bot, person: Person) -> None:
        person.say("a")
        async with hooked() as hook:
            url = hook.url
        await bot.set_webhook(url)
        await asyncio.sleep(0.2)
        info = await bot.get_webhook_info()
        assert info.pending_update_count == 1 and "failed" in (info.last_error_message or "")

    async def test_order_repeats_and_what_is_dropped(
        self, telegram: Telegram, bot: Bot, person: Person
    ) -> None:
        person.say("old")
        async with hooked() as hook:
            with telegram.updates.held():
                await bot.set_webhook(hook.url, drop_pending_updates=True)
                person.say("a")
                person.say("b")
                telegram.updates.reorder()
            telegram.updates.repeat()
            await until(lambda: len(hook.received) == 3)
            first, second, third = hook.numbers
            assert first == second + 1 and third in {first, second}
            await bot.set_webhook(hook.url, allowed_updates=["callback_query"])
            person.say("c")
            await asyncio.sleep(0.1)
            assert len(hook.received) == 3
            await bot.delete_webhook()

    async def test_it_may_call_a_method_in_return(self, bot: Bot, person: Person) -> None:
        async with hooked() as hook:
            body = {"method": "sendMessage", "chat_id": person.id, "text": "Bonjour"}
            hook.answers = [web.json_response(body)]
            await bot.set_webhook(hook.url)
            person.say("a")
            assert (await person.hear()).text == "Bonjour"
            await bot.delete_webhook()

    async def test_what_is_refused(self, telegram: Telegram, bot: Bot) -> None:
        with pytest.raises(BadRequest, match="Invalid webhook url specified"):
            await bot.set_webhook("ftp://a.fr/")
        with pytest.raises(BadRequest, match="Secret token contains unallowed characters"):
            await bot.set_webhook("https://a.fr/", secret_token="é")
        with pytest.raises(BadRequest, match="Secret token is too long"):
            await bot.set_webhook("https://a.fr/", secret_token="a" * 257)
        telegram.https_only = True
        with pytest.raises(BadRequest, match="Bad webhook: an https url must be provided"):
            await bot.set_webhook("http://a.fr/")
        with pytest.raises(BadRequest, match="only on ports 80, 88, 443 or 8443"):
            await bot.set_webhook("https://a.fr:8080/")


class TestWhoMayBeWrittenTo:
    async def test_persons(self, telegram: Telegram, bot: Bot, person: Person) -> None:
        stranger = Person(telegram, "Dominique")
        for number in (stranger.id, 42, "@nobody", -1):
            with pytest.raises(BadRequest, match="Chat not found"):
                await bot.send_message(number, "a")
        stranger.start()
        assert await bot.send_message(stranger.id, "a")
        person.block()
        for attempt in (
            bot.send_message(person.id, "a"),
            bot.send_chat_action(person.id, "typing"),
        ):
            with pytest.raises(Forbidden, match="bot was blocked by the user"):
                await attempt
        person.unblock()
        assert await bot.send_message(person.id, "a")
        changes = [u.my_chat_member for u in await bot.get_updates() if u.my_chat_member]
        statuses = [(c.old_chat_member.status, c.new_chat_member.status) for c in changes]
        assert statuses == [("member", "kicked"), ("kicked", "member")]

    async def test_groups(self, telegram: Telegram, bot: Bot) -> None:
        person = Person(telegram, "Dominique")
        group = Group(telegram, "Mairie", person)
        with pytest.raises(Forbidden, match="bot is not a member of the supergroup chat"):
            await bot.send_message(group.id, "a")
        group.add_bot()
        with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
            await bot.send_message(person.id, "a")
        sent = await bot.send_message(group.id, "Bonjour")
        group.say("entre nous")
        group.say("/aide")
        group.say("/aide@another_bot")
        group.say("@passerelle_test_bot où ça ?")
        group.say("oui", reply_to=group.said[0])
        group.remove_bot()
        group.say("/aide")
        updates = await bot.get_updates()
        texts = [u.message.text for u in updates if u.message and u.message.text]
        assert texts == ["/aide", "@passerelle_test_bot où ça ?", "oui"], "the privacy mode"
        assert [u.my_chat_member is not None for u in updates] == [True, *[False] * 4, True]
        assert sent.chat.title == "Mairie" and sent.chat.type == "supergroup"
        with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
            await bot.send_message(group.id, "a")

    async def test_a_group_that_became_another(self, telegram: Telegram, bot: Bot) -> None:
        group = Group(telegram, "Mairie", Person(telegram), supergroup=False)
        group.add_bot()
        new = group.upgrade()
        with pytest.raises(ChatMigrated) as moved:
            await bot.send_message(group.id, "a")
        assert moved.value.new_chat_id == new.id
        assert await bot.send_message(new.id, "a")

    async def test_channels(self, telegram: Telegram, bot: Bot) -> None:
        channel = Channel(telegram, "Annonces", Person(telegram), username="annonces")
        with pytest.raises(Forbidden, match="bot is not a member of the channel chat"):
            await bot.send_message("@annonces", "a")
        channel.add_bot()
        assert (await bot.send_message("@annonces", "a")).chat.id == channel.id
        channel.say("Bonjour")
        update = (await bot.get_updates())[-1]
        assert update.channel_post is not None and update.channel_post.from_user is None
        await bot.leave_chat(channel.id)
        with pytest.raises(Forbidden):
            await bot.send_message(channel.id, "a")


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
class TestFaults:
    async def test_errors_on_demand(self, telegram: Telegram, bot: Bot, person: Person) -> None:
        telegram.fail("sendMessage", 2, code=429, retry_after=7)
        telegram.fail("sendMessage", code=500)
        telegram.fail("sendMessage", code=502)
        telegram.fail("sendMessage", cut=True)
        for _ in range(2):
            with pytest.raises(RetryAfter) as slow:
                await bot.send_message(person.id, "a")
            # Seconds today, a time delta in the library's next version.
            assert slow.value._retry_after.total_seconds() == 7
        for message in ("Internal Server Error", "Bad Gateway", "httpx"):
            with pytest.raises(NetworkError, match=message):
                await bot.send_message(person.id, "a")
        assert person.said == []
        assert await bot.send_message(person.id, "a")

    async def test_no_answer(self, telegram: Telegram, person: Person) -> None:
        async with client(telegram, timeout=0.2) as hasty:
            telegram.fail("sendMessage", hang=True)
            with pytest.raises(TimedOut):
                await hasty.send_message(person.id, "a")
            assert person.said == []
            telegram.fail("sendMessage", hang=True, done=True)
            with pytest.raises(TimedOut):
                await hasty.send_message(person.id, "a")
            assert len(person.said) == 1, "sent, though the bot cannot know"

    async def test_a_file_that_does_not_come(
        self, telegram: Telegram, bot: Bot, person: Person
    ) -> None:
        person.photo()
        (update,) = await bot.get_updates()
        assert update.message is not None
        file = await update.message.photo[-1].get_file()
        telegram.fail("download", code=502)
        with pytest.raises(NetworkError):
            await file.download_as_bytearray()
        assert await file.download_as_bytearray()

    async def test_too_fast_for_a_chat(self, telegram: Telegram, bot: Bot, person: Person) -> None:
        telegram.limits = Limits(chat_burst=3)
        for _ in range(3):
            await bot.send_message(person.id, "a")
        with pytest.raises(RetryAfter, match="Retry in 1 seconds"):
            await bot.send_message(person.id, "a")
        with pytest.raises(RetryAfter):
            await bot.edit_message_text("b", person.id, 1)
        assert await bot.send_message(Person(telegram, started=True).id, "a")
        await asyncio.sleep(1.05)
        assert await bot.send_message(person.id, "a")

    async def test_too_fast_in_all(self, telegram: Telegram) -> None:
        telegram.limits = Limits(rate=1, burst=5)
        persons = [Person(telegram, started=True) for _ in range(6)]
        statuses = [
            (await raw(telegram, "sendMessage", json={"chat_id": one.id, "text": "a"}))[0]
            for one in persons
        ]
        assert statuses == [200] * 5 + [429]
        _, body = await raw(telegram, "sendMessage", json={"chat_id": persons[5].id, "text": "a"})
        assert body == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 1",
            "parameters": {"retry_after": 1},
        }

    async def test_it_may_stop_and_come_back(
        self, telegram: Telegram, bot: Bot, person: Person
    ) -> None:
        await telegram.stop()
        with pytest.raises(NetworkError):
            await bot.send_message(person.id, "a")
        await telegram.start()
        assert await bot.send_message(person.id, "a")


class TestTheBotItself:
    async def test_its_commands_and_descriptions(self, telegram: Telegram, bot: Bot) -> None:
        scope = BotCommandScopeAllPrivateChats()
        commands = [BotCommand("aide", "Ce que je sais faire")]
        assert await bot.set_my_commands(commands, scope=scope, language_code="fr")
        assert await bot.get_my_commands(scope=scope, language_code="fr") == tuple(commands)
        assert await bot.get_my_commands() == ()
        await bot.set_my_description("Bonjour", language_code="fr")
        await bot.set_my_short_description("Bonjour")
        assert (await bot.get_my_description("fr")).description == "Bonjour"
        assert (await bot.get_my_short_description()).short_description == "Bonjour"
        assert telegram.calls[-1][0] == "getMyShortDescription"

    @pytest.mark.parametrize(
        ("command", "description", "reason"),
        [
            ("Aide", "a", "Bot_command_invalid"),
            ("à-propos", "a", "Bot_command_invalid"),
            ("a" * 33, "a", "Command length must not exceed 32"),
            ("aide", "", "Command description must be non-empty"),
            ("aide", "a" * 257, "Command description length must not exceed 256"),
        ],
    )
    async def test_commands_that_are_refused(
        self, bot: Bot, command: str, description: str, reason: str
    ) -> None:
        with pytest.raises(BadRequest, match=reason):
            await bot.set_my_commands([(command, description)])

    async def test_other_refusals(self, bot: Bot) -> None:
        with pytest.raises(BadRequest, match="Bot description is too long"):
            await bot.set_my_description("a" * 513)
        with pytest.raises(BadRequest, match="Bot short description is too long"):
            await bot.set_my_short_description("a" * 121)
        with pytest.raises(BadRequest, match="Invalid language code specified"):
            await bot.set_my_description("a", language_code="français")


def application(telegram: Telegram) -> "Application[Any, Any, Any, Any, Any, Any]":
    """A whole bot: it asks back, and edits on a tap."""
    built = Application.builder().bot(client(telegram)).build()

    async def ask(update: Update, _context: Any) -> None:
        assert update.message is not None
        await update.message.reply_text(f"{update.message.text} ?", reply_markup=YES_NO)

    async def take(update: Update, _context: Any) -> None:
        assert update.callback_query is not None
        await update.callback_query.answer("Noté")
        await update.callback_query.edit_message_text("Merci")

    built.add_handler(MessageHandler(filters.TEXT, ask))
    built.add_handler(CallbackQueryHandler(take))
    return built


async def test_a_whole_bot_by_polling(telegram: Telegram) -> None:
    person = Person(telegram)
    async with application(telegram) as app:
        assert app.updater is not None
        await app.updater.start_polling(poll_interval=0)
        await app.start()
        person.say("Un conseil")
        assert (await person.hear()).labels == ["Oui", "Non"]
        person.tap("Oui")
        assert [message.text for message in await person.hear_all()] == ["Merci"]
        assert person.toasts == ["Noté"]
        with pytest.raises(TimeoutError):
            await person.hear(0.05)
        await app.updater.stop()
        await app.stop()
    assert telegram.updates.pending == []


async def test_a_whole_bot_by_webhook(telegram: Telegram) -> None:
    person = Person(telegram)
    async with application(telegram) as app, hooked() as hook:
        await app.start()
        await app.bot.set_webhook(hook.url)
        person.say("Un conseil")
        await until(lambda: bool(hook.received))
        await app.update_queue.put(Update.de_json(hook.received[0][1], app.bot))
        assert (await person.hear()).text == "Un conseil ?"
        await app.bot.delete_webhook()
        await app.stop()


def test_it_may_listen_in_a_thread() -> None:
    with listening(Telegram(TOKEN)) as telegram:
        person = Person(telegram)

        async def converse() -> None:
            async with client(telegram) as bot:
                waiting = asyncio.create_task(bot.get_updates(timeout=5))
                await asyncio.sleep(0.1)
                await asyncio.to_thread(person.say, "Bonjour")
                assert len(await waiting) == 1
                await bot.send_message(person.id, "Bonjour")

        asyncio.run(converse())
        assert asyncio.run(person.hear()).text == "Bonjour"
        assert json.dumps(person.said[0].json)
