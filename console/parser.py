"""The command line: every command, its options, and the function that carries it out."""

from __future__ import annotations

import argparse
from functools import cache
from typing import TYPE_CHECKING

from console.commands import Subject
from console.usage import Parser, Version
from console.values import amount, port, positive, row, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from console.commands.output import Context, Exit

# Neither the console nor `--help` carries out a command, so none is loaded for them.
doctor, export, failures, history = (
    Subject("doctor"),
    Subject("export"),
    Subject("failures"),
    Subject("history"),
)
logs, queue, schedules, serve = Subject("logs"), Subject("queue"), Subject("schedules"), Subject("serve")
sources, start, status, topics = Subject("sources"), Subject("start"), Subject("status"), Subject("topics")
workers, completion = Subject("workers"), Subject("completion")
journal_commands, search_command = Subject("journal"), Subject("search")

PERIODS = ("1h", "24h", "7d")
SHELLS = ("bash", "zsh", "fish")
LISTS = ("queue", "failures", "causes", "schedules", "runs", "sources", "topics", "documents", "journal")
LEVELS = ("debug", "info", "warning", "error")

_ARGS = 'a list, an object of named arguments, or {"args": [...], "kwargs": {...}}'


if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Parser]  # noqa: SLF001 - it has no public name


def build(themes: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of `topic-console`.

    Args:
        themes: names for `--theme`.
    """
    parser = Parser(
        prog="topic-console",
        description="The console of topic-worker's queue. Without a command it opens on the terminal.",
        epilog="Exit codes: 0 done, 1 needs attention or refused, 2 bad usage or an unusable file.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="say which version this is, and exit")
    parser.set_defaults(run=None, json=False, yes=False, of_home=True)
    _everywhere(parser, home=None, config=None, read_only=False, ascii=False)
    parser.add_argument("--worker", action="store_true", help="also run a worker that stops with the console")
    parser.add_argument("--theme", choices=themes, help="colours")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    _leaf(commands, "status", status.status, "say whether all is well")
    examined = _leaf(
        commands, "doctor", doctor.doctor, "look for what is wrong with this installation", destroys=True
    )
    examined.add_argument("--fix", action="store_true", help="mend what can be mended; asks for each")
    _starting(commands)
    _workers(_group(commands, "workers", "who takes tasks"))
    _queue(_group(commands, "queue", "what runs, is ready, is scheduled"))
    _failures(_group(commands, "failures", "dead letters"))
    _schedules(_group(commands, "schedules", "periodic tasks"))
    _sources(_group(commands, "sources", "how each source of each market is doing"))
    _history(commands)
    _topics(commands)
    _logs(commands)
    _exporting(commands)
    _for_the_user(commands)
    return parser


def _everywhere(parser: argparse.ArgumentParser, **defaults: object) -> None:
    """Options that may stand before the command or after it."""

    def given(name: str) -> object:
        return defaults.get(name, argparse.SUPPRESS)

    parser.add_argument("--home", default=given("home"), metavar="DIR", help="the data folder (TOPIC_HOME)")
    parser.add_argument(
        "--config", default=given("config"), metavar="DIR", help="the configuration (TOPIC_CONFIG)"
    )
    parser.add_argument(
        "--read-only", action="store_true", default=given("read_only"), help="nothing can be changed"
    )
    parser.add_argument(
        "--ascii", action="store_true", default=given("ascii"), help="draw with plain characters"
    )


@cache
def _shared() -> Parser:
    """The options of every command: made once, they take a third less time than made sixty times."""
    shared = Parser(add_help=False)
    _everywhere(shared)
    shared.add_argument("--json", action="store_true", help="answer with one JSON document")
    return shared


def _group(commands: Subparsers, name: str, about: str) -> Subparsers:
    group = commands.add_parser(
        name, help=about, description=f"{about}; without a command: list", allow_abbrev=False
    )
    group.alone = "list"
    return group.add_subparsers(metavar="COMMAND", required=True)


def _leaf(
    commands: Subparsers, name: str, run: Callable[[Context], Exit], about: str, *, destroys: bool = False
) -> argparse.ArgumentParser:
    leaf = commands.add_parser(name, help=about, description=about, allow_abbrev=False, parents=[_shared()])
    if destroys:
        leaf.add_argument("--yes", action="store_true", help="do not ask")
    leaf.set_defaults(run=run)
    return leaf


def _listing(leaf: argparse.ArgumentParser, *, filtered: bool = True) -> None:
    leaf.add_argument("--limit", type=positive, default=50, metavar="N", help="how many at the most (50)")
    if filtered:
        _filter(leaf)


def _filter(leaf: argparse.ArgumentParser) -> None:
    leaf.add_argument(
        "--filter", default="", metavar="TEXT", help="words, task: market: err: id: is: age>5m; ! inverts"
    )


def _starting(commands: Subparsers) -> None:
    collect = _leaf(commands, "collect", start.collect, "collect a market")
    collect.add_argument("market", metavar="MARKET", help="its name")
    collect.add_argument("--source", metavar="KEY", help="only this source of it")
    when = collect.add_mutually_exclusive_group()
    when.add_argument("--delay", type=seconds, metavar="SECONDS", help="not before so many seconds")
    when.add_argument("--at", metavar="ISO", help="not before this time, for example 2026-12-01T02:00")
    collect.add_argument("--priority", type=amount, metavar="N", help="higher runs first")
    collect.add_argument("--wait", action="store_true", help="wait for the end and say what came of it")
    enqueue = _leaf(commands, "enqueue", start.enqueue, "store a call to any task")
    enqueue.add_argument("task", metavar="TASK", help="its name")
    enqueue.add_argument(
        "args", nargs="?", metavar="JSON-ARGS", help="a list, or an object of named arguments"
    )


def _workers(commands: Subparsers) -> None:
    _leaf(commands, "list", workers.list_, "each with its heartbeat")
    for name, run, about in (
        ("hold", workers.hold, "let them take nothing more, and stay"),
        ("drain", workers.drain, "let them take nothing more, and end once nothing runs"),
        ("resume", workers.resume, "let them take tasks again"),
    ):
        _leaf(commands, name, run, about).add_argument("ids", nargs="+", type=positive, metavar="ID")


def _queue(commands: Subparsers) -> None:
    _listing(_leaf(commands, "list", queue.list_, "what runs, is ready, is scheduled"))
    _leaf(commands, "show", queue.show, "one task").add_argument("id", metavar="ID")
    cancel = _leaf(commands, "cancel", queue.cancel, "take tasks away, or ask them to stop", destroys=True)
    cancel.add_argument("ids", nargs="*", metavar="ID")
    _filter(cancel)
    now = _leaf(commands, "run", queue.run, "let scheduled tasks run at once")
    now.add_argument("ids", nargs="*", metavar="ID")
    _filter(now)
    order = _leaf(commands, "priority", queue.priority, "let a waiting task run sooner or later")
    order.add_argument("id", metavar="ID")
    order.add_argument("priority", type=amount, metavar="N", help="higher runs first")
    edit = _leaf(commands, "edit", queue.edit, "give a waiting task other arguments", destroys=True)
    edit.add_argument("id", metavar="ID")
    edit.add_argument("args", metavar="JSON-ARGS", help=_ARGS)
    aside = _leaf(
        commands,
        "quarantine",
        queue.quarantine,
        "make dead letters of tasks that no worker knows",
        destroys=True,
    )
    aside.add_argument("ids", nargs="*", metavar="ID", help="default: all of them")
    pause = _leaf(commands, "pause", queue.pause, "let workers take nothing more; what runs goes on")
    _pausing(pause)
    pause.add_argument("--wait", action="store_true", help="until nothing runs any more")
    _leaf(commands, "resume", queue.resume, "let workers take tasks again")
    _leaf(commands, "clear", queue.clear, "take away all that waits", destroys=True)


def _failures(commands: Subparsers) -> None:
    listing = _leaf(commands, "list", failures.list_, "dead letters, newest first")
    _listing(listing)
    listing.add_argument("--causes", action="store_true", help="group them by cause")
    _leaf(commands, "show", failures.show, "one dead letter").add_argument("id", type=row, metavar="ID")
    retry = _leaf(commands, "retry", failures.retry, "run them again", destroys=True)
    retry.add_argument("ids", nargs="*", type=row, metavar="ID")
    retry.add_argument("--all", action="store_true", help="every dead letter there is now")
    retry.add_argument(
        "--cause", default="", metavar="FINGERPRINT", help="all of one cause: failures list --causes"
    )
    _filter(retry)
    retry.add_argument(
        "--canary", action="store_true", help="one of each cause first, the rest when it has succeeded"
    )
    stop = _leaf(
        commands, "stop-canary", failures.stop_canary, "let no more letters of a cause follow its canary"
    )
    stop.add_argument("cause", metavar="FINGERPRINT")
    edit = _leaf(commands, "edit", failures.edit, "run one again with other arguments", destroys=True)
    edit.add_argument("id", type=row, metavar="ID")
    edit.add_argument("args", metavar="JSON-ARGS", help=_ARGS)
    delete = _leaf(commands, "delete", failures.delete, "take dead letters away", destroys=True)
    delete.add_argument("ids", nargs="*", type=row, metavar="ID")
    _filter(delete)
    _leaf(commands, "clear", failures.clear, "take all dead letters away", destroys=True)


def _schedules(commands: Subparsers) -> None:
    _filter(_leaf(commands, "list", schedules.list_, "when each ran, when it will"))
    show = _leaf(commands, "show", schedules.show, "one: its next times, its last ticks, the missed ones")
    run = _leaf(commands, "run", schedules.run, "run its task once, now")
    pause = _leaf(commands, "pause", schedules.pause, "stop it from firing")
    resume = _leaf(commands, "resume", schedules.resume, "let it fire again")
    missed = _leaf(commands, "missed", schedules.missed, "the ticks that got no run")
    replay = _leaf(commands, "replay", schedules.replay, "run missed ticks after all", destroys=True)
    acknowledge = _leaf(commands, "acknowledge", schedules.acknowledge, "say that missed ticks need no run")
    for leaf in (show, run, pause, resume, replay, acknowledge):
        leaf.add_argument("name", metavar="NAME")
    _pausing(pause)
    missed.add_argument("name", metavar="NAME", nargs="?", help="of one schedule only")
    missed.add_argument("--all", action="store_true", help="also those that were answered late")
    _listing(missed, filtered=False)
    how = replay.add_mutually_exclusive_group(required=True)
    how.add_argument("--once", action="store_true", help="one run answers all of them")
    how.add_argument("--all", action="store_true", help="a run for each, now")
    how.add_argument("--spread", metavar="SPAN", help="a run for each, evenly over a period, for example 2h")
    replay.add_argument("--paused", action="store_true", help="also those that passed during a pause")
    acknowledge.add_argument("--note", default="", metavar="TEXT", help="why, for the next person")


def _sources(commands: Subparsers) -> None:
    listing = _leaf(commands, "list", sources.list_, "how each is doing, those that fail first")
    _listing(listing)
    listing.add_argument("--market", metavar="MARKET", help="only those of this market")
    for name, run, about in (
        ("show", sources.show, "one source"),
        ("disable", sources.disable, "let no collection ask it"),
        ("enable", sources.enable, "let collections ask it again"),
    ):
        leaf = _leaf(commands, name, run, about)
        leaf.add_argument("key", metavar="SOURCE", help="its key, or its name or address if no other has it")
        leaf.add_argument("--market", metavar="MARKET", help="of this market, if several have it")
        if name == "disable":
            leaf.add_argument("--note", default="", metavar="TEXT", help="why, for the next person")


def _pausing(leaf: argparse.ArgumentParser) -> None:
    end = leaf.add_mutually_exclusive_group()
    end.add_argument("--for", dest="span", metavar="SPAN", help="for so long, for example 2h")
    end.add_argument("--until", metavar="ISO", help="until then, for example 2026-12-01T02:00")
    leaf.add_argument("--note", default="", metavar="TEXT", help="why, for the next person")


def _topics(commands: Subparsers) -> None:
    group = _group(commands, "topics", "what rises, and why")
    _listing(_leaf(group, "list", topics.list_, "the topics, best first"))
    show = _leaf(group, "show", topics.show, "one topic with its reasons and headlines")
    show.add_argument("key", metavar="KEY", help="its key, market:key, or number")
    show.add_argument("--markdown", action="store_true", help="as Markdown, to be pasted")
    report = _leaf(commands, "report", topics.report, "rank the topics and write the report")
    report.add_argument("market", nargs="?", metavar="MARKET", help="its name; default: every enabled one")
    report.add_argument("--folder", metavar="DIR", help="where to; default: as the settings say")
    sync = _leaf(commands, "sync", topics.sync, "rank, write the report and sync to Notion, as every Monday")
    for leaf in (report, sync):
        leaf.add_argument("--wait", action="store_true", help="wait for the end and say what came of it")


def _logs(commands: Subparsers) -> None:
    log = _leaf(commands, "logs", logs.logs, "the worker's log")
    log.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="only lines with all of them; also id: market: err: is: !inverts",
    )
    log.add_argument("--follow", "-f", action="store_true", help="go on with what is logged from now on")
    log.add_argument(
        "--level", choices=LEVELS, default="debug", help="only lines of this level and graver ones"
    )
    log.add_argument("--task", default="", metavar="ID", help="only lines of this task")
    _listing(log, filtered=False)


def _history(commands: Subparsers) -> None:
    runs = _group(commands, "runs", "the history")
    _listing(_leaf(runs, "list", history.runs, "the history, newest first"))
    _leaf(runs, "show", history.run, "one run, and what it logged").add_argument("id", type=row, metavar="ID")
    _leaf(runs, "again", history.again, "enqueue a run's task once more").add_argument(
        "id", type=row, metavar="ID"
    )
    stats = _leaf(runs, "stats", history.stats, "rates, waiting and running times of each task")
    stats.add_argument("--period", choices=PERIODS, default="24h", help="how far back (24h)")
    journal = _group(commands, "journal", "what operators did")
    _listing(_leaf(journal, "list", journal_commands.list_, "what operators did, newest first"))
    _leaf(journal, "show", journal_commands.show, "one act").add_argument("entry", metavar="ID")
    _leaf(commands, "undo", journal_commands.undo, "take an act back").add_argument(
        "entry", nargs="?", metavar="ID"
    )
    search = _leaf(commands, "search", search_command.search, "find documents and topics")
    search.add_argument(
        "words", nargs="+", metavar="QUERY",
        help='words, "a phrase", !word, market: source: lang: after:2026-11-01 (or 7d) before: is:topic',
    )  # fmt: skip
    _listing(search, filtered=False)


def _exporting(commands: Subparsers) -> None:
    listed = _leaf(commands, "export", export.export, "write a list as CSV, JSON or Markdown")
    listed.add_argument("list", choices=LISTS, metavar="LIST", help=", ".join(LISTS))
    listed.add_argument(
        "--filter", default="", metavar="TEXT", help="words, task: market: err: id: is: age>5m; ! inverts"
    )
    listed.add_argument(
        "--format", choices=("csv", "json", "md"), help="default: what the file's name says, or csv"
    )
    incident = _leaf(commands, "incident", export.incident, "write up what is wrong, since when and why")
    for leaf in (listed, incident):
        leaf.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
        leaf.add_argument("--force", action="store_true", help="replace a file that is there")


def _for_the_user(commands: Subparsers) -> None:
    served = _leaf(commands, "serve", serve.serve, "show the console in a browser on this machine")
    served.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (127.0.0.1)")
    served.add_argument("--port", type=port, default=8000, metavar="N", help="the port (8000)")
    served.add_argument(
        "--expose", action="store_true", help="let other machines reach it; nobody is asked for a password"
    )
    script = _leaf(commands, "completion", completion.completion, "print what makes tab complete in a shell")
    script.set_defaults(of_home=False)
    script.add_argument("shell", choices=SHELLS)
