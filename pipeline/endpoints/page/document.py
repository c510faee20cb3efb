"""The page as HTML: one file, without anything of others, readable without scripts, by keyboard, in dark and light."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape

import attrs

from pipeline.endpoints.page.charts import Chart, svg
from pipeline.endpoints.page.digest import Cells

SPANS = {"hour": "last hour", "day": "last day"}
"""What the page may be about, and what its links say."""


@attrs.frozen
class PageTable:
    """One table.

    Attributes:
        title: what it shows.
        head: names of its columns; all but the first hold numbers.
        rows: its cells.
        empty: what is said where there are no rows.
    """

    title: str
    head: Cells
    rows: Sequence[Cells]
    empty: str = "none"


@attrs.frozen
class Figure:
    """One number at the top: what it is, its value, and whether it is good (`ok`), bad (`bad`) or neither."""

    about: str
    value: str
    mood: str = ""


def changing(figures: Sequence[Figure], charts: Sequence[Chart], tables: Sequence[PageTable]) -> str:
    """Write what changes while the page is open."""
    numbers = "".join(
        f'<div class="{each.mood}"><dt>{escape(each.about)}</dt><dd>{escape(each.value)}</dd></div>' for each in figures
    )
    return (
        f"<dl>{numbers}</dl><section>{''.join(map(svg, charts))}</section>"
        f"<section>{''.join(map(_table, tables))}</section>"
    )


def document(span: str, about: str, main: str) -> bytes:
    """Write the whole page.

    Args:
        span: a key of `SPANS`.
        about: what stands beside the name: version and upstream.
        main: what `content` wrote.
    """
    links = "".join(
        f'<a href="/dragoman/?span={name}"{" aria-current=page" if name == span else ""}>{said}</a>'
        for name, said in SPANS.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>dragoman</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
        '<noscript><meta http-equiv="refresh" content="10"></noscript>'
        f'<style>{_STYLE}</style></head><body><a class="skip" href="#main">To the numbers</a>'
        f"<header><h1>dragoman</h1><p>{escape(about)}</p><nav aria-label=Span>{links}</nav></header>"
        f'<main id="main" data-span="{span}" tabindex="-1">{main}</main>'
        '<footer><p><span id="live" role="status">as of now; reload for more</span> '
        '<time aria-hidden="true"></time></p></footer>'
        f"<script>{_SCRIPT}</script></body></html>"
    ).encode()


def _table(table: PageTable) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.head)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
        for name, *cells in table.rows
    )
    body = rows or f'<tr><td class="none" colspan="{len(table.head)}">{escape(table.empty)}</td></tr>'
    return (
        f'<div class="table" tabindex="0" role="region" aria-label="{escape(table.title)}"><table>'
        f"<caption><h2>{escape(table.title)}</h2></caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


_STYLE = """
:root{--bg:#fbfaf7;--fg:#1d2026;--dim:#6a6f78;--line:#dcd9d1;--card:#fff;--ok:#1a7f4b;--bad:#b3261e;
--c0:#2f6fb3;--c1:#b87a14;--c2:#3f9a6b;--c3:#a3529c;--c4:#c0504d;--c5:#8a8f98}
@media(prefers-color-scheme:dark){:root{--bg:#14161a;--fg:#e7e6e2;--dim:#9aa0aa;--line:#2e323a;--card:#1c1f25;--ok:#5cc98e;
--bad:#ff8a80;--c0:#6aa9ea;--c1:#e8b25a;--c2:#6fcb9c;--c3:#cf8ac8;--c4:#e58a86;--c5:#7d838d}}
*{box-sizing:border-box}body{margin:0 auto;max-width:82rem;padding:1rem;background:var(--bg);color:var(--fg);
font:15px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums}
header{display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline}h1{font-size:1.4rem;margin:0}
h2{display:inline;font:inherit;margin:0}
header p,footer p{color:var(--dim);margin:0}nav{margin-left:auto;display:flex;gap:.3rem}
nav a{color:inherit;text-decoration:none;padding:.25rem .7rem;border:1px solid var(--line);border-radius:1rem}
nav a[aria-current]{background:var(--fg);color:var(--bg)}
:focus-visible{outline:2px solid var(--c0);outline-offset:2px}main:focus{outline:none}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.7rem;margin:1rem 0}
dl div,figure,.table{background:var(--card);border:1px solid var(--line);border-radius:.5rem;
padding:.7rem .9rem;margin:0}
dt{color:var(--dim)}dd{margin:0;font-size:1.3rem;white-space:nowrap}.ok dd{color:var(--ok)}.bad dd{color:var(--bad)}
section{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));gap:.7rem;margin:.7rem 0}
figure{display:flex;flex-direction:column}
figcaption{display:flex;flex-wrap:wrap;gap:0 .6rem}figcaption ul{display:flex;flex-wrap:wrap;gap:0 .8rem;
margin:0;padding:0;list-style:none;color:var(--dim);font-size:.85rem}li::before{content:"";display:inline-block;width:.65em;height:.65em;
margin-right:.35em;border-radius:2px;background:currentColor}
svg{width:100%;display:block;margin-top:auto;padding-top:.4rem;overflow:visible}svg text{font-size:14px;fill:var(--dim)}
.end{text-anchor:end}@media(max-width:34rem){svg text{font-size:20px}svg{padding-bottom:.4rem}
.low{transform:translateY(6px)}}
.axis{stroke:var(--line)}g:hover rect{opacity:.7}
.table{overflow-x:auto}table{border-collapse:collapse;width:100%}
caption{text-align:left;font-weight:600;padding-bottom:.3rem}
th,td{padding:.2rem .6rem .2rem 0;text-align:right;white-space:nowrap}th:first-child{text-align:left;font-weight:400;
white-space:normal;overflow-wrap:anywhere;min-width:5.2rem}
thead th,.none{color:var(--dim);font-weight:400}td.none{text-align:left}tbody tr{border-top:1px solid var(--line)}
""" + "".join(f"rect.c{n}{{fill:var(--c{n})}}li.c{n}::before{{background:var(--c{n})}}" for n in range(6))

_SCRIPT = """
const main=document.getElementById("main"),live=document.getElementById("live"),time=document.querySelector("time");
const say=state=>{if(live.textContent!==state)live.textContent=state}; // it is read aloud whenever it changes
const feed=new EventSource("/dragoman/events?span="+main.dataset.span);
feed.onmessage=e=>{const at=document.activeElement,label=main.contains(at)&&at.getAttribute("aria-label");
if(getSelection().isCollapsed){main.innerHTML=JSON.parse(e.data);
if(label)for(const each of main.querySelectorAll("[tabindex]"))if(each.getAttribute("aria-label")===label)each.focus()}
say("live");time.textContent=new Date().toLocaleTimeString()};
feed.onerror=()=>say("not connected; trying again");
"""

_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_SCRIPT_HASH}'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy: nothing but what is in it, and nobody around it."""
