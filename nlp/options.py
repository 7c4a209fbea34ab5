"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .keys import VARIABLE

READING = "Reading the table"
"""The part of a command's help on how a table is read."""

FileArgument = Annotated[Path, typer.Argument(help="Text file with one narrative, or - for standard input.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
LanguageOption = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="Language of the text (ISO 639-1), such as ru.", show_default="recognized"),
]
BundleOption = Annotated[
    str | None,
    typer.Option(metavar="BUNDLE", help="Folder or name of a bundle; else CASECODER_BUNDLE, else the default."),
]
KeyFileOption = Annotated[
    Path | None, typer.Option(help=f"File with the key of encrypted maps, see `new-key`; else {VARIABLE}.")
]
TextColumnOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column with the narrative: its name, or its number from 1.",
        show_default="found by its name or its texts",
        rich_help_panel=READING,
    ),
]
IdColumnOption = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="Column with the case id.", show_default="found by its name", rich_help_panel=READING
    ),
]
SheetOption = Annotated[
    str | None,
    typer.Option(
        metavar="SHEET",
        help="Sheet of an .xlsx file: its name or number.",
        show_default="the only one with data",
        rich_help_panel=READING,
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Encoding of a .csv file, such as windows-1251.",
        show_default="found out",
        rich_help_panel=READING,
    ),
]
DelimiterOption = Annotated[
    str | None,
    typer.Option(
        metavar="SIGN", help="Delimiter of a .csv file, such as ';'.", show_default="found out", rich_help_panel=READING
    ),
]
HeaderOption = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first row names the columns.",
        show_default="found out",
        rich_help_panel=READING,
    ),
]
