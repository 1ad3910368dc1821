"""Every setting of Passerelle: environment variables, each with a working default.

One class, read by all processes. A `.env` file at the root of the repository
is read if present; the environment wins over it.
"""

from functools import cached_property
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent


class Settings(BaseSettings):
    """The settings, prefixed by `PASSERELLE_` in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="PASSERELLE_", env_file=ROOT / ".env", env_file_encoding="utf-8", extra="ignore"
    )

    host: str = Field("127.0.0.1", description="Address the public port listens on")
    port: int = Field(8080, ge=1, le=65535, description="The public port")
    var: Path = Field(ROOT / "var", description="Data folder: databases, models, logs")
    database_url: str | None = Field(
        None, description="SQLAlchemy URL; default: SQLite in the data folder"
    )
    tracker_url: str | None = Field(
        None, description="SQLAlchemy URL of Rasa's trackers; default: SQLite in the data folder"
    )
    redis_url: SecretStr | None = Field(None, description="Rasa's lock store beyond one machine")
    rasa_url: str = Field("http://127.0.0.1:5005", description="Where Rasa listens (loopback)")
    actions_url: str = Field("http://127.0.0.1:5055", description="Where the action server listens")
    mail_from: str = Field("passerelle@localhost", description="Address that mails come from")
    prefecture_mail: str = Field(
        "pref-badl@indre-et-loire.gouv.fr", description="Mailbox of the préfecture's service"
    )

    telegram_token: SecretStr | None = Field(
        None, description="Token of the Telegram bot, from @BotFather; without it, no Telegram"
    )
    telegram_api: str = Field(
        "https://api.telegram.org", description="Base URL of Telegram's Bot API"
    )
    telegram_webhook_url: str | None = Field(
        None, description="Public https address where Telegram posts; without it, we poll"
    )
    retention_days: int = Field(
        365, ge=1, description="Days after its last message when a conversation is erased"
    )

    @cached_property
    def rasa_database_url(self) -> str:
        """Rasa's own database, as a plain SQLAlchemy URL."""
        return self.tracker_url or f"sqlite:///{self.var.resolve() / 'rasa.db'}"

    @cached_property
    def sqlalchemy_url(self) -> str:
        """The application's database, as an async SQLAlchemy URL."""
        url = self.database_url or f"sqlite:///{self.var.resolve() / 'passerelle.db'}"
        for plain, driver in (
            ("sqlite://", "sqlite+aiosqlite://"),
            ("postgresql://", "postgresql+psycopg://"),
            ("postgres://", "postgresql+psycopg://"),
        ):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url
