"""`serve`: the console in a browser, on this machine only unless it is said otherwise."""

from __future__ import annotations

import ipaddress
import shlex
import sys
from typing import TYPE_CHECKING, Any

from console.commands.output import CommandError, Exit

if TYPE_CHECKING:
    from console.commands.output import Context


def serve(context: Context) -> Exit:
    """Serves the console until Ctrl+C; each tab of a browser is a console of its own.

    Raises:
        CommandError: the extra is not installed, or the address is another than this machine's own.
    """
    options = context.options
    if not is_loopback(options.host) and not options.expose:
        raise CommandError(
            f"{options.host} can be reached from other machines, and nobody is asked for a password: "
            "reach 127.0.0.1 by ssh -L, or say --expose",
            Exit.UNUSABLE,
        )
    try:
        import textual_serve.server  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise CommandError(
            "serving needs textual-serve: pip install 'topic-console[web]'", Exit.UNUSABLE
        ) from error
    if not options.read_only:
        context.home.prepare()
    print(
        f"topic-console: http://{_shown(options.host)}:{options.port} (Ctrl+C ends it)",
        file=sys.stderr,
        flush=True,
    )
    try:
        _server(context).serve()
    except OSError as error:
        raise CommandError(f"{options.host}:{options.port}: {error.strerror}", Exit.UNUSABLE) from error
    return Exit.DONE


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def command(context: Context) -> str:
    """What each tab of the browser runs; textual-serve gives it to a shell."""
    options = context.options
    flags = [
        flag for flag, given in (("--read-only", options.read_only), ("--ascii", options.ascii)) if given
    ]
    return shlex.join([
        sys.executable, "-m", "console.cli", "--home", str(context.home.root), "--config", str(context.config), *flags,
    ])  # fmt: skip


def _server(context: Context) -> Any:
    from aiohttp import web  # noqa: PLC0415 - an extra's
    from textual_serve.server import Server  # noqa: PLC0415

    options = context.options

    @web.middleware
    async def only_ours(request: Any, handler: Any) -> Any:
        """Refuses what another site's page sends here: textual-serve asks nobody who they are.

        A foreign Origin is a page elsewhere that opens our web socket; a foreign Host is a name that was made to
        point here (DNS rebinding).
        """
        host = request.headers.get("Host", "").rpartition(":")[0].strip("[]") or request.headers.get(
            "Host", ""
        )
        origin = request.headers.get("Origin")
        if not options.expose and not is_loopback(host):
            raise web.HTTPForbidden(text="This console is served to this machine only.")
        if origin is not None and origin.partition("://")[2] != request.headers.get("Host"):
            raise web.HTTPForbidden(text="This console takes nothing from other sites.")
        return await handler(request)

    class OurServer(Server):
        async def _make_app(self) -> Any:
            app = await super()._make_app()
            app.middlewares.append(only_ours)
            return app

    return OurServer(command(context), host=options.host, port=options.port, title="topic-console")
