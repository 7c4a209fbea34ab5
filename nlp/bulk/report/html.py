"""Pieces of a page that stands by itself: no script, no outside resource, every value escaped; screen, phone, print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --auto: #00588a; --suggest: #4f9fd6; --review: #c77700;
        --none: #8c959f; --failed: #b3261e; color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; color: var(--ink); background: #fff;
       font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 0.25rem; }
p, ul { margin: 0.25rem 0 0.75rem; max-width: 44rem; }
a { color: #00588a; }
nav ul { padding: 0; margin: 0.75rem 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none;
         max-width: none; }
.note { color: var(--soft); font-size: 0.9em; }
.warning { border-left: 0.3rem solid var(--review); background: #fff8ec; padding: 0.4rem 0.75rem; max-width: 44rem; }
.wide { overflow-x: auto; max-width: 100%; }
.wide:focus-visible { outline: 2px solid #00588a; }
table { border-collapse: collapse; font-size: 0.9rem; margin: 0.5rem 0 1rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.25rem; min-width: 16rem; }
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
td { white-space: nowrap; }
th { font-weight: 600; overflow-wrap: normal; }
tbody th { font-weight: 400; min-width: 9rem; max-width: 22rem; }
th:first-child, td.words, th.words { text-align: left; }
td.words { white-space: normal; min-width: 9rem; }
thead th { border-bottom: 2px solid var(--soft); vertical-align: bottom; max-width: 8rem; }
tbody tr.part th { font-weight: 600; padding-top: 0.9rem; border-bottom: 1px solid var(--soft); max-width: none; }
thead th { hyphens: none; }
.grid th:first-child { position: sticky; left: 0; background: #fff; max-width: min(16rem, 45vw); }
.grid td, .grid th { padding-left: 0.3rem; padding-right: 0.3rem; } .grid td { text-align: center; }
.grid thead th { font-size: 0.8rem; text-align: center; min-width: 2.6rem; }
.grid thead th:first-child { text-align: left; }
.grid .upright { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 10rem; margin: 0 auto;
                 text-align: left; line-height: 1.15; }
svg { display: block; width: 100%; }
svg.line { height: 0.55rem; margin-top: 0.2rem; min-width: 7rem; }
svg.rows { height: 1.6rem; max-width: 44rem; margin: 0.75rem 0; }
svg.range { height: 1.1rem; width: 100%; max-width: 12rem; }
.remark { display: block; } code { background: #eef1f4; padding: 0 0.2em; border-radius: 0.2em; }
.key { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.5em; border-radius: 0.15em; }
.auto { fill: var(--auto); background: var(--auto); } .suggest { fill: var(--suggest); background: var(--suggest); }
.review { fill: var(--review); background: var(--review); } .none { fill: var(--none); background: var(--none); }
.failed { fill: var(--failed); background: var(--failed); } .track { fill: #eef1f4; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; margin: 0.5rem 0; font-size: 0.9em; }
dt { color: var(--soft); } dd { margin: 0; }
@media (max-width: 36rem) {
  body { padding: 0.75rem; } th, td { padding: 0.25rem 0.3rem; } .narrow { display: none; }
  thead th { font-size: 0.78rem; hyphens: manual; } td { font-size: 0.85rem; }
  tbody th { min-width: 8rem; } .grid tbody th { min-width: 7rem; font-size: 0.8rem; }
  .grid thead th { min-width: 2rem; font-size: 0.75rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.3rem; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h2, h3, caption, thead, tr.part { break-after: avoid; }
  tr, dl, .warning { break-inside: avoid; }
  .wide { overflow: visible; }
  table { font-size: 8pt; } .grid { font-size: 7pt; } .grid td, .grid th { padding: 0.1rem 0.2rem; }
  .grid thead th { font-size: 6pt; min-width: 0; } .grid th:first-child { position: static; min-width: 6rem; }
  td, svg, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{lead}
<nav aria-label="{contents}"><ul>
{links}
</ul></nav>
</header>
<main>
{body}
</main>
</body>
</html>
"""
_COMMAND = re.compile("`([^`]+)`")
_SHADE = "0, 88, 138"
_STRONGEST = 0.55  # opacity of the strongest shade: dark text on it has a contrast of more than 4.5


@dataclass(frozen=True)
class Section:
    """A part of the page; ``parts`` are HTML already."""

    anchor: str
    title: str
    parts: tuple[str, ...]

    def html(self) -> str:
        inner = "\n".join(part for part in self.parts if part)
        heading = f'<h2 id="{self.anchor}-title">{escape(self.title)}</h2>'
        return f'<section id="{self.anchor}" aria-labelledby="{self.anchor}-title">\n{heading}\n{inner}\n</section>'


@dataclass(frozen=True)
class Html:
    """Text that is HTML already."""

    code: str


def beside(text: str, picture: str) -> Html:
    """Words with a picture under them."""
    return Html(f"{escape(text)}{picture}")


def remarked(text: str, remark: str) -> Html:
    """Words with a remark under them."""
    return Html(f'{escape(text)}<span class="note remark">{escape(remark)}</span>')


def keyed(text: str, kind: str) -> Html:
    """Words behind a patch of the color that a picture has for them."""
    return Html(f'<span class="key {kind}"></span>{escape(text)}')


@dataclass(frozen=True)
class Heat:
    """A number on a shade of its size; ``share`` of the strongest shade in [0, 1]."""

    text: str
    share: float


@dataclass(frozen=True)
class Part:
    """A row that says what the rows under it are."""

    title: str


Cell = str | Html | Heat


def page(title: str, lead: Iterable[str], sections: Sequence[Section], *, language: str, contents: str) -> str:
    """The whole page; ``contents`` is what its list of sections is called."""
    links = "\n".join(f'<li><a href="#{part.anchor}">{escape(part.title)}</a></li>' for part in sections)
    return _PAGE.format(
        title=escape(title),
        style=_STYLE,
        lead="\n".join(lead),
        links=links,
        body="\n".join(part.html() for part in sections),
        language=language,
        contents=escape(contents),
    )


def paragraph(text: str, kind: str = "") -> str:
    """Text as a paragraph, commands in it between backticks; ``kind`` is ``note`` or ``warning``."""
    inner = _COMMAND.sub(r"<code>\1</code>", escape(text))
    return f'<p class="{kind}">{inner}</p>' if kind else f"<p>{inner}</p>"


def heading(text: str) -> str:
    """A heading inside a section."""
    return f"<h3>{escape(text)}</h3>"


def bullets(texts: Iterable[str]) -> str:
    """Sentences as a list; nothing of none."""
    items = "\n".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>\n{items}\n</ul>" if items else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    return "<dl>\n" + "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs) + "\n</dl>"


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[Cell] | Part],
    *,
    caption: str,
    kind: str = "",
    words: Sequence[int] = (),
    narrow: Sequence[int] = (),
) -> str:
    """A table that can be pushed sideways on a phone; the first cell of each row is its heading.

    ``words`` are columns of words, not numbers; ``narrow`` those that a phone does without. In a ``grid`` names of
    columns stand upright, since there may be many.
    """

    def looks(at: int) -> str:
        names = " ".join(name for name, of in (("words", words), ("narrow", narrow)) if at in of)
        return f' class="{names}"' if names else ""

    def named(at: int, name: str) -> str:
        return f'<div class="upright">{escape(name)}</div>' if kind == "grid" and at else escape(name)

    top = "".join(f'<th scope="col"{looks(at)}>{named(at, cell)}</th>' for at, cell in enumerate(head))
    lines = []
    for row in rows:
        if isinstance(row, Part):
            lines.append(f'<tr class="part"><th scope="rowgroup" colspan="{len(head)}">{escape(row.title)}</th></tr>')
        else:
            cells = "".join(_cell(cell, looks(at)) for at, cell in enumerate(row[1:], start=1))
            lines.append(f'<tr><th scope="row">{_inner(row[0])}</th>{cells}</tr>')
    body = "\n".join(lines)
    shape = f' class="{kind}"' if kind else ""
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{escape(caption)}"><table{shape}>'
        f"<caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _cell(cell: Cell, looks: str) -> str:
    if isinstance(cell, Heat):
        shade = f' style="background: rgba({_SHADE}, {_STRONGEST * cell.share:.2f})"' if cell.share else ""
        return f"<td{looks}{shade}>{escape(cell.text)}</td>"
    return f"<td{looks}>{_inner(cell)}</td>"


def _inner(cell: Cell) -> str:
    return cell.code if isinstance(cell, Html) else escape(cell.text if isinstance(cell, Heat) else cell)
