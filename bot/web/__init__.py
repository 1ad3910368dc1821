"""The web: the API of the widget, the widget itself, and what those who run it look at."""
