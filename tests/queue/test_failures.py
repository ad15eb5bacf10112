"""Which failures have one cause: what differs from one to the next is left out, what tells two apart stays."""

from __future__ import annotations

import pytest

from worker.queue.failures import describe, fingerprint
from worker.research.errors import NothingCollectedError

ONE = (
    ("connect to 127.0.0.1:40123 failed", "connect to 127.0.0.1:51877 failed"),
    ("connect to [2a00:1450:4001:82f::200e]:443 failed", "connect to [2a00:1450:4001:810::200a]:443 failed"),
    ("asked again after Mon, 23 Nov 2026 08:00:00 GMT", "asked again after Thu, 3 Dec 2026 21:14:09 GMT"),
    ("took until 2026-11-23T08:00:00+00:00", "took until 2026-12-01 21:14:09.123"),
    ("request req_8f3a2bc1d was refused", "request req_0b7e55a2f was refused"),
    ("no file /tmp/tmpab12/x.db", "no file /tmp/tmpzz/deeper/y.db"),
    ("host doesn't know 'alpha'", "host doesn't know 'beta'"),
    ("<Lock object at 0x7f12ab34>", "<Lock object at 0x7f99cd01>"),
    ("https://a.example/feed?token=1 was refused", "https://a.example/other was refused"),
    ("task 019ab4c2-aaaa-7bbb-8ccc-000000000001 hangs", "task 019ab4c2-bbbb-7ccc-9ddd-000000000002 hangs"),
)
TWO = (
    ("connection refused", "name not resolved"),
    ("heise.example: certificate has expired", "haufe.example: certificate has expired"),
    ("expected a feed, found an HTML page", "expected a feed, found nothing"),
)


@pytest.mark.parametrize(("first", "second"), ONE)
def test_what_differs_from_one_failure_to_the_next_makes_no_cause(first, second):
    assert fingerprint("ValueError", first) == fingerprint("ValueError", second)


@pytest.mark.parametrize(("first", "second"), TWO)
def test_another_sentence_is_another_cause(first, second):
    assert fingerprint("ValueError", first) != fingerprint("ValueError", second)


def test_an_outage_of_which_each_source_tells_in_its_own_way_is_one_cause():
    def cause(market, **failed):
        return describe(NothingCollectedError(market, failed)).fingerprint

    refused, late = "connection refused", "no answer for 20 s"
    outage = cause("demo", a=refused, b=refused, c=late)
    assert cause("demo", a=late, b=refused, c=refused) == outage
    assert cause("demo", b=refused) == outage
    assert cause("demo", a=late, b=late, c=refused) != outage
    assert cause("other", a=refused, b=refused, c=late) != outage
