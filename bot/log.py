"""Logs: one line of JSON an event, on standard output; never what people write."""

import logging
import sys

import structlog
from structlog.processors import (
    ExceptionRenderer,
    JSONRenderer,
    TimeStamper,
    add_log_level,
)
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor


def configure_logs() -> None:
    """Send structlog's events and those of the libraries through one format."""
    shared: list[Processor] = [add_log_level, TimeStamper(fmt="iso", utc=True)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Without local variables: they hold what people write.
                ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
                JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # A line for each request to Rasa says nothing that the relay does not.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # It quotes what it cannot read, which people may have written; we tell of it ourselves.
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
    logging.getLogger("alembic").setLevel(logging.WARNING)
