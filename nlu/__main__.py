"""`nlu/.venv/bin/python -m nlu …`: Rasa's command line, started twice as fast.

skops, in which the classifiers are kept, looks each type of scikit-learn up in
every module imported so far: 2 s before TensorFlow and its thousands, 11 s after.
So it is imported first.

The REST channel writes to the log what a person said when a turn fails or its
client has gone: our client tells of it without the words.
"""

import logging
import warnings

if __name__ == "__main__":
    # Deprecations in Rasa's old libraries: nobody here can act on them.
    for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
        warnings.simplefilter("ignore", category)
    logging.getLogger("rasa.core.channels.rest").setLevel(logging.CRITICAL + 1)
    import skops.io  # noqa: F401
    from rasa.__main__ import main

    main()
