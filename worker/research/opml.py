"""Lists of feeds as OPML, in and out: http://opml.org/spec2.opml."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from worker.foreign import STEERING
from worker.research.errors import OpmlError
from worker.research.sources import Source
from worker.research.text import clean
from worker.research.urls import canonical_url
from worker.research.xml import XmlError, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_DEPTH: Final = 50


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed in a list.

    Attributes:
        url: http or https.
        title: what the list calls it; empty where it does not.
        site: the page it belongs to, where the list says.
        folder: the folders it lies in, joined with a slash.
    """

    url: str
    title: str = ""
    site: str | None = None
    folder: str = ""


def read_opml(path: Path) -> tuple[Outline, ...]:
    """The feeds of a file, each address once, in its order; what is no feed is passed over.

    Raises:
        OpmlError: it cannot be read, or is no OPML; one sentence with the file.
    """
    try:
        root = tree_of(path.read_bytes())
    except OSError as error:
        raise OpmlError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except XmlError as error:
        raise OpmlError(f"{path}: expected OPML, found {error}") from error
    body = root.find("body")
    if root.tag.lower() != "opml" or body is None:
        raise OpmlError(f"{path}: expected OPML, found other XML")
    unique: dict[str, Outline] = {}
    for one in _outlines(body, "", 0):
        unique.setdefault(Source.at(one.url).key, one)
    return tuple(unique.values())


def _outlines(parent: Element, folder: str, depth: int) -> Iterator[Outline]:
    for element in parent.findall("outline"):
        # Programs disagree on the case of the names.
        given = {name.lower(): value for name, value in element.attrib.items()}
        title = clean(given.get("title") or given.get("text") or "", 200)
        url = (given.get("xmlurl") or "").strip()
        if url.startswith(("http://", "https://")) and canonical_url(url):
            yield Outline(url, title, given.get("htmlurl") or None, folder)
        if depth < MAX_DEPTH:
            yield from _outlines(
                element, f"{folder}/{title}".strip("/") if title and not url else folder, depth + 1
            )


def write_opml(path: Path | None, title: str, feeds: Iterable[Outline]) -> str:
    """The feeds as OPML: the whole file, or nothing of it.

    Args:
        path: where to; None: nowhere.
        title: of the list.
        feeds: what it holds.

    Returns:
        The document.

    Raises:
        OpmlError: the file cannot be written.
    """
    text = _document(title, feeds)
    if path is not None:
        _replace(path, text)
    return text


def _document(title: str, feeds: Iterable[Outline]) -> str:
    import io  # noqa: PLC0415

    root = Element("opml", version="2.0")
    SubElement(SubElement(root, "head"), "title").text = title
    body = SubElement(root, "body")
    folders: dict[str, Element] = {"": body}
    for feed in feeds:
        if feed.folder not in folders:
            folders[feed.folder] = SubElement(body, "outline", text=feed.folder, title=feed.folder)
        known = {"htmlUrl": feed.site} if feed.site else {}
        name = feed.title or Source.at(feed.url).name
        SubElement(
            folders[feed.folder],
            "outline",
            {"type": "rss", "text": name, "title": name, "xmlUrl": feed.url, **known},
        )
    indent(root)
    buffer = io.BytesIO()
    ElementTree(root).write(buffer, encoding="utf-8", xml_declaration=True)
    # Escaped, not taken out: the document may be looked at, and must still be what it was.
    return STEERING.sub(lambda found: f"&#{ord(found[0])};", buffer.getvalue().decode()) + "\n"


def _replace(path: Path, text: str) -> None:
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except OSError as error:
        raise OpmlError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from error
