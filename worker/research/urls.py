"""What a link is: which are accepted, how one is stored, and when two mean the same page.

Few and careful rules, for merging two different pages loses an article, while missing a pair only
stores one twice (and content may still find it). The stored form stays an address that works; the
bolder folding (scheme, www, mobile and AMP editions, trailing slash, order of parameters) happens in the
comparison key only.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urljoin, urlsplit

MAX_URL_CHARS = 4096

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Parameters that say where a reader came from. Never add names that sites use for content: id, p, q, source.
_TRACKING = re.compile(
    r"(?:utm|at|mtm|pk|hsa)_\w+|wt_z?mc(?:\.\w+)?|mc_[ce]id|_hs(?:enc|mi)|mkt_tok|igsh(?:id)?"
    r"|(?:fb|g|d|tw|yc|msc)cl(?:id|kid)|msclkid|yclid|gbraid|wbraid|ref_src",
    re.IGNORECASE,
)
# The two caches that put the page's own address into theirs.
_AMP_CACHE = re.compile(
    r"https?://(?:(?:www\.)?google\.[a-z.]{2,6}/amp|[a-z0-9-]+\.cdn\.ampproject\.org/[cv])/(s/)?(?=[^/]+\.[^/]+/)(.+)",
    re.IGNORECASE,
)
_EDITION = re.compile(r"^(?:www|m|mobile|amp)\.(?=[^.]+\.)|(?<=\.)m\.(?=[^.]+\.[a-z]+$)")
_AMP_PATH = re.compile(r"/amp/?$|\.amp(?=\.html?$|$)|^/amp(?=/.)", re.IGNORECASE)
_AMP_QUERY = frozenset({"amp", "amp=1", "amp=true", "outputtype=amp"})
_PLAIN = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/?-]*")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
# The URL standard drops these wherever they stand: https://url.spec.whatwg.org/#concept-basic-url-parser
_DROPPED = re.compile(r"[\t\n\r]")
_WHOLE = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\ud800-\udfff\\<>\"]")


def canonical_url(link: str, base: str | None = None) -> str | None:
    """The link as it is stored, or None where it is no usable http(s) address.

    Lower case in scheme and host only, the host in its ASCII form, no default port, no user name or
    password, no fragment but `#!`, no tracking parameters, escapes in one spelling.

    Args:
        link: as the feed gave it.
        base: what a relative link is relative to.
    """
    try:
        whole = absolute(_DROPPED.sub("", link.strip()), base or "")
        if cached := _AMP_CACHE.fullmatch(whole):
            whole = f"http{'s' if cached[1] else ''}://{cached[2]}"
        parts = urlsplit(whole)
        host, port = _ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not host:
        return None
    netloc = host if port in {None, _DEFAULT_PORTS[scheme]} else f"{host}:{port}"
    query = "&".join(pair for pair in parts.query.split("&") if pair and not _is_tracking(pair))
    fragment = parts.fragment if parts.fragment.startswith("!") else ""
    clean = SplitResult(scheme, netloc, _escapes(parts.path) or "/", _escapes(query), _escapes(fragment))
    url = clean.geturl()
    return None if len(url) > MAX_URL_CHARS or _FORBIDDEN.search(url) else url


def absolute(link: str, base: str) -> str:
    """The link as an address of its own; one that is whole already is not taken apart for it.

    Raises:
        ValueError: it is no address.
    """
    return link if _WHOLE.match(link) else urljoin(base, link)


def comparison_key(url: str) -> str:
    """What two canonical addresses of one page share; readable, but not an address."""
    parts = urlsplit(url)
    host = _EDITION.sub("", parts.netloc)
    pairs = sorted(pair for pair in parts.query.split("&") if pair.lower() not in _AMP_QUERY)
    query = "&".join(pairs)
    key = f"{host}{_AMP_PATH.sub('', parts.path).rstrip('/')}"
    return key + (f"?{query}" if query else "") + (f"#{parts.fragment}" if parts.fragment else "")


def host_of(url: str) -> str:
    """The host for people: without www and port."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _is_tracking(pair: str) -> bool:
    return _TRACKING.fullmatch(pair.partition("=")[0]) is not None


def _ascii_host(host: str) -> str:
    host = host.rstrip(".").lower()
    if ":" in host:  # urlsplit took the brackets of an IPv6 address away
        return f"[{host}]"
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - large tables, needed for few hosts

    return idna.encode(host, uts46=True).decode("ascii")


def _escapes(text: str) -> str:
    """Escapes as RFC 3986 section 6.2.2 spells them; spaces and letters beyond ASCII escaped."""
    if _PLAIN.fullmatch(text):
        return text

    def one(match: re.Match[str]) -> str:
        char = chr(int(match[1], 16))
        return char if re.fullmatch(r"[A-Za-z0-9._~-]", char) else f"%{match[1].upper()}"

    text = _PERCENT.sub(one, text)
    return "".join(char if 0x20 < ord(char) < 0x7F else _percent(char) for char in text)


def _percent(char: str) -> str:
    if char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff":
        return char  # left for the check that refuses it
    return "".join(f"%{byte:02X}" for byte in char.encode())
