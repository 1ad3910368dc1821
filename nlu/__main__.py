"""`nlu/.venv/bin/python -m nlu …`: Rasa's command line, started twice as fast.

skops, in which the classifiers are kept, looks each type of scikit-learn up in
every module imported so far: 2 s before TensorFlow and its thousands, 11 s after.
So it is imported first.
"""

import warnings

if __name__ == "__main__":
    # Deprecations in Rasa's old libraries: nobody here can act on them.
    for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
        warnings.simplefilter("ignore", category)
    import skops.io  # noqa: F401
    from rasa.__main__ import main

    main()
