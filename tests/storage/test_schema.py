"""The migrations make what the models say, and can be undone."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, inspect, text

from storage.migrate import configuration, downgrade, migrating, upgrade
from storage.models import Base


def described(connection: Connection) -> dict[str, dict[str, object]]:
    """Everything the database knows of our tables, in an order of its own making."""
    inspector = inspect(connection)

    def lines(items: list[object]) -> list[str]:
        return sorted(repr(sorted(plain(item).items(), key=str)) for item in items)

    def plain(item: object) -> dict[str, object]:
        """An item without what is written differently each time: the conditions of indexes."""
        found: dict[str, Any] = dict(item)  # type: ignore[call-overload]
        options = found.get("dialect_options") or {}
        return {**found, "dialect_options": {name: str(one) for name, one in options.items()}}

    return {
        table: {
            "columns": {
                column["name"]: (repr(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            },
            "key": inspector.get_pk_constraint(table),
            "unique": lines(list(inspector.get_unique_constraints(table))),
            "checks": lines(list(inspector.get_check_constraints(table))),
            "foreign": lines(list(inspector.get_foreign_keys(table))),
            "indexes": lines(list(inspector.get_indexes(table))),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def rows(connection: Connection) -> list[list[dict[str, Any]]]:
    """Everything in our tables."""
    return [
        [
            dict(row)
            for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).mappings()
        ]
        for table in ("conversation", "message")
    ]


@pytest.fixture
def connection(empty_database_url: str) -> Iterator[Connection]:
    with migrating(empty_database_url) as connection:
        yield connection


def test_migrations_make_what_the_models_say(connection: Connection) -> None:
    Base.metadata.create_all(connection)
    wanted = described(connection)
    Base.metadata.drop_all(connection)
    command.upgrade(configuration(connection), "head")
    assert described(connection) == wanted
    command.check(configuration(connection))  # raises if autogenerate would add something


def test_migrations_can_be_undone_and_redone(empty_database_url: str) -> None:
    upgrade(empty_database_url)
    with migrating(empty_database_url) as connection:
        whole = described(connection)
    assert set(whole) == {
        "attachment",
        "chat",
        "conversation",
        "draft",
        "mail",
        "message",
        "reference_count",
        "telegram_bot",
        "telegram_update",
    }
    downgrade(empty_database_url, "base")
    with migrating(empty_database_url) as connection:
        assert described(connection) == {}
    upgrade(empty_database_url)
    upgrade(empty_database_url)  # nothing left to do
    with migrating(empty_database_url) as connection:
        assert described(connection) == whole


def test_ratings_come_and_go_without_touching_what_is_there(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0001")
    with migrating(empty_database_url) as connection:
        before = described(connection)
        connection.execute(
            text(
                "INSERT INTO conversation (id, channel, token_hash, created_at, last_seq) "
                "VALUES ('one', 'web', 'hash', '2026-03-01 12:00:00+00:00', 2)"
            )
        )
        add = text(
            "INSERT INTO message (id, conversation_id, seq, direction, author, text, outcome, "
            "state, attempts, created_at, in_reply_to) VALUES (:id, 'one', :seq, :direction, "
            ":author, 'Où ?', :outcome, 'done', 0, '2026-03-01 12:00:00+00:00', :in_reply_to)"
        )
        question = {"direction": "inbound", "author": "person", "outcome": None}
        answer = {"direction": "outbound", "author": "assistant", "outcome": '{"kind": "answer"}'}
        connection.execute(add, {"id": 11, "seq": 1, "in_reply_to": None, **question})
        connection.execute(add, {"id": 12, "seq": 2, "in_reply_to": 11, **answer})
        kept = rows(connection)
    assert [len(table) for table in kept] == [1, 2]

    upgrade(empty_database_url, "0002")
    with migrating(empty_database_url) as connection:
        conversations, messages = kept
        assert rows(connection) == [conversations, [{**row, "rating": None} for row in messages]]
        connection.execute(text("UPDATE message SET rating = 'down' WHERE seq = 2"))

    downgrade(empty_database_url, "0001")
    with migrating(empty_database_url) as connection:
        assert rows(connection) == kept
        assert described(connection) == before


def test_drafts_come_and_go_without_touching_what_is_there(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0002")
    with migrating(empty_database_url) as connection:
        before = described(connection)
        connection.execute(
            text(
                "INSERT INTO conversation (id, channel, token_hash, created_at, last_seq) "
                "VALUES ('one', 'web', 'hash', '2026-03-01 12:00:00+00:00', 2)"
            )
        )
        add = text(
            "INSERT INTO message (id, conversation_id, seq, direction, author, text, rating, "
            "state, attempts, created_at, in_reply_to) VALUES (:id, 'one', :seq, :direction, "
            ":author, 'Où ?', :rating, 'done', 0, '2026-03-01 12:00:00+00:00', :in_reply_to)"
        )
        question = {"direction": "inbound", "author": "person", "rating": None}
        answer = {"direction": "outbound", "author": "assistant", "rating": "down"}
        connection.execute(add, {"id": 11, "seq": 1, "in_reply_to": None, **question})
        connection.execute(add, {"id": 12, "seq": 2, "in_reply_to": 11, **answer})
        kept = rows(connection)
    assert [len(table) for table in kept] == [1, 2]

    added = {"attachment", "draft", "mail", "reference_count"}
    upgrade(empty_database_url, "0003")
    with migrating(empty_database_url) as connection:
        whole = described(connection)
        assert whole.keys() - before.keys() == added
        assert {table: whole[table] for table in before} == before
        assert rows(connection) == kept
        for statement in (
            "INSERT INTO reference_count (year, last) VALUES (2026, 1)",
            "INSERT INTO draft (id, conversation_id, questionnaire, status, open, state, title, "
            "applicant, siret, email, cost_cents, amount_cents, reference, consented_at, filed_at, "
            "filed, document, created_at, updated_at) VALUES (7, 'one', 'fonds', 'filed', false, "
            "'{}', 'Former', 'Saint-Flovier', '21370218600015', 'mairie@exemple.fr', 200, 100, "
            "'IDL-2026-0001', '2026-03-01 12:00:00+00:00', '2026-03-01 12:00:00+00:00', '{}', "
            "NULL, '2026-03-01 12:00:00+00:00', '2026-03-01 12:00:00+00:00')",
            "INSERT INTO draft (id, conversation_id, questionnaire, status, open, state, "
            "created_at, updated_at) VALUES (8, 'one', 'fonds', 'draft', true, '{}', "
            "'2026-03-01 12:00:00+00:00', '2026-03-01 12:00:00+00:00')",
            "INSERT INTO attachment (id, draft_id, name, media_type, size, sha256, content, "
            "created_at) VALUES (5, 7, 'devis.pdf', 'application/pdf', 1, '00', 'x', "
            "'2026-03-01 12:00:00+00:00')",
            "INSERT INTO mail (id, draft_id, state, attempts, next_attempt_at, created_at) VALUES "
            "(3, 7, 'due', 0, '2026-03-01 12:00:00+00:00', '2026-03-01 12:00:00+00:00')",
        ):
            connection.execute(text(statement))

    downgrade(empty_database_url, "0002")
    with migrating(empty_database_url) as connection:
        assert rows(connection) == kept
        assert described(connection) == before

    upgrade(empty_database_url, "0003")
    with migrating(empty_database_url) as connection:
        assert rows(connection) == kept
        assert described(connection) == whole
        for table in added:
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0


def test_chats_come_and_go_without_touching_what_is_there(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0003")
    now = "'2026-03-01 12:00:00+00:00'"
    with migrating(empty_database_url) as connection:
        before = described(connection)
        for statement in (
            "INSERT INTO conversation (id, channel, token_hash, created_at, last_seq) "
            f"VALUES ('one', 'telegram', NULL, {now}, 1)",
            "INSERT INTO message (id, conversation_id, seq, direction, author, text, state, "
            "attempts, next_attempt_at, created_at) VALUES (11, 'one', 1, 'inbound', 'person', "
            f"'Où ?', 'due', 0, {now}, {now})",
            "INSERT INTO draft (id, conversation_id, questionnaire, status, open, state, "
            f"created_at, updated_at) VALUES (7, 'one', 'fonds', 'draft', true, '{{}}', {now}, "
            f"{now})",
            "INSERT INTO attachment (id, draft_id, name, media_type, size, sha256, content, "
            f"created_at) VALUES (5, 7, 'devis.pdf', 'application/pdf', 1, '00', 'x', {now})",
        ):
            connection.execute(text(statement))
        kept = rows(connection)
        drafts = connection.execute(text("SELECT * FROM draft")).mappings().all()

    upgrade(empty_database_url, "0004")
    with migrating(empty_database_url) as connection:
        whole = described(connection)
        assert whole.keys() - before.keys() == {"chat", "telegram_bot", "telegram_update"}
        new = {"asks": None, "channel_number": None, "corrects": None}
        assert rows(connection) == [kept[0], [{**row, **new} for row in kept[1]]]
        for statement in (
            "UPDATE message SET channel_number = 8589934592, corrects = 1",
            "UPDATE draft SET before = '{}'",
            "INSERT INTO telegram_bot (id, username) VALUES (123, 'passerelle_bot')",
            f"INSERT INTO telegram_update (bot_id, update_id, taken_at) VALUES (123, 1, {now})",
            "INSERT INTO chat (bot_id, chat_id, conversation_id, parts_sent, in_flight, leaving, "
            f"created_at) VALUES (123, 5000000001, 'one', 0, false, false, {now})",
        ):
            connection.execute(text(statement))

    downgrade(empty_database_url, "0003")
    with migrating(empty_database_url) as connection:
        assert rows(connection) == kept
        assert connection.execute(text("SELECT * FROM draft")).mappings().all() == drafts
        assert connection.scalar(text("SELECT count(*) FROM attachment")) == 1
        assert described(connection) == before


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [empty_database_url] * 4))
    with migrating(empty_database_url) as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1


def test_a_migrated_file_is_written_ahead_of_even_one_that_comes_from_a_backup(
    migrated_file: Path, tmp_path: Path
) -> None:
    def mode(file: Path) -> object:
        with closing(sqlite3.connect(file)) as opened:
            return opened.execute("PRAGMA journal_mode").fetchone()[0]

    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(migrated_file)) as opened:
        opened.execute("VACUUM INTO ?", [str(backup)])
    assert (mode(migrated_file), mode(backup)) == ("wal", "delete")
    upgrade(f"sqlite+aiosqlite:///{backup}")
    assert mode(backup) == "wal"


def test_a_migration_waits_for_who_has_the_file(tmp_path: Path) -> None:
    file = tmp_path / "passerelle.db"
    with ThreadPoolExecutor(1) as pool, closing(sqlite3.connect(file)) as other:
        other.isolation_level = None
        other.execute("BEGIN EXCLUSIVE")
        migration = pool.submit(upgrade, f"sqlite+aiosqlite:///{file}")
        with pytest.raises(TimeoutError):
            migration.result(timeout=0.3)
        other.execute("ROLLBACK")
        migration.result(timeout=30)
        assert other.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_a_failed_migration_leaves_nothing(empty_database_url: str) -> None:
    with pytest.raises(RuntimeError), migrating(empty_database_url) as connection:
        command.upgrade(configuration(connection), "head")
        raise RuntimeError
    with migrating(empty_database_url) as connection:
        assert described(connection) == {}
