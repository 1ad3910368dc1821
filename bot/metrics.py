"""What is counted, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.received = Counter(
            "passerelle_messages_in",
            "Messages received from people.",
            registry=self._registry,
        )
        self.sent = Counter(
            "passerelle_messages_out",
            "Messages to people.",
            registry=self._registry,
        )
        self.turns = Histogram(
            "passerelle_turn_seconds",
            "Time it took to answer a message, Rasa's mostly.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
            registry=self._registry,
        )
        self.faults = Counter(
            "passerelle_faults",
            "Messages that could not be answered, at each attempt.",
            ["reason"],
            registry=self._registry,
        )
        self.ratings = Counter(
            "passerelle_ratings",
            "What people think of answers, at each time they say it.",
            ["rating"],
            registry=self._registry,
        )
        self.delivered = Counter(
            "passerelle_telegram_deliveries",
            "Messages handed to Telegram, at each attempt.",
            ["result"],
            registry=self._registry,
        )
        self.due = Gauge(
            "passerelle_messages_due",
            "Messages that wait for their answer, of all processes.",
            registry=self._registry,
        )
        self.mails_due = Gauge(
            "passerelle_mails_due",
            "Mails that wait to be sent, of all processes.",
            registry=self._registry,
        )

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self._registry)
