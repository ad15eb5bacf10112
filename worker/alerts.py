"""Telling alerts: through apprise (https://github.com/caronc/apprise), which knows some hundred services.

It is an extra (`pip install 'topic-console[alerts]'`). A service that does not answer costs nobody anything: alerts
are told on a thread of their own, tried again later and later, and given up at last.
"""

from __future__ import annotations

import logging
import platform
import threading
import time
from typing import TYPE_CHECKING

from worker.foreign import clean
from worker.queue.alerts import Alerts
from worker.queue.errors import QueueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.queue.alerts import Alert, Limits
    from worker.queue.storage import DurableStorage

LOOK_EVERY_S = 5.0
logger = logging.getLogger("worker.alerts")


class AlertError(Exception):
    """An alert cannot be told; the message is one sentence, without the address."""


def addresses(text: str) -> list[str]:
    """The addresses in `ALERT_URLS`."""
    return text.split()


def faults(urls: Sequence[str]) -> list[str]:
    """What is wrong with the addresses, one sentence each; none shows an address."""
    if not urls:
        return []
    try:
        from apprise import Apprise  # noqa: PLC0415 - an extra, and 200 ms
    except ImportError:
        return ["ALERT_URLS is set, but apprise is not installed: pip install 'topic-console[alerts]'"]
    _hush()
    return [
        f"ALERT_URLS: address {number} ({_scheme(url)}...) is none that apprise understands"
        for number, url in enumerate(urls, start=1)
        if not Apprise().add(url)
    ]


def _scheme(url: str) -> str:
    scheme, found, _ = url.partition("://")
    return f"{scheme}://" if found and scheme.isalnum() else "no scheme"


def _hush() -> None:
    # It logs addresses, and those are secrets.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


def send(urls: Sequence[str], title: str, body: str) -> None:
    """Tells all the addresses.

    Raises:
        AlertError: one of them did not take it.
    """
    try:
        from apprise import Apprise, NotifyFormat  # noqa: PLC0415 - an extra, and 200 ms
    except ImportError as error:
        raise AlertError("apprise is not installed: pip install 'topic-console[alerts]'") from error
    _hush()
    service = Apprise()
    known = [service.add(url) for url in urls]
    if not all(known):
        raise AlertError(faults(urls)[0])
    if not service.notify(title=title, body=body, body_format=NotifyFormat.TEXT):
        raise AlertError("a service did not take the alert")


def in_words(alerts: Sequence[Alert], place: str) -> tuple[str, str]:
    """Title and body of one message for some alerts."""
    lines = [clean(alert.text, 500) for alert in alerts]
    first = lines[0][:1].upper() + lines[0][1:]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    body = "\n".join(f"- {line}" for line in lines)
    return f"{place}: {first[:100]}{more}", f"{body}\n\n{place} on {platform.node()}"


class Watch:
    """Looks every few seconds, and tells what is new.

    Args:
        storage: of the queue.
        limits: what is too much.
        urls: where to tell it; nowhere, where there are none: the alerts are kept all the same.
        place: which installation this is.
    """

    def __init__(self, storage: DurableStorage, limits: Limits, urls: Sequence[str], place: str) -> None:
        self._alerts = Alerts(storage, limits)
        self._urls, self._place = tuple(urls), place
        self._next = 0.0
        self._telling: threading.Thread | None = None

    def __call__(self) -> None:
        """One look, where it is time for one; called each second."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_EVERY_S
        self._alerts.look()
        if self._urls and (self._telling is None or not self._telling.is_alive()):
            self._tell(self._alerts.unsent())

    def once(self) -> int:
        """Looks and tells now, and waits for it; returns how many alerts were told.

        Raises:
            AlertError: they could not be told.
            QueueError: a file cannot be used.
        """
        self._alerts.look(at_once=True)
        found = self._alerts.unsent() if self._urls else []
        if found:
            self._send(found)
        return len(found)

    def _tell(self, found: list[Alert]) -> None:
        if found:
            self._telling = threading.Thread(target=self._try, args=(found,), name="alerts", daemon=True)
            self._telling.start()

    def _try(self, found: list[Alert]) -> None:
        try:
            self._send(found)
        except AlertError as error:
            logger.warning("%d alerts are not told yet: %s", len(found), error)
        except QueueError as error:
            logger.warning("alerts were told, but that could not be noted: %s", error)
        except Exception:
            logger.exception("alerts are not told yet")

    def _send(self, found: list[Alert]) -> None:
        try:
            send(self._urls, *in_words(found, self._place))
        except Exception as error:
            self._alerts.told(found, str(error) if isinstance(error, AlertError) else type(error).__name__)
            raise
        self._alerts.told(found)
