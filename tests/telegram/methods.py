"""What the Bot API does, method by method, and what it refuses."""

import contextlib
import itertools
import json
import math
import mimetypes
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from tests.telegram import markup as markups
from tests.telegram.markup import CAPTION_LENGTH, TEXT_LENGTH, Json, Refusal, bad
from tests.telegram.state import TO_DOWNLOAD, TO_SEND, File, Message, Room, State
from tests.telegram.updates import Webhook

TWO_DAYS = 48 * 3600
_ACTIONS = (
    {"typing", "choose_sticker", "find_location"}
    | {
        f"{verb}_{what}"
        for verb, what in itertools.product(("upload", "record"), ("video", "voice", "video_note"))
    }
    | {"upload_photo", "upload_document"}
)
_SCOPES = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}
_CHAT_SCOPES = {"chat", "chat_administrators", "chat_member"}
_OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"
_SAME = (
    "message is not modified: specified new message content and reply markup "
    "are exactly the same as a current content and reply markup of the message"
)


class Args:
    """Parameters as Telegram reads them: texts, whatever they were written in."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.files: dict[str, web.FileField] = {}

    def put(self, name: str, value: object) -> None:
        if isinstance(value, web.FileField):
            self.files[name] = value
        elif isinstance(value, str):
            self.texts[name] = value
        elif isinstance(value, bytes | bytearray):
            self.texts[name] = value.decode(errors="replace")
        elif value is not None:
            self.texts[name] = json.dumps(value)

    def get(self, name: str) -> str:
        return self.texts.get(name, "")

    def number(self, name: str, default: int, low: int = -(1 << 31), high: int = 1 << 31) -> int:
        """A number, the default where there is none, brought within its bounds."""
        match = re.match(r"\s*-?\d+", self.get(name))
        return max(low, min(high, int(match[0]))) if match else default

    def true(self, name: str) -> bool:
        return self.get(name).strip().lower() in {"true", "yes", "1"}


class Methods(State):
    """The methods, for one bot."""

    async def call(self, method: str, args: Args) -> Any:
        """Do what a method says; its name's case does not matter."""
        if method.lower() not in METHODS:
            raise Refusal(404, "Not Found: method not found")
        return await METHODS[method.lower()](self, args)

    # Chats and messages

    def room(self, args: Args, *, write: bool = True) -> Room:
        """The chat that is meant, if the bot may write there."""
        name = args.get("chat_id")
        if not name:
            raise bad("chat_id is empty")
        if name.startswith("@"):
            public = [r for r in self.rooms.values() if r.names.get("username") == name[1:]]
            found = public[0] if public and public[0].kind != "private" else None
        else:
            found = self.rooms.get(int(name)) if re.fullmatch(r"-?\d+", name) else None
        if found is None or not found.seen:
            raise bad("chat not found")
        if found.migrated_to is not None:
            raise Refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=found.migrated_to,
            )
        if not write:
            return found
        if found.kind == "private":
            if found.bot == "kicked":
                raise Refusal(403, "Forbidden: bot was blocked by the user")
            if not found.started:
                raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
        elif found.bot == "kicked":
            raise Refusal(403, f"Forbidden: bot was kicked from the {found.kind} chat")
        elif found.bot == "left":
            raise Refusal(403, f"Forbidden: bot is not a member of the {found.kind} chat")
        elif found.kind == "channel" and found.bot != "administrator":
            raise bad("need administrator rights in the channel chat")
        return found

    def message(self, room: Room, args: Args, what: str) -> Message:
        if not args.get("message_id"):
            raise bad("message identifier is not specified")
        message = room.messages.get(args.number("message_id", 0))
        if message is None or message.deleted:
            raise bad(f"{what} not found")
        return message

    def _turn(self, room: Room) -> None:
        if wait := self.too_fast(room):
            raise too_many(math.ceil(wait))

    def _reply(self, room: Room, args: Args) -> Json:
        given = markups.loaded(
            args.get("reply_parameters"), "can't parse reply parameters JSON object"
        )
        if given is None:
            number = args.number("reply_to_message_id", 0)
            lenient = args.true("allow_sending_without_reply")
        elif not isinstance(given, dict):
            raise bad("object expected as reply parameters")
        elif "message_id" not in given:
            raise bad('can\'t find field "message_id"')
        else:
            number = int(given["message_id"])
            lenient = bool(given.get("allow_sending_without_reply"))
        if not number:
            return {}
        message = room.messages.get(number)
        if message is None or message.deleted:
            if lenient:
                return {}
            raise bad("message to be replied not found")
        shown = {key: value for key, value in message.json.items() if key != "reply_to_message"}
        return {"reply_to_message": shown}

    def _send(
        self, room: Room, args: Args, content: Json, keyboard: Json | None, file: File | None = None
    ) -> Json:
        reply = self._reply(room, args)
        self._turn(room)
        inline = keyboard is not None and "inline_keyboard" in keyboard
        shown = {"reply_markup": keyboard} if inline else {}
        message = room.post(reply | content | shown, self.bot, file=file)
        if keyboard is not None and not inline and room.kind != "channel":
            message.markup = keyboard
            room.keyboard = keyboard if "keyboard" in keyboard else None
        room.record("sent", message)
        return message.json

    async def _send_message(self, args: Args) -> Json:
        if not args.get("text"):
            raise bad("message text is empty")
        text = _text(args)
        preview = _preview(args)
        room = self.room(args)
        keyboard = markups.reply_markup(args.get("reply_markup"), room.kind)
        return self._send(room, args, text | preview, keyboard)

    async def _send_document(self, args: Args) -> Json:
        upload = args.files.get("document")
        named = args.get("document")
        if named.startswith("attach://"):
            upload = args.files.get(named.removeprefix("attach://"))
            named = ""
        if upload is None and not named:
            raise bad("there is no document in the request")
        caption, entities = markups.formatted(
            args.get("caption"),
            args.get("parse_mode"),
            args.get("caption_entities"),
            limit=CAPTION_LENGTH,
        )
        room = self.room(args)
        keyboard = markups.reply_markup(args.get("reply_markup"), room.kind)
        if upload is not None:
            content = upload.file.read()
            if not content:
                raise bad("file must be non-empty")
            if len(content) > TO_SEND:
                raise Refusal(413, "Request Entity Too Large")
            name = re.sub(r"[/\\\x00-\x1f]", "_", upload.filename or "file")
            kind = mimetypes.guess_type(name)[0] or upload.content_type
            file = self.keep(name, kind, "documents", content, len(content))
        elif re.match(r"https?://", named):
            raise bad("failed to get HTTP URL content")
        else:
            file = self.file(named)
        document: Json = {"document": as_document(file)}
        if caption:
            document["caption"] = caption
            if entities:
                document["caption_entities"] = entities
        return self._send(room, args, document, keyboard, file)

    async def _edit_text(self, args: Args) -> Json:
        if not args.get("text"):
            raise bad("message text is empty")
        text = _text(args) | _preview(args)
        room, message, shown = self._to_edit(args)
        if "text" not in message.json:
            raise bad("there is no text in the message to edit")
        return self._edit(room, message, text, shown)

    async def _edit_markup(self, args: Args) -> Json:
        room, message, shown = self._to_edit(args)
        kept = ("text", "entities", "link_preview_options", "caption", "caption_entities")
        content = {key: message.json[key] for key in kept if key in message.json}
        return self._edit(room, message, content, shown)

    def _to_edit(self, args: Args) -> tuple[Room, Message, Json]:
        if not args.get("chat_id") and not args.get("message_id"):
            raise bad("inline message identifier is not specified")
        room = self.room(args)
        message = self.message(room, args, "message to edit")
        keyboard = markups.reply_markup(args.get("reply_markup"), room.kind)
        # One sent with a reply keyboard cannot be changed either.
        if not message.by_bot or message.markup is not None:
            raise bad("message can't be edited")
        if keyboard is not None and "inline_keyboard" not in keyboard:
            raise bad("inline keyboard expected")
        return room, message, {} if keyboard is None else {"reply_markup": keyboard}

    def _edit(self, room: Room, message: Message, content: Json, shown: Json) -> Json:
        # Without a keyboard, the one that was there goes.
        changing = set(content) | {"entities", "link_preview_options", "reply_markup"}
        kept = {key: value for key, value in message.json.items() if key not in changing}
        new = kept | content | shown
        same = ("text", "entities", "caption", "reply_markup")
        if all(new.get(key) == message.json.get(key) for key in same):
            raise bad(_SAME)
        self._turn(room)
        message.versions.append(message.json)
        message.json = new | {"edit_date": self.now()}
        room.record("edited", message)
        return message.json

    async def _delete_message(self, args: Args) -> bool:
        if not args.get("chat_id"):
            raise bad("chat identifier is not specified")
        room = self.room(args)
        message = self.message(room, args, "message to delete")
        if self.now() - message.json["date"] > TWO_DAYS:
            raise bad("message can't be deleted for everyone")
        if not message.by_bot and room.kind != "private" and room.bot != "administrator":
            raise bad("message can't be deleted")
        message.deleted = True
        room.record("deleted", message)
        return True

    async def _chat_action(self, args: Args) -> bool:
        if args.get("action").lower() not in _ACTIONS:
            raise bad("wrong parameter action in request")
        self.room(args).record("typing", None, {"action": args.get("action")})
        return True

    async def _answer_callback(self, args: Args) -> bool:
        callback = self.callbacks.get(args.get("callback_query_id"))
        if (
            callback is None
            or callback.answer is not None
            or self.now() - callback.date > self.callback_life
        ):
            raise bad(_OLD_QUERY)
        if len(args.get("text")) > 200:
            raise bad("MESSAGE_TOO_LONG")
        if args.get("url"):
            raise bad("URL_INVALID")
        callback.answer = {"text": args.get("text"), "show_alert": args.true("show_alert")}
        self.rooms[callback.chat_id].record("answered", None, callback.answer)
        return True

    async def _get_file(self, args: Args) -> Json:
        if not args.get("file_id"):
            raise bad("file_id not specified")
        file = self.files.get(args.get("file_id"))
        if file is None:
            raise bad("invalid file_id")
        if file.size > TO_DOWNLOAD:
            raise bad("file is too big")
        self.paths[file.path] = file
        return _identity(file) | {"file_path": file.path}

    # Updates

    async def _get_updates(self, args: Args) -> list[Json]:
        if self.updates.webhook is None:
            self._allow(args)
        return await self.updates.poll(
            args.number("offset", 0),
            args.number("limit", 100, 1, 100),
            args.number("timeout", 0, 0, 50),
        )

    def _allow(self, args: Args) -> None:
        """Which kinds the bot wants: as before if it says nothing, an empty list for the usual."""
        with contextlib.suppress(ValueError):
            kinds = json.loads(args.get("allowed_updates") or "null")
            if isinstance(kinds, list):
                self.updates.allowed = [str(kind) for kind in kinds] or None

    async def _set_webhook(self, args: Args) -> bool:
        drop, url = args.true("drop_pending_updates"), args.get("url")
        if not url:
            await self.updates.set_webhook(None, drop=drop)
            return True
        parts = urlsplit(url if "://" in url else f"https://{url}")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise bad("invalid webhook URL specified")
        secret = args.get("secret_token")
        if len(secret) > 256:
            raise bad("secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
            raise bad("secret token contains unallowed characters")
        if self.https_only:
            if parts.scheme != "https":
                raise bad("bad webhook: An HTTPS URL must be provided for webhook")
            if parts.port not in {None, 80, 88, 443, 8443}:
                raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
        self._allow(args)
        webhook = Webhook(parts.geturl(), secret, args.number("max_connections", 40, 1, 100))
        await self.updates.set_webhook(webhook, drop=drop)
        return True

    async def _delete_webhook(self, args: Args) -> bool:
        await self.updates.set_webhook(None, drop=args.true("drop_pending_updates"))
        return True

    async def _webhook_info(self, _args: Args) -> Json:
        webhook, allowed = self.updates.webhook, self.updates.allowed
        info: Json = {
            "url": webhook.url if webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.updates.pending),
        }
        if webhook:
            info |= {"max_connections": webhook.max_connections, "ip_address": "127.0.0.1"}
            if webhook.last_error:
                info["last_error_date"], info["last_error_message"] = webhook.last_error
        return info | ({"allowed_updates": allowed} if allowed else {})

    # The bot itself

    async def _get_me(self, _args: Args) -> Json:
        return self.bot | {
            "can_join_groups": True,
            "can_read_all_group_messages": not self.privacy,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def _scope(self, args: Args) -> tuple[str, str]:
        scope = markups.loaded(args.get("scope"), "can't parse BotCommandScope JSON object")
        if scope is None:
            scope = {"type": "default"}
        if not isinstance(scope, dict):
            raise bad("can't parse BotCommandScope: BotCommandScope must be an Object")
        if scope.get("type") not in _SCOPES | _CHAT_SCOPES:
            raise bad("can't parse BotCommandScope: Unsupported type specified")
        if scope["type"] in _CHAT_SCOPES and not scope.get("chat_id"):
            raise bad("can't parse BotCommandScope: Empty chat_id specified")
        return ":".join(str(value) for value in scope.values()), _language(args)

    async def _set_commands(self, args: Args) -> bool:
        key = self._scope(args)
        given = markups.loaded(args.get("commands"), "can't parse commands JSON object") or []
        if not isinstance(given, list):
            raise bad("expected an Array of BotCommand")
        commands = [_command(command) for command in given]
        if len(commands) > 100:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        self.commands[key] = commands
        return True

    async def _get_commands(self, args: Args) -> list[Json]:
        return self.commands.get(self._scope(args), [])

    async def _delete_commands(self, args: Args) -> bool:
        self.commands.pop(self._scope(args), None)
        return True

    def _describe(self, args: Args, kind: str, limit: int) -> bool:
        if len(args.get(kind)) > limit:
            raise bad(f"bot {kind.replace('_', ' ')} is too long")
        self.descriptions[kind, _language(args)] = args.get(kind)
        return True

    async def _set_description(self, args: Args) -> bool:
        return self._describe(args, "description", 512)

    async def _set_short_description(self, args: Args) -> bool:
        return self._describe(args, "short_description", 120)

    async def _get_description(self, args: Args) -> Json:
        return {"description": self.descriptions.get(("description", _language(args)), "")}

    async def _get_short_description(self, args: Args) -> Json:
        key = ("short_description", _language(args))
        return {"short_description": self.descriptions.get(key, "")}

    async def _leave_chat(self, args: Args) -> bool:
        room = self.room(args)
        if room.kind == "private":
            raise bad("chat member status can't be changed in private chats")
        room.bot = "left"
        return True


Method = Callable[[Methods, Args], Awaitable[Any]]
_TABLE: dict[str, Method] = {
    "getMe": Methods._get_me,
    "getUpdates": Methods._get_updates,
    "setWebhook": Methods._set_webhook,
    "deleteWebhook": Methods._delete_webhook,
    "getWebhookInfo": Methods._webhook_info,
    "sendMessage": Methods._send_message,
    "sendDocument": Methods._send_document,
    "sendChatAction": Methods._chat_action,
    "editMessageText": Methods._edit_text,
    "editMessageReplyMarkup": Methods._edit_markup,
    "deleteMessage": Methods._delete_message,
    "answerCallbackQuery": Methods._answer_callback,
    "getFile": Methods._get_file,
    "setMyCommands": Methods._set_commands,
    "getMyCommands": Methods._get_commands,
    "deleteMyCommands": Methods._delete_commands,
    "setMyDescription": Methods._set_description,
    "getMyDescription": Methods._get_description,
    "setMyShortDescription": Methods._set_short_description,
    "getMyShortDescription": Methods._get_short_description,
    "leaveChat": Methods._leave_chat,
}
METHODS = {name.lower(): method for name, method in _TABLE.items()}


def too_many(seconds: int) -> Refusal:
    return Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def _text(args: Args) -> Json:
    text, entities = markups.formatted(
        args.get("text"), args.get("parse_mode"), args.get("entities"), limit=TEXT_LENGTH
    )
    if not text.strip():
        raise bad("text must be non-empty")
    return {"text": text} | ({"entities": entities} if entities else {})


def _preview(args: Args) -> Json:
    given = markups.loaded(
        args.get("link_preview_options"), "can't parse link preview options JSON object"
    )
    if given is None:
        given = {"is_disabled": True} if args.true("disable_web_page_preview") else {}
    if not isinstance(given, dict):
        raise bad("object expected as link preview options")
    return {"link_preview_options": given} if given else {}


def _language(args: Args) -> str:
    code = args.get("language_code")
    if not re.fullmatch(r"([a-z]{2})?", code):
        raise bad("invalid language code specified")
    return code


def _command(given: Any) -> Json:
    cannot = "can't parse BotCommand: "
    if not isinstance(given, dict):
        raise bad(cannot + "expected an Object")
    for field in ("command", "description"):
        if not isinstance(given.get(field), str):
            raise bad(f'{cannot}Can\'t find field "{field}"')
    command = given["command"].strip().removeprefix("/")
    description = given["description"].strip()
    if not command:
        raise bad("command must be non-empty")
    if len(command) > 32:
        raise bad("command length must not exceed 32")
    if not description:
        raise bad("command description must be non-empty")
    if len(description) > 256:
        raise bad("command description length must not exceed 256")
    if not re.fullmatch(r"[a-z0-9_]+", command):
        raise bad("BOT_COMMAND_INVALID")
    return {"command": command, "description": description}


def _identity(file: File) -> Json:
    return {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size}


def as_document(file: File) -> Json:
    return {"file_name": file.name, "mime_type": file.mime_type} | _identity(file)
