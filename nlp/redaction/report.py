"""A redaction as one HTML page for the person who has to read it again: what is hidden, and what still tells who it is.

The page holds the narrative itself, like the file that it was made from; it loads nothing and sends nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from html import escape

from ..codebook import Codebook
from ..types import Redaction
from .lexicon import load_words

_COLORS = ("#ffe08a", "#b6e3ff", "#c8f0c2", "#ffc9c0", "#e3d0ff", "#ffd8a8", "#c5f0ee", "#e6e6b8")
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Redaction</title>
<style>
body {{ margin: 0 auto; max-width: 60rem; padding: 1rem; color: #1b1f24; background: #fff;
       font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }}
h1 {{ font-size: 1.4rem; }} h2 {{ font-size: 1.1rem; margin-top: 1.5rem; }}
.text {{ white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #d0d7de; padding: 0.75rem; }}
mark {{ color: inherit; padding: 0 0.15em; border-radius: 0.2em; }}
mark small {{ color: #4a4a4a; font-size: 0.7em; margin-left: 0.3em; }}
.doubt {{ background: #fff; border: 2px dashed #b35900; }}
.warning {{ border-left: 0.3rem solid #b35900; padding: 0.25rem 0.75rem; }}
td, th {{ text-align: left; padding: 0.2rem 0.8rem 0.2rem 0; }}
</style>
</head>
<body>
<h1>What is hidden</h1>
<p><strong>This page holds the narrative with its names.</strong> Keep it as you keep the narrative, and delete it when
you have read it. A redaction hides most, not all: look for names and numbers without a color, first of all where the
border is dashed.</p>
{warnings}
<table><thead><tr><th>kind</th><th>hidden</th><th>what it is</th></tr></thead><tbody>
{rows}
</tbody></table>
<h2>The narrative</h2>
<div class="text">{text}</div>
<h2>As it would be shared</h2>
<div class="text">{redacted}</div>
</body>
</html>
"""


def render(text: str, shown: Redaction, found: Redaction, codebook: Codebook) -> str:
    """The page. ``shown`` is the redaction as it would be shared, ``found`` the strict one of the same text."""
    colors = {item.id: _COLORS[at % len(_COLORS)] for at, item in enumerate(codebook.identifiers)}
    meaning = {item.id: item.definition for item in codebook.identifiers}
    hidden = Counter(entity.type for entity in shown.entities)
    rows = [
        f'<tr><td><mark style="background:{colors[kind]}">{escape(kind)}</mark></td><td>{count}</td>'
        f"<td>{escape(meaning[kind])}</td></tr>"
        for kind, count in sorted(hidden.items())
    ]
    marks = [
        (
            item.entity.span,
            f'style="background:{colors[item.entity.type]}" title="{escape(item.entity.type)}"',
            item.placeholder,
        )
        for item in shown.replacements
    ]
    marks += [(span, 'class="doubt" title="in sight: look at it"', "?") for span in shown.doubts]
    parts, at = [], 0
    for span, looks, note in sorted(marks, key=lambda mark: mark[0]):
        words = escape(text[span.start : span.end])
        parts += [escape(text[at : span.start]), f"<mark {looks}>{words}<small>{escape(note)}</small></mark>"]
        at = span.end
    told = telling(shown, found)
    return _PAGE.format(
        warnings="".join(f'<p class="warning">{escape(sentence)}</p>\n' for sentence in told),
        rows="\n".join(rows) or "<tr><td>nothing was found</td></tr>",
        text="".join([*parts, escape(text[at:])]),
        redacted=escape(shown.text),
    )


def telling(shown: Redaction, found: Redaction) -> list[str]:
    """Sentences that warn of what stays in sight and together may still tell who somebody is: a place, a day, an age,
    an institution, a job that few have. One kind alone is not warned of."""
    hidden = {entity.span for entity in shown.entities}
    stay = {entity.type for entity in found.entities if entity.span not in hidden}
    kinds = [_NAMES[kind] for kind in _NAMES if kind in stay]
    job = _jobs().search(shown.text.lower())
    if job:
        kinds.append("a job that few have")
    if len(kinds) < 2 and not job:
        return []
    if len(kinds) < 2:
        return ["A job that few have stays in sight: with a place or a day that readers know, it may tell who this is."]
    return [f"{', '.join(kinds[:-1])} and {kinds[-1]} stay in sight: together they may tell who this is.".capitalize()]


_NAMES = {"LOCATION": "a place", "DATE": "an exact date", "AGE": "an age", "ORGANISATION": "an institution"}


@cache
def _jobs() -> re.Pattern[str]:
    stems = sorted(map(re.escape, load_words("jobs.txt")), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(stems)})")
