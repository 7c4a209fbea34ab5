"""Small pictures in lines of SVG. Each says in words what it shows, or stands beside the numbers that it shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_WIDTH = 1000  # units of every picture, stretched to the place that there is


def stacked(parts: Sequence[tuple[str, float]], said: str) -> str:
    """Parts of a whole beside each other; each has a class that gives its color. ``said`` is the picture in words."""
    total = sum(value for _, value in parts) or 1.0
    shapes, at = [], 0.0
    for name, value in parts:
        width = _WIDTH * value / total
        if value:
            shapes.append(f'<rect class="{name}" x="{at:.1f}" width="{max(width - 2, 1.5):.1f}" height="10"/>')
        at += width
    return (
        f'<svg class="rows" role="img" aria-label="{escape(said)}" viewBox="0 0 {_WIDTH} 10" '
        f'preserveAspectRatio="none"><title>{escape(said)}</title>{"".join(shapes)}</svg>'
    )


def bar(parts: Sequence[tuple[str, float]], most: float) -> str:
    """A bar of parts on a track of the length ``most``, for a table that has the numbers beside it."""
    shapes, at = [], 0.0
    for name, value in parts:
        width = _WIDTH * value / most if most else 0.0
        if width:
            shapes.append(f'<rect class="{name}" x="{at:.1f}" width="{max(width, 2):.1f}" height="10"/>')
        at += width
    return (
        f'<svg class="line" aria-hidden="true" viewBox="0 0 {_WIDTH} 10" preserveAspectRatio="none">'
        f'<rect class="track" width="{_WIDTH}" height="10"/>{"".join(shapes)}</svg>'
    )


def span(raw: float | None, low: float, middle: float, high: float, most: float) -> str:
    """An interval with its middle, and the raw count as an open circle, for a table that has the numbers beside it."""

    def place(value: float) -> float:
        return 10 + 180 * min(1.0, value / most) if most else 10.0

    open_circle = (
        ""
        if raw is None
        else f'<circle cx="{place(raw):.1f}" cy="9" r="4" fill="none" stroke="#c77700" stroke-width="1.5"/>'
    )
    return (
        '<svg class="range" aria-hidden="true" viewBox="0 0 200 18">'
        '<line x1="10" x2="190" y1="9" y2="9" stroke="#d0d7de"/>'
        f'<line x1="{place(low):.1f}" x2="{max(place(high), place(low) + 1):.1f}" y1="9" y2="9" stroke="#00588a" '
        'stroke-width="4" stroke-opacity="0.55"/>'
        f'<circle cx="{place(middle):.1f}" cy="9" r="4" fill="#00588a"/>{open_circle}</svg>'
    )
