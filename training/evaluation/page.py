"""Pieces of a self-contained HTML page: no script, no outside resource, every value escaped; for screen, phone and
print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --shade: 0, 114, 178; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1rem; color: var(--ink); background: #fff;
       font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.25rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.25rem; }
p { margin: 0.25rem 0 0.75rem; max-width: 46rem; }
nav ul { padding: 0; margin: 0.5rem 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; }
a { color: #00588a; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 0.5rem 1.5rem; }
figure { margin: 0.5rem 0; }
figcaption { color: var(--soft); font-size: 0.9rem; }
svg { display: block; width: 100%; max-width: 30rem; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; margin: 0.5rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.25rem; }
th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child, td.words { text-align: left; }
thead th { border-bottom: 2px solid var(--soft); vertical-align: bottom; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h2, h3 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  .wide { overflow: visible; }
  table { font-size: 8pt; }
  td { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{lead}
<nav aria-label="Sections"><ul>
{links}
</ul></nav>
{body}
</body>
</html>
"""
_HEAT = 0.75  # opacity of the strongest shade: black on it is still easy to read


@dataclass(frozen=True)
class Section:
    """A part of the page; ``parts`` are HTML already."""

    anchor: str
    title: str
    parts: tuple[str, ...]

    def html(self) -> str:
        return f'<section id="{self.anchor}">\n<h2>{escape(self.title)}</h2>\n' + "\n".join(self.parts) + "\n</section>"


@dataclass(frozen=True)
class Heat:
    """A number shown on a shade of its size; ``share`` of the strongest shade in [0, 1]."""

    value: int
    share: float


Cell = str | int | float | None | Heat | Sequence[float]


def page(title: str, lead: Iterable[str], sections: Sequence[Section]) -> str:
    """The whole page."""
    links = "\n".join(f'<li><a href="#{part.anchor}">{escape(part.title)}</a></li>' for part in sections)
    body = "\n".join(part.html() for part in sections)
    return _PAGE.format(title=escape(title), style=_STYLE, lead="\n".join(lead), links=links, body=body)


def paragraph(text: str) -> str:
    """Text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """A heading inside a section."""
    return f"<h3>{escape(text)}</h3>"


def plot(svg: str, caption: str) -> str:
    """A plot and the words under it."""
    return f"<figure>\n{svg}\n<figcaption>{escape(caption)}</figcaption>\n</figure>"


def plots(items: Iterable[str]) -> str:
    """Plots beside each other where there is room."""
    return '<div class="plots">\n' + "\n".join(items) + "\n</div>"


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]], caption: str = "") -> str:
    """A table that can be pushed sideways on a phone; the first cell of each row is its heading."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(f'<tr><th scope="row">{_text(row[0])}</th>{"".join(map(_cell, row[1:]))}</tr>' for row in rows)
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    start = '<div class="wide" role="region" tabindex="0" aria-label="Table"><table>'
    return f"{start}{said}<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"


def _cell(value: Cell) -> str:
    if isinstance(value, Heat):
        return f'<td style="background: rgba(var(--shade), {_HEAT * value.share:.2f})">{value.value}</td>'
    return f'<td class="words">{_text(value)}</td>' if isinstance(value, str) else f"<td>{_text(value)}</td>"


def _text(value: Cell) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, (str, int)):
        return escape(str(value))
    return " to ".join(map(number, value)) if not isinstance(value, Heat) else str(value.value)


def number(value: float) -> str:
    """Two digits, or three where the number is small; a real minus sign."""
    digits = 2 if abs(value) >= 0.1 or value == 0 else 3
    return f"{value:.{digits}f}".replace("-", "−")
