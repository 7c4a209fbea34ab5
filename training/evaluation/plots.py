"""Plots as SVG for a page: readable on a phone and in gray, the same figures giving the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH = 4.6  # inches: about the width of a phone, so that letters stay readable there
_ROW = 0.24  # inches a line of a horizontal plot
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")  # Okabe and Ito 2008: color-blind safe
_MARKERS = ("o", "s", "^", "D", "v", "P")  # beside the colors, for print in gray
_GRAY = "#8c959f"
_SETTINGS: Any = {  # some versions of matplotlib type every key by itself
    "svg.hashsalt": "casecoder",
    "svg.fonttype": "none",  # letters stay letters: small, searchable, no font inside
    "text.parse_math": False,  # a name with $ is a name
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _GRAY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e9ec",
    "legend.frameon": False,
}

Row = Mapping[str, Any]


def _svg(name: str, alt: str, draw: Callable[[Axes], None], *, height: float) -> str:
    """What ``draw`` draws, as an ``svg`` element. ``name`` makes its ids unique on the page, ``alt`` is read aloud."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.add_subplot())
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inlined(stream.getvalue(), name, alt)


def _inlined(svg: str, name: str, alt: str) -> str:
    """A stand-alone SVG as part of an HTML page: no prolog, no metadata, no address of a name space."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, count=1, flags=re.DOTALL)
    box = re.search(r'viewBox="[^"]*"', svg)
    head = f'<svg role="img" aria-label="{escape(alt)}" {box[0] if box else ""}>'
    svg = re.sub(r"<svg[^>]*>", lambda _: head, svg, count=1)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    return re.sub(r'(url\(#|xlink:href="#)', rf"\1{name}-", svg)


def reliability(axis: str, bins: Sequence[Row], number: int) -> str:
    """Said against right, a dot for each bin, larger where it holds more pairs."""
    rows = [row for row in bins if row["count"]]
    most = max((row["count"] for row in rows), default=1)

    def draw(ax: Axes) -> None:
        ax.plot([0, 1], [0, 1], color=_GRAY, linewidth=1, linestyle="--")
        said, right = ([row[key] for row in rows] for key in ("mean_probability", "share_right"))
        ax.plot(said, right, color=COLORS[number % len(COLORS)], linewidth=1)
        sizes = [12 + 70 * (row["count"] / most) ** 0.5 for row in rows]
        ax.scatter(said, right, s=sizes, color=COLORS[number % len(COLORS)], zorder=3)
        ax.set(title=axis, xlabel="probability said", ylabel="share that is right", xlim=(0, 1.02), ylim=(0, 1.02))

    told = "; ".join(f"said {row['mean_probability']:.2f}, right {row['share_right']:.2f}" for row in rows)
    return _svg(f"reliability-{number}", f"Reliability of {axis}: {told or 'no figures'}", draw, height=3.6)


def precision_coverage(axes: Mapping[str, Row]) -> str:
    """Precision against the share of gold codes reached, a line for each axis; a star is what `auto` does."""

    def draw(ax: Axes) -> None:
        for number, (axis, coverage) in enumerate(axes.items()):
            color = COLORS[number % len(COLORS)]
            x, y = ([point[key] for point in coverage["curve"]] for key in ("share", "precision"))
            marker = _MARKERS[number % len(_MARKERS)]
            ax.plot(x, y, color=color, marker=marker, markersize=3.5, linewidth=1, label=axis)
            auto = coverage["auto"]
            if auto and auto["precision"] is not None and auto["share"] is not None:
                ax.plot(auto["share"], auto["precision"], color=color, marker="*", markersize=13, markeredgecolor="w")
        for wanted in (0.90, 0.95, 0.98):
            ax.axhline(wanted, color=_GRAY, linewidth=0.7, linestyle=":")
        ax.set(xlabel="share of gold codes reached", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
        ax.legend(loc="lower left")

    told = "; ".join(f"{axis} reaches {said(row['0.95']['share'])} at precision 0.95" for axis, row in axes.items())
    return _svg("coverage", f"Precision against coverage: {told}", draw, height=3.6)


def code_f1(axis: str, codes: Mapping[str, Row], intervals: Mapping[str, Sequence[float] | None], number: int) -> str:
    """F1 of each code with its interval and support, the best on top; codes without a figure at the foot."""
    ranked = sorted(codes, key=lambda code: (-1.0 if codes[code]["f1"] is None else codes[code]["f1"], code))
    values = [(codes[code]["f1"], intervals[code]) for code in ranked]

    def draw(ax: Axes) -> None:
        _dots(ax, values, range(len(ranked)), number)
        ax.set_yticks(range(len(ranked)), [f"{code} ({codes[code]['support']})" for code in ranked])
        ax.set(title=axis, xlabel="F1", xlim=(0, 1.02), ylim=(-0.7, len(ranked) - 0.3))

    alt = f"F1 of the codes of {axis} with 95 % intervals, from best to worst: " + "; ".join(
        f"{code} {said(codes[code]['f1'])}" for code in reversed(ranked)
    )
    return _svg(f"codes-{number}", alt, draw, height=0.9 + _ROW * len(ranked))


def parts_f1(kind: str, title: str, axes: Mapping[str, Mapping[str, Row]]) -> str:
    """Micro-F1 of each axis on each part of the cases (a language, a length), with intervals."""
    parts = [part for part, row in next(iter(axes.values())).items() if row["cases"]]
    places = {part: len(parts) - 1 - at for at, part in enumerate(parts)}
    shift = 0.8 / max(1, len(axes))

    def draw(ax: Axes) -> None:
        for number, (axis, rows) in enumerate(axes.items()):
            above = shift * ((len(axes) - 1) / 2 - number)
            values = [(rows[part]["micro_f1"], rows[part]["micro_f1_interval"]) for part in parts]
            _dots(ax, values, [places[part] + above for part in parts], number, label=axis)
        cases = next(iter(axes.values()))
        ax.set_yticks(list(places.values()), [f"{part.replace('_', ' ')} ({cases[part]['cases']})" for part in parts])
        ax.set(title=title, xlabel="micro-F1", xlim=(0, 1.02), ylim=(-0.6, len(parts) - 0.4))
        ax.figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)

    alt = f"Micro-F1 {title}: " + "; ".join(
        f"{part}: " + ", ".join(f"{axis} {said(rows[part]['micro_f1'])}" for axis, rows in axes.items())
        for part in parts
    )
    return _svg(f"parts-{kind}", alt, draw, height=1.2 + 0.17 * len(axes) * max(1, len(parts)))


def _dots(
    ax: Axes,
    values: Sequence[tuple[float | None, Sequence[float] | None]],
    places: Sequence[float],
    number: int,
    label: str | None = None,
) -> None:
    """A dot with its interval on each place, in the color and form of its axis; nothing where it is undefined."""
    color, marker = COLORS[number % len(COLORS)], _MARKERS[number % len(_MARKERS)]
    for (_, bounds), place in zip(values, places, strict=True):
        if bounds is not None:
            ax.plot(bounds, [place, place], color=color, linewidth=1.5, alpha=0.5, solid_capstyle="butt")
    known = [(value, place) for (value, _), place in zip(values, places, strict=True) if value is not None]
    ax.scatter([x for x, _ in known], [y for _, y in known], s=18, color=color, marker=marker, zorder=3, label=label)


def differences(compared: Sequence[Row]) -> str:
    """How much better the bundle is than each baseline, with paired intervals; right of the line it is better."""
    rows = [
        (f"{measure} {axis}, {item['b']}", values[key]["difference"], values[key]["interval"], number)
        for item in compared
        for number, (axis, values) in enumerate(item["axes"].items())
        for measure, key in (("micro", "micro_f1"), ("macro", "macro_f1"))
    ][::-1]

    def draw(ax: Axes) -> None:
        ax.axvline(0, color=_GRAY, linewidth=1, linestyle="--")
        for place, (_, value, bounds, number) in enumerate(rows):
            _dots(ax, [(value, bounds)], [place], number)
        ax.set_yticks(range(len(rows)), [row[0] for row in rows])
        ax.set(xlabel="difference of F1", ylim=(-0.7, len(rows) - 0.3))

    told = "; ".join(f"{name} {said(value)}" for name, value, _, _ in reversed(rows))
    return _svg("differences", f"Differences of F1 to the baselines: {told}", draw, height=0.9 + _ROW * len(rows))


def learning_curve(rows: Sequence[Row]) -> str:
    """Mean average precision on held-out cases against the number of training cases, a line for each axis."""
    axes = list(rows[0]["mean_average_precision"]["all"])

    def draw(ax: Axes) -> None:
        for number, axis in enumerate(axes):
            found = [(row["cases"], row["mean_average_precision"]["all"][axis]) for row in rows]
            known = [(x, y) for x, y in found if y is not None]
            marker = _MARKERS[number % len(_MARKERS)]
            x, y = ([point[at] for point in known] for at in (0, 1))
            ax.plot(x, y, color=COLORS[number % len(COLORS)], marker=marker, markersize=5, linewidth=1, label=axis)
        ax.set(xlabel="training cases", ylabel="mean average precision", ylim=(0, 1.02))
        ax.set_xlim(left=0)
        ax.legend(loc="lower right")

    last = rows[-1]
    told = ", ".join(f"{axis} {said(last['mean_average_precision']['all'][axis])}" for axis in axes)
    return _svg("curve", f"Learning curve; with {last['cases']} training cases: {told}", draw, height=3.4)


def said(value: float | None) -> str:
    """A figure in an alternative text."""
    return "undefined" if value is None else f"{value:.2f}"
