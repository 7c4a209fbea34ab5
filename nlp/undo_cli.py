"""``casecoder undo``: take the codes of a run out of a table again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DelimiterOption, EncodingOption, SheetOption

if TYPE_CHECKING:
    from .bulk.undo import Restored

_MOST_COLUMNS = 12  # named one by one


def undo(
    coded: Annotated[Path, typer.Argument(metavar="CODED", help="The coded table: .csv, .xlsx, .jsonl or .parquet.")],
    undo_file: Annotated[
        Path | None,
        typer.Argument(
            metavar="UNDO", help="The undo file of the run.", show_default="CODED with .undo.jsonl behind it"
        ),
    ] = None,
    *,
    target: Annotated[
        Path, typer.Option("--output", "-o", metavar="RESTORED", help="Where the table without the run goes.")
    ],
    sheet: SheetOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
) -> None:
    """Take what a run added out of a coded table again. What people changed in it since then stays, and is listed.

    Redacted texts stay redacted: an undo file holds no text. The coded table and the undo file stay as they are.

    Exit code 0: done; 2: nothing was written.
    """
    from .bulk.tables import InputOptions
    from .bulk.undo import undo_run
    from .bulk.undo_file import undo_path

    options = InputOptions(sheet=sheet, encoding=encoding, delimiter=delimiter)
    restored = undo_run(coded, undo_file or undo_path(coded), target, options=options)
    for sentence in _sentences(restored):
        typer.echo(sentence)
    typer.echo(f"Output: {target}")


def _sentences(restored: Restored) -> list[str]:
    said = [f"{restored.rows:,} rows; undone: run {restored.run} of {restored.bundle}"]
    rest = ", …" if len(restored.removed) > _MOST_COLUMNS else ""
    said.append(f"{len(restored.removed)} column(s) removed: {', '.join(restored.removed[:_MOST_COLUMNS])}{rest}")
    for column, rows in restored.places.items():
        kept, emptied = restored.kept[column], restored.emptied[column]
        more = ", …" if kept + emptied > len(rows) else ""
        changed = ", ".join([f"{kept:,} kept"] * bool(kept) + [f"{emptied:,} emptied"] * bool(emptied))
        said.append(f"{column}: cells that people changed: {changed} (rows {', '.join(map(str, rows))}{more})")
    if restored.unknown:
        said.append(f"{restored.unknown:,} row(s) are not of this run: nothing was taken out of them")
    if restored.missing:
        said.append(f"{restored.missing:,} row(s) of this run are no longer in the table")
    if restored.redacted:
        columns = ", ".join(map(str, restored.redacted))
        said.append(
            f"the text stays redacted (column {columns} when it was coded): an undo file holds no text, take it from "
            "the file that was coded"
        )
    return [*said, *(f"note: {note}" for note in restored.notes)]
