"""Reading foreign XML into a tree: no document type, hence no entities, and nothing fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn
from xml.etree.ElementTree import ParseError, TreeBuilder, XMLParser

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


class XmlError(ValueError):
    """It cannot be read; the message says what was found."""


class _Builder(TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        """Called before any entity is declared, in whatever encoding: https://docs.python.org/3/library/xml.etree.elementtree.html#treebuilder-objects."""
        del name, pubid, system
        raise XmlError("XML with a document type of its own")


def tree_of(body: bytes) -> Element:
    """The root of a document.

    Raises:
        XmlError: it is not well-formed, or declares a document type.
    """
    parser = XMLParser(target=_Builder())  # noqa: S314 - no document type, no entities
    try:
        parser.feed(body)
        root: Element = parser.close()
    except XmlError:
        raise
    except (ParseError, ValueError, LookupError) as error:
        raise XmlError(f"no XML ({str(error)[:80]})") from error
    return root
