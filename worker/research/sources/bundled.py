"""Feeds that ship beside a market's file, served over loopback HTTP while the market is collected.

They travel the same road as any other feed (connection, conditional GET, body limit, parser); only
their identity is not the passing port's but that of the outlet they stand for: the file
`demo/bautakt.xml` is the source `https://bautakt.example/demo/bautakt.xml`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from aiohttp import web

from worker.research.sources import Source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

# About what a feed on the net takes, so that a first look at the demo shows what a real run looks like.
ANSWER_AFTER_S: Final = 0.4

_TYPES: Final = {
    ".json": "application/feed+json",
    ".atom": "application/atom+xml",
    ".rdf": "application/rdf+xml",
}


@contextlib.asynccontextmanager
async def served(folder: Path, names: Iterable[str]) -> AsyncIterator[tuple[Source, ...]]:
    """Serves the named files of the folder, and nothing else, as long as the context lasts.

    A file that is missing, or leads out of the folder, is a source that answers 404.
    """
    wanted = {f"/{name}": name for name in names}
    if not wanted:
        yield ()
        return

    async def answer(request: web.Request) -> web.Response:
        name = wanted.get(request.path)
        await asyncio.sleep(ANSWER_AFTER_S)
        body = await asyncio.to_thread(_read, folder, name) if name else None
        if body is None:
            raise web.HTTPNotFound
        etag = hashlib.sha256(body).hexdigest()[:32]
        if any(known.value == etag for known in request.if_none_match or ()):
            return web.Response(status=304, headers={"ETag": f'"{etag}"'})
        kind = _TYPES.get(PurePosixPath(request.path).suffix, "application/xml")
        return web.Response(body=body, headers={"ETag": f'"{etag}"', "Content-Type": kind})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield tuple(
            Source.bundled_as(name, f"http://127.0.0.1:{port}/{quote(name)}") for name in wanted.values()
        )
    finally:
        await runner.cleanup()


def _read(folder: Path, name: str) -> bytes | None:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):  # a symbolic link can lead out of it
        return None
    try:
        return path.read_bytes()
    except OSError:
        return None
