"""supervisord, which stops when the process that started it is gone, however it went.

`python -m deploy.supervised -c FILE`: its standard input is a pipe from that
process, and nothing is ever written to it. Its end is that process's end.
"""

import os
import signal
import sys
import threading

from supervisor.supervisord import main


def _stop_at_end_of_input() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    os.umask(0o077)  # the data folder holds what people wrote: databases, logs
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    main(sys.argv[1:])
