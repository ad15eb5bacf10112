"""Topics for people, as one HTML page with plots: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from worker.research.sinks.report_data import web_url
from worker.research.sinks.report_text import trend, weeks
from worker.research.sinks.words import confidence, standing, why
from worker.research.topics_scores import MOST_POINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.research.markets import Market
    from worker.research.topics import Headline, Ranking, Topic

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c2024; --quiet: #60646c; --line: #d9d9e0; --page: #fff;
  --rise: #0d74ce; --sources: #208368; --fit: #ab6400; --novelty: #8145b5; --span: #80838d; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --quiet: #b0b4ba; --line: #363a3f; --page: #111113;
  --rise: #70b8ff; --sources: #3dd68c; --fit: #ffca16; --novelty: #d19dff; --span: #777b84; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 46rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 0; }
p, ul { margin: .3rem 0; } ul { padding-left: 1.2rem; } a { color: inherit; }
.quiet { color: var(--quiet); font-size: .875rem; } .summary { margin-top: .5rem; }
article { border-top: 1px solid var(--line); padding: 1rem 0; display: grid; grid-template-columns: 1fr 10rem; gap: 0 1.5rem; }
article > * { grid-column: 1; min-width: 0; overflow-wrap: anywhere; }
article > svg { grid-column: 2; grid-row: 1 / span 3; }
@media (max-width: 34rem) { article { grid-template-columns: 1fr; } article > svg { grid-column: 1; grid-row: auto; margin-top: .5rem; } }
svg text { fill: var(--quiet); font: 10px system-ui, sans-serif; }
""" + "".join(f".{name} {{ fill: var(--{name}); background: var(--{name}); }}\n" for name in MOST_POINTS)
_KEY: Final = " ".join(
    f'<span class="{name}" style="display:inline-block;width:.7em;height:.7em"></span> {name} (at most {most:g})'
    for name, most in MOST_POINTS.items()
)
_WIDE, _HIGH = 160, 44


def page(market: Market, ranking: Ranking) -> str:
    """The report."""
    topics = "\n".join(_article(topic, place, ranking.days) for place, topic in enumerate(ranking.topics, 1))
    empty = "<p>No topic yet: not enough sources tell the same.</p>"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Rising topics: {escape(market.name)}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">'
        f"<style>{_STYLE}</style></head><body>\n<h1>Rising topics: {escape(market.name)}</h1>\n"
        f'<p class="quiet">{ranking.at:%Y-%m-%d %H:%M} UTC. {escape(standing(ranking).rstrip("."))}.</p>\n'
        f'<p class="quiet">Score: {_KEY}</p>\n{topics or empty}\n</body></html>\n'
    )


def _article(topic: Topic, place: int, days: int) -> str:
    text = "".join(f'<p class="summary">{escape(one)}</p>' for one in (topic.summary, topic.angle) if one)
    return (
        f"<article><h2>{place}. {escape(topic.title)}</h2>{_plot(topic, days)}"
        f'<p class="quiet">{topic.score:g} points · {escape(trend(topic))} · {topic.parts.sources} sources · '
        f"{topic.parts.documents} stories · confidence {confidence(topic)} · first seen {topic.first_seen:%Y-%m-%d}</p>"
        f'<p class="quiet">{escape(why(topic))}</p>{text}<ul>{"".join(map(_headline, topic.samples))}</ul></article>'
    )


def _headline(one: Headline) -> str:
    url, title = web_url(one.url), escape(one.title)
    link = f'<a href="{escape(url)}" rel="noreferrer noopener">{title}</a>' if url else title
    return f'<li>{link} <span class="quiet">{escape(one.source.partition("/")[0])}, {one.at:%Y-%m-%d}</span></li>'


def _plot(topic: Topic, days: int) -> str:
    """Its voices in each window as columns, and what its score is made of as a bar below."""
    values = weeks(topic.days, days)
    title = f"{escape(topic.title)}: voices in each of {len(values)} windows, the current one last"
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH + 22}" width="{_WIDE}" height="{_HIGH + 22}" role="img"><title>{title}</title>'
        f"{_columns(values)}{_parts(topic.parts.points)}</svg>"
    )


def _columns(values: Sequence[int]) -> str:
    most, step = max(values, default=0), _WIDE / max(len(values), 1)
    shapes = []
    for at, value in enumerate(values):
        height = round(value / most * (_HIGH - 12), 1) if most else 0
        kind = "rise" if at == len(values) - 1 else "span"
        shapes.append(
            f'<rect class="{kind}" x="{at * step:.1f}" y="{_HIGH - height:.1f}" width="{step - 2:.1f}" '
            f'height="{max(height, 1):.1f}"/>'
        )
    last = f'<text x="{_WIDE}" y="9" text-anchor="end">{values[-1]}</text>' if values else ""
    return "".join(shapes) + last


def _parts(points: dict[str, float]) -> str:
    shapes, at = [], 0.0
    for name, value in points.items():
        width = value / 100 * _WIDE
        shapes.append(f'<rect class="{name}" x="{at:.1f}" y="{_HIGH + 8}" width="{width:.1f}" height="8"/>')
        at += width
    return "".join(shapes)
