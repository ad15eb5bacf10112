from __future__ import annotations

import pytest

from tests.queue.site import Site


@pytest.fixture
def site(home):
    made = Site(home)
    yield made
    made.close()
