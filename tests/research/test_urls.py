from __future__ import annotations

import pytest

from worker.research.urls import canonical_url, comparison_key


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("HTTPS://Example.COM/Path", "https://example.com/Path"),
        ("http://example.com:80/a", "http://example.com/a"),
        ("https://example.com:443", "https://example.com/"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://user:pw@example.com/a", "https://example.com/a"),
        ("https://example.com/a?utm_source=x&id=3&fbclid=y", "https://example.com/a?id=3"),
        ("https://example.com/a?wt_mc=rss.feed&wt_zmc=x", "https://example.com/a"),
        ("https://example.com/?p=12&source=home&q=utm_x", "https://example.com/?p=12&source=home&q=utm_x"),
        ("https://example.com/a?at_medium=x&at=1", "https://example.com/a?at=1"),
        ("https://example.com/a#top", "https://example.com/a"),
        ("https://example.com/a#!/page", "https://example.com/a#!/page"),
        ("https://example.com/%7euser/%c3%a4", "https://example.com/~user/%C3%A4"),
        ("https://example.com/straße?q=ä b", "https://example.com/stra%C3%9Fe?q=%C3%A4%20b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        (" https://example.com/a\n ", "https://example.com/a"),
        ("https://exam\tple.com/a", "https://example.com/a"),
        ("http://[2001:db8::1]:80/a", "http://[2001:db8::1]/a"),
        ("https://example.com./a", "https://example.com/a"),
        ("../b?x=1", "https://base.example/b?x=1"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("https://www.google.de/amp/s/example.com/a?utm_source=x", "https://example.com/a"),
        ("https://example-com.cdn.ampproject.org/v/example.com/a", "http://example.com/a"),
        ("https://www.google.com/amp/overview", "https://www.google.com/amp/overview"),
    ],
)
def test_the_stored_form(link, expected):
    assert canonical_url(link, "https://base.example/a/c") == expected
    assert canonical_url(expected) == expected, "a stored form stays as it is"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "tag:example.com,2026:1",
        "urn:uuid:1",
        "mailto:a@b",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://",
        "http://exa mple.com/",
        "http://[bad/",
        "http://a:99999/",
        "https://example.com/\ud800",
        "https://example.com/" + "a" * 5000,
    ],
)
def test_what_is_no_address(link):
    assert canonical_url(link) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://www.example.com/a/", "https://example.com/a"),
        ("https://example.com/a?b=1&a=2", "https://example.com/a?a=2&b=1"),
        ("https://example.com/a?utm_source=x", "https://example.com/a?utm_source=y&mc_cid=3"),
        ("https://example.com", "http://EXAMPLE.com/#x"),
        ("https://m.example.com/a", "https://www.example.com/a"),
        ("https://mobile.example.com/a", "https://example.com/a"),
        ("https://en.m.wikipedia.org/wiki/Rent", "https://en.wikipedia.org/wiki/Rent"),
        ("https://amp.example.com/a", "https://example.com/a"),
        ("https://example.com/a/amp/", "https://example.com/a"),
        ("https://example.com/amp/a", "https://example.com/a"),
        ("https://example.com/a.amp.html", "https://example.com/a.html"),
        ("https://example.com/a.amp", "https://example.com/a"),
        ("https://example.com/a?amp", "https://example.com/a"),
        ("https://example.com/a?id=3&outputType=amp", "https://example.com/a?id=3"),
        ("https://www.google.com/amp/s/www.example.com/a/amp/", "https://example.com/a"),
        (
            "https://www-example-com.cdn.ampproject.org/c/s/www.example.com/a?id=1",
            "https://example.com/a?id=1",
        ),
    ],
)
def test_two_spellings_of_one_page(one, other):
    assert comparison_key(canonical_url(one) or "") == comparison_key(canonical_url(other) or "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/?p=12", "https://example.com/?p=13"),
        ("https://example.com/A", "https://example.com/a"),
        ("https://example.com/a?id=1", "https://example.com/a"),
        ("https://m.example/a", "https://example/a"),
        ("https://amp-shop.example.com/a", "https://shop.example.com/a"),
        ("https://example.com/camp", "https://example.com/c"),
        ("https://example.com/amplitude", "https://example.com/litude"),
        ("https://example.com/a?amp=2", "https://example.com/a"),
        ("https://example.com/a?source=1", "https://example.com/a?source=2"),
        ("https://example.com/a#!/1", "https://example.com/a#!/2"),
        ("https://example.com:8080/a", "https://example.com/a"),
        ("https://example.com/a%2Fb", "https://example.com/a/b"),
        ("https://example.com/a.html", "https://example.com/a"),
    ],
)
def test_two_pages_stay_two(one, other):
    assert comparison_key(canonical_url(one) or "") != comparison_key(canonical_url(other) or "")
