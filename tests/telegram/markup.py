"""Texts and keyboards as Telegram reads them: what it refuses, and in which words."""

import html
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

TEXT_LENGTH, CAPTION_LENGTH = 4096, 1024
_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
}
_REFERENCE = re.compile(r"&(?:#x[0-9a-fA-F]+|#[0-9]+|lt|gt|amp|quot)(?:;|(?![a-zA-Z]))")
_ATTRIBUTE = re.compile(
    r"""\s*([^\s=>/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9.-]*)(?=[\s>])))?\s*"""
)
_IN_TEXT = (
    ("bot_command", re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?!\w)")),
    ("url", re.compile(r"(?<!\w)(?:https?://|www\.)[^\s<>\"]+[^\s<>\".,;:!?)]")),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("mention", re.compile(r"(?<![\w@])@[A-Za-z0-9_]{3,32}(?!\w)")),
    ("hashtag", re.compile(r"(?<![\w#])#\w*[^\W\d]\w*")),
)


class Refusal(Exception):
    """An error in Telegram's own form."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


def bad(reason: str) -> Refusal:
    return Refusal(400, f"Bad Request: {reason}")


def units(text: str) -> int:
    """Length in UTF-16 code units, which Telegram counts entities in."""
    return len(text.encode("utf-16-le")) // 2


@dataclass
class _Open:
    tag: str
    argument: str
    offset: int


def parsed_html(source: str) -> tuple[str, list[Json]]:
    """Plain text and entities; any mistake in the tags is refused as a whole."""

    def unparsable(what: str) -> Refusal:
        return bad(f"can't parse entities: {what}")

    text, offset, at = "", 0, 0
    opened: list[_Open] = []
    entities: list[Json] = []
    while at < len(source):
        if reference := _REFERENCE.match(source, at):
            piece, at = html.unescape(reference[0].rstrip(";") + ";"), reference.end()
            text, offset = text + piece, offset + units(piece)
            continue
        if source[at] != "<":
            text, offset, at = text + source[at], offset + units(source[at]), at + 1
            continue
        place = f"at byte offset {len(source[:at].encode())}"
        if source.startswith("</", at):
            if not opened:
                raise unparsable(f"Unexpected end tag {place}")
            end = re.compile(r"([^\s>]*)\s*").match(source, at + 2)
            assert end is not None
            if not source.startswith(">", end.end()):
                raise unparsable(f"Unclosed end tag {place}")
            tag = opened.pop()
            if end[1] and end[1].lower() != tag.tag:
                raise unparsable(
                    f'Unmatched end tag {place}, expected "</{tag.tag}>", '
                    f'found "</{end[1].lower()}>"'
                )
            if offset > tag.offset:
                entities += _entity(tag, offset - tag.offset, text, entities)
            at = end.end() + 1
            continue
        name = re.compile(r"[^\s>]*").match(source, at + 1)
        assert name is not None
        if name.end() == len(source):
            raise unparsable(f"Unclosed start tag {place}")
        tag_name, at = name[0].lower(), name.end()
        if tag_name not in _TAGS:
            raise unparsable(f'Unsupported start tag "{tag_name}" {place}')
        argument = ""
        while source[at : at + 1] != ">":
            attribute = _ATTRIBUTE.match(source, at)
            if attribute is None:
                if not source[at:].strip() or ">" not in source[at:]:
                    raise unparsable(f"Unclosed start tag {place}")
                if source[at:].lstrip().startswith(">"):
                    at = source.index(">", at)
                    break
                raise unparsable(f'Empty attribute name in the tag "{tag_name}" {place}')
            at = attribute.end()
            if at >= len(source):
                raise unparsable(f"Unclosed start tag {place}")
            if source[at] == "=":
                if source[at + 1 :].lstrip()[:1] in {"", '"', "'"}:
                    raise unparsable(f"Unclosed start tag {place}")
                raise unparsable(f"Unexpected end of name token {place}")
            value = html.unescape(attribute[2] or attribute[3] or attribute[4] or "")
            match tag_name, attribute[1]:
                case "a", "href":
                    argument = value
                case "code", "class":
                    argument = value.removeprefix("language-")
                case "span", "class":
                    argument = value
                case "blockquote", "expandable":
                    argument = "expandable"
        if tag_name == "span" and argument != "tg-spoiler":
            raise unparsable(f'Tag "span" must have class "tg-spoiler" {place}')
        opened.append(_Open(tag_name, argument, offset))
        at += 1
    if opened:
        raise unparsable(f'Can\'t find end tag corresponding to start tag "{opened[-1].tag}"')
    return text, sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def _entity(tag: _Open, length: int, text: str, before: list[Json]) -> list[Json]:
    kind = _TAGS[tag.tag]
    found: Json = {"offset": tag.offset, "length": length, "type": kind}
    if kind == "text_link":
        inside = text.encode("utf-16-le")[tag.offset * 2 :].decode("utf-16-le")
        url = _link(tag.argument or inside)
        return [found | {"url": url}] if url else []  # a bad address: the text stays, no link
    if kind == "blockquote" and tag.argument:
        found["type"] = "expandable_blockquote"
    if kind == "code" and tag.argument:
        found["language"] = tag.argument
    same = [e for e in before if (e["offset"], e["length"]) == (tag.offset, length)]
    if kind == "pre" and same and same[-1]["type"] == "code":
        before.remove(same[-1])
        found |= {key: same[-1][key] for key in ("language",) if key in same[-1]}
    return [found]


def _link(url: str) -> str | None:
    """The address as Telegram writes it, or nothing if it takes it for none."""
    url = url.strip()
    if re.match(r"[a-z][a-z0-9+.-]*:", url, re.IGNORECASE) is None:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() == "tg":
        return url
    host = parts.hostname or ""
    if parts.scheme.lower() not in {"http", "https"} or " " in host or "." not in host.strip("."):
        return None
    return url if parts.path else f"{url}/"


def found_entities(text: str) -> list[Json]:
    """What Telegram marks by itself in a text: commands, addresses, mentions."""
    taken: list[tuple[int, int]] = []
    found = []
    for kind, pattern in _IN_TEXT:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            taken.append(match.span())
            offset = units(text[: match.start()])
            found.append({"offset": offset, "length": units(match[0]), "type": kind})
    return sorted(found, key=lambda entity: int(entity["offset"]))


def formatted(source: str, mode: str, entities: str, *, limit: int) -> tuple[str, list[Json]]:
    """A text or a caption as it will be shown, trimmed and within `limit` characters."""
    if len(source.encode()) > 1 << 15:
        raise bad("text is too long")
    if mode.lower() == "html":
        text, marks = parsed_html(source)
    elif mode.lower() in {"", "none"}:
        text, marks = source, loaded(entities, "can't parse entities JSON object") or []
        if not isinstance(marks, list):
            raise bad("can't parse entities JSON object")
    elif mode.lower() in {"markdown", "markdownv2"}:
        raise bad("unsupported parse_mode (this fake of Telegram reads HTML only)")
    else:
        raise bad("unsupported parse_mode")
    text = text.rstrip(" \n")
    size = units(text)
    marks = [m | {"length": min(m["length"], size - m["offset"])} for m in marks]
    marks = [m for m in marks if m["length"] > 0]
    bound = min((m["offset"] for m in marks), default=size)
    while text and text[0] in " \n" and bound > 0:
        text, bound = text[1:], bound - 1
        marks = [m | {"offset": m["offset"] - 1} for m in marks]
    if len(text) > limit:
        raise bad("message is too long" if limit == TEXT_LENGTH else "message caption is too long")
    covered = [(m["offset"], m["offset"] + m["length"]) for m in marks]
    marks += [
        m
        for m in found_entities(text)
        if not any(
            m["offset"] < end and start < m["offset"] + m["length"] for start, end in covered
        )
    ]
    return text, sorted(marks, key=lambda entity: (entity["offset"], -entity["length"]))


def loaded(source: str, refusal: str) -> Any:
    """A parameter written in JSON; nothing if it is not given."""
    if not source:
        return None
    try:
        return json.loads(source)
    except ValueError:
        raise bad(refusal) from None


def reply_markup(source: str, chat_type: str) -> Json | None:
    """A keyboard, checked; nothing where none is given, or an empty one."""
    markup = loaded(source, "can't parse reply keyboard markup JSON object")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    keys = _rows(markup, "keyboard", 'field "keyboard" must be an Array of Arrays')
    inline = _rows(
        markup,
        "inline_keyboard",
        'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
    )
    if any(keys):
        rows = [[_key(key, chat_type) for key in row] for row in keys if row]
        if sum(map(len, rows)) > 300:
            raise bad("reply markup is too long")
        return markup | {"keyboard": rows}
    if any(inline):
        rows = [[_inline_button(button) for button in row] for row in inline if row]
        if sum(map(len, rows)) > 100:
            raise bad("reply markup is too long")
        return {"inline_keyboard": rows}
    if markup.get("remove_keyboard"):
        return {"remove_keyboard": True}
    return {"force_reply": True} if markup.get("force_reply") else None


def _rows(markup: Json, field: str, refusal: str) -> list[list[Any]]:
    rows = markup.get(field) or []
    if not isinstance(rows, list) or any(not isinstance(row, list) for row in rows):
        raise bad(refusal)
    return rows


def _key(key: Any, chat_type: str) -> Json:
    if isinstance(key, str):
        key = {"text": key}
    if not isinstance(key, dict):
        raise bad("can't parse keyboard button: KeyboardButton must be a String or an Object")
    if not isinstance(key.get("text"), str):
        raise bad("can't parse keyboard button: Can't find field \"text\"")
    if not key["text"].strip():
        raise bad("keyboard button text must be non-empty")
    if key.get("request_contact") and chat_type != "private":
        raise bad("phone number can be requested in private chats only")
    if key.get("request_location") and chat_type != "private":
        raise bad("location can be requested in private chats only")
    return key


def _inline_button(button: Any) -> Json:
    cannot = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad(cannot + "InlineKeyboardButton must be an Object")
    if not isinstance(button.get("text"), str):
        raise bad(cannot + 'Can\'t find field "text"')
    if not button["text"].strip():
        raise bad("inline keyboard button text must be non-empty")
    if url := button.get("url"):
        if not isinstance(url, str):
            raise bad(cannot + 'Field "url" must be of type String')
        if _link(url) is None:
            raise bad(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
        return {"text": button["text"], "url": _link(url)}
    if data := button.get("callback_data"):
        if not isinstance(data, str):
            raise bad(cannot + 'Field "callback_data" must be of type String')
        if len(data.encode()) > 64:
            raise bad("BUTTON_DATA_INVALID")
        return {"text": button["text"], "callback_data": data}
    if button.keys() & {"switch_inline_query", "switch_inline_query_current_chat", "copy_text"}:
        return button
    raise bad(cannot + "Text buttons are unallowed in the inline keyboard")
