"""A bot that listens for real, in a thread: browsers and programs can talk to it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from bot.services import Services
from bot.web.app import create_app
from deploy.ports import LOOPBACK


@contextmanager
def listening(services: Services, port: int = 0) -> Iterator[str]:
    """Serve on a port of loopback, by default a free one; give the address."""
    with socket.create_server((LOOPBACK, port)) as door:
        config = uvicorn.Config(create_app(services), log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([door],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        try:
            yield f"http://{LOOPBACK}:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
