"""What people read while something takes its time.

Used by `install.py` too, so: standard library only, Python 3.6 or later.
"""

import shutil
import sys
import threading
import time
import unicodedata
from types import TracebackType
from typing import Optional, TextIO, Type

LINE_EVERY = 10
"""Seconds between two lines where the output is not a terminal."""


def say(text: str, stream: Optional[TextIO] = None, end: str = "\n") -> None:
    """Print `text` at once, without its accents where the output cannot have them."""
    out = stream or sys.stdout
    try:
        text.encode(out.encoding or "ascii")
    except UnicodeEncodeError:
        text = text.replace("’", "'").replace("« ", '"').replace(" »", '"')
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    out.write(text + end)
    out.flush()


class Progress:
    """Tells that `label` goes on, with its seconds: one live line, or a line now and then.

    Use it around the work. `detail` may change meanwhile.
    """

    def __init__(self, label: str, stream: Optional[TextIO] = None) -> None:
        self.label = label
        self.detail = ""
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)
        self._began = 0.0

    @property
    def seconds(self) -> int:
        """Whole seconds since the work began."""
        return int(time.monotonic() - self._began)

    def __enter__(self) -> "Progress":
        self._began = time.monotonic()
        if not self._live:
            say(self.label + "…", self._stream)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._over.set()
        self._thread.join()
        start = "\r\x1b[K" if self._live else ""
        if kind is None:
            say("{}{} : fait ({} s).".format(start, self.label, self.seconds), self._stream)
        elif start:
            say(start, self._stream, end="")

    def _tell(self) -> None:
        while not self._over.wait(1 if self._live else LINE_EVERY):
            line = "{}… {} s".format(self.label, self.seconds)
            if self.detail:
                line += " ({})".format(self.detail)
            if self._live:
                # A line that wraps could not be written over.
                line = line[: shutil.get_terminal_size().columns - 1]
                say("\r\x1b[K" + line, self._stream, end="")
            else:
                say(line, self._stream)
