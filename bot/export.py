"""What is kept of a conversation, given to the person it is of: a text to read, and JSON."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from candidature.draft import decoded
from candidature.filed import Filed
from candidature.wording import paragraphs, size_told, value_told
from knowledge import load
from knowledge.dialogue import load_wording
from knowledge.form import load_form
from knowledge.places import load_places
from knowledge.questionnaire import Question, load_questionnaires
from knowledge.typography import french
from storage.conversations import messages_after
from storage.database import Database
from storage.drafts import attachments_of
from storage.inbox import EXPORTED, UnknownConversation
from storage.models import Author, Channel, Conversation, Draft, Message, Rating, Status
from storage.times import PARIS, utc_now

SERVICE = "Passerelle, l'assistant numérique des petites communes et des aidants d'Indre-et-Loire"

_CHANNELS = {
    Channel.web: "sur le site",
    Channel.telegram: "sur Telegram",
    Channel.mail: "par courriel",
}
_AUTHORS = {Author.person: "vous", Author.assistant: "l'assistant", Author.agent: "la préfecture"}
_RATINGS = {Rating.up: "utile", Rating.down: "pas utile"}
_STATUSES = {
    Status.draft: "en cours",
    Status.complete: "complet, pas encore déposé",
    Status.filed: "déposé",
    Status.withdrawn: "retiré",
}
_RULE = "—" * 20
"""Between parts; short enough for a phone."""


@dataclass(frozen=True)
class Export:
    """All that is kept of a conversation, as data that JSON can hold."""

    data: dict[str, Any]

    @property
    def text(self) -> str:
        """The same as a text to read."""
        return _text(self.data)


async def export(
    database: Database,
    conversation_id: str,
    *,
    chat: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Export:
    """Return all that is kept of a conversation. Only reads.

    `chat` is what a channel keeps besides, each value under a name in French.

    Raises:
        UnknownConversation: there is none under this id.
    """
    async with database.read() as session:
        conversation = await session.get(Conversation, conversation_id)
        if conversation is None:
            raise UnknownConversation
        data = {
            "service": french(SERVICE),
            "made_at": _instant(clock()),
            "since": _instant(conversation.created_at),
            "channel": conversation.channel.value,
            "chat": dict(chat or {}),
            "messages": await _messages(session, conversation_id),
            "drafts": await _drafts(session, conversation_id),
        }
    return Export(data)


def file_of(export: Export, name: str) -> bytes | None:
    """Return one of the files to give, by its name. For thousands of messages it takes a while."""
    (to_read, _), (for_programs, _) = EXPORTED
    if name == to_read:
        # With a mark at its beginning: without it, phones take UTF-8 for something else.
        return export.text.encode("utf-8-sig")
    if name == for_programs:
        return (json.dumps(export.data, ensure_ascii=False, indent=2) + "\n").encode()
    return None


# The data


async def _messages(session: AsyncSession, conversation_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    while page := await messages_after(session, conversation_id, after):
        found += map(_message, page)
        after = page[-1].seq
    return found


def _message(message: Message) -> dict[str, Any]:
    told = {
        "seq": message.seq,
        "at": _instant(message.created_at),
        "author": message.author.value,
        # Empty: it was about nothing that we answer, and its words were not kept.
        "text": message.text,
        "buttons": [one["title"] for one in message.buttons or ()],
        "attachments": [one["name"] for one in message.attachments or ()],
    }
    if message.author is Author.assistant:
        told["rating"] = message.rating.value if message.rating else None
    return told


async def _drafts(session: AsyncSession, conversation_id: str) -> list[dict[str, Any]]:
    query = select(Draft).where(Draft.conversation_id == conversation_id).order_by(Draft.id)
    return [await _draft(session, one) for one in (await session.scalars(query)).all()]


async def _draft(session: AsyncSession, draft: Draft) -> dict[str, Any]:
    questionnaire = load_questionnaires().get(draft.questionnaire)
    about = questionnaire.title if questionnaire else draft.questionnaire
    return {
        "title": draft.title or about,
        "questionnaire": draft.questionnaire,
        "status": draft.status.value,
        "status_told": _STATUSES[draft.status],
        "created_at": _instant(draft.created_at),
        "updated_at": _instant(draft.updated_at),
        "reference": draft.reference,
        "consented_at": _instant(draft.consented_at),
        "filed_at": _instant(draft.filed_at),
        "answers": list(_answers(draft)),
        "files": [
            {
                "name": one.name,
                "media_type": one.media_type,
                "size": one.size,
                "at": _instant(one.created_at),
            }
            for one in await attachments_of(session, draft.id)
        ],
    }


def _answers(draft: Draft) -> Iterator[dict[str, Any]]:
    """Return the answers of a draft: as they were filed or, if they were not, as they are now."""
    if draft.filed is None:
        yield from _told(draft.questionnaire, *_kept(draft.state))
        return
    try:
        filed = Filed.model_validate(draft.filed)
    except ValidationError:  # of another version
        answers = _mapping(draft.filed.get("answers"))
        yield from _told(draft.questionnaire, answers, answers)
        return
    for part in filed.parts:
        for line in part.lines:
            yield _answer(line.id, line.label, filed.answers.get(line.id), line.value)


def _kept(state: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """Return the answers that a draft holds, and the names of the questions that had one."""
    # An answer that is being changed is still there, to come back if nothing replaces it.
    answers = {**_mapping(state.get("kept")), **_mapping(state.get("answers"))}
    given = state.get("given")
    names = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    return answers, names


def _told(
    questionnaire: str, answers: Mapping[str, Any], given: Iterable[str]
) -> Iterator[dict[str, Any]]:
    """Return answers as they are read, in the order of the questions; what is unknown, last."""
    questions = _questions(questionnaire)
    names = {*answers, *given}
    known = [name for name in questions if name in names]
    for name in (*known, *sorted(names - questions.keys())):
        question, value = questions.get(name), answers.get(name)
        label = question.label if question else name
        yield _answer(name, label, value, _value_told(question, value))


def _answer(name: str, label: str, value: object, told: str) -> dict[str, Any]:
    return {"id": name, "label": label, "value": value, "told": told}


def _questions(questionnaire: str) -> dict[str, Question]:
    form = load_form()
    found = load_questionnaires().get(questionnaire)
    questions = [*(found.questions if found else ())]
    if questionnaire == form.questionnaire:
        questions += form.questions
    return {one.id: one for one in questions}


def _value_told(question: Question | None, value: Any) -> str:
    """Return an answer as it is read or, if it cannot be, as it is kept."""
    if value is None:
        return french(load_wording().sentences["not_told"])
    if question is not None:
        try:
            return value_told(question, decoded(question, value), load_places())
        except (ValueError, ArithmeticError, TypeError):  # its question has changed since
            pass
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _instant(instant: datetime | None) -> str | None:
    """Return an instant in ISO 8601, as our API writes it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z") if instant else None


# The text


def _text(data: Mapping[str, Any]) -> str:
    messages, drafts = data["messages"], data["drafts"]
    parts = [
        _header(data),
        *_titled("Vos dossiers", map(_draft_told, drafts), "Aucun dossier."),
        *_titled("Vos messages et nos réponses", map(_message_told, messages), "Aucun message."),
    ]
    return paragraphs(*parts) + "\n"


def _header(data: Mapping[str, Any]) -> str:
    channel = _CHANNELS[Channel(data["channel"])]
    chat = [f"{french(f'{name} : ')}{value}" for name, value in data["chat"].items()]
    return paragraphs(
        french("Vos données : tout ce qui est gardé de votre conversation"),
        french(f"Service : {SERVICE}."),
        french(
            f"Ce fichier a été fait à votre demande le {_moment(data['made_at'])} (heure de Paris)."
        ),
        french(f"Conversation {channel}, commencée le {_moment(data['since'])}."),
        "\n".join(chat),
    )


def _titled(title: str, told: Iterable[str], nothing: str) -> Iterator[str]:
    yield f"{_RULE}\n{french(title).upper()}"
    yield paragraphs(*told) or french(nothing)


def _message_told(message: Mapping[str, Any]) -> str:
    author = _AUTHORS[Author(message["author"])]
    lines = [french(f"Le {_moment(message['at'])}, {author} :")]
    if message["text"] or not message["attachments"]:
        lines.append(message["text"] or french(load().sentences["forgotten"]))
    if message["buttons"]:
        lines.append(french(f"Choix proposés : {' | '.join(message['buttons'])}"))
    if message["attachments"]:
        lines.append(french(f"Fichiers joints : {', '.join(message['attachments'])}"))
    if rating := message.get("rating"):
        lines.append(french(f"Votre avis : {_RATINGS[Rating(rating)]}"))
    return "\n".join(lines)


def _draft_told(draft: Mapping[str, Any]) -> str:
    lines = [
        french(f"« {draft['title']} »"),
        french(f"État : {draft['status_told']}"),
        french(f"Commencé le {_moment(draft['created_at'])}"),
        french(f"Modifié le {_moment(draft['updated_at'])}"),
    ]
    if draft["reference"]:
        lines += [
            french(f"Référence : {draft['reference']}"),
            french(f"Déposé le {_moment(draft['filed_at'])}"),
            french(f"Votre accord : donné le {_moment(draft['consented_at'])}"),
        ]
    answers = [f"- {one['label']}{french(' : ')}{one['told']}" for one in draft["answers"]]
    files = [f"- {one['name']} ({size_told(one['size'])})" for one in draft["files"]]
    return paragraphs(
        "\n".join(lines),
        "\n".join([french("Vos réponses :"), *answers]) if answers else french("Aucune réponse."),
        "\n".join([french("Vos fichiers :"), *files]) if files else None,
    )


def _moment(instant: str) -> str:
    """Return an instant as it is read in Paris: « 28/11/2026 à 14:05 »."""
    return f"{datetime.fromisoformat(instant).astimezone(PARIS):%d/%m/%Y à %H:%M}"
