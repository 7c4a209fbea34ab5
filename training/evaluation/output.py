"""What an evaluation leaves behind: figures, predictions, a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import typer

from nlp.errors import BackendUnavailable

from ..console import read_json, write_json, write_text
from .figures import Measured
from .predictions import save_predictions

Renderer = Callable[..., str]


def renderer(wanted: bool | None) -> Renderer | None:
    """What makes the page; None where none is wanted, or where it is not asked for and cannot be drawn, which is said.

    Raises `BackendUnavailable` if it is asked for and cannot be drawn.
    """
    if wanted is False:
        return None
    try:
        from .report import render
    except ModuleNotFoundError:
        missing = BackendUnavailable("the report", "fit")
        if wanted:
            raise missing from None
        typer.echo(f"no report: {missing}", err=True)
        return None
    return render


def write(
    measured: Measured, target: Path, *, predictions: Path | None, render: Renderer | None, curve: Path
) -> dict[str, Path]:
    """Write the figures, those of each baseline and the page beside them, and the predictions; what lies where."""
    written = {"figures": target}
    write_json(target, measured.figures)
    for figures in measured.baselines:
        name = re.sub(r"[^\w.-]+", "-", figures["bundle"])
        written[f"figures of {figures['bundle']}"] = beside = target.with_name(f"{target.stem}-{name}.json")
        write_json(beside, figures)
    if predictions:
        save_predictions(predictions, measured.predictions)
        written["predictions"] = predictions
    if render:
        written["report"] = page = target.with_suffix(".html")
        rows = read_json(curve) if curve.exists() else None
        write_text(page, render(measured.figures, baselines=measured.baselines, curve=rows))
    return written
