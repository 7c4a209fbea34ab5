"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .keys import VARIABLE

FileArgument = Annotated[Path, typer.Argument(help="Text file with one narrative, or - for standard input.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
LanguageOption = Annotated[str | None, typer.Option(help="Language of the text (ISO 639-1); recognized if not given.")]
BundleOption = Annotated[
    str | None, typer.Option(help="Folder or name of a bundle; else CASECODER_BUNDLE, else the default.")
]
KeyFileOption = Annotated[
    Path | None, typer.Option(help=f"File with the key of encrypted maps, see `new-key`; else {VARIABLE}.")
]
TextColumnOption = Annotated[
    str | None,
    typer.Option(help="Column with the narrative: its name, or its number from 1. [default: text, or found out]"),
]
IdColumnOption = Annotated[str | None, typer.Option(help="Column with the case id. [default: id, or found out]")]
SheetOption = Annotated[str | None, typer.Option(help="Sheet of an .xlsx file: its name or number.")]
EncodingOption = Annotated[
    str | None, typer.Option(help="Encoding of a .csv file, such as windows-1251; found out if not given.")
]
DelimiterOption = Annotated[str | None, typer.Option(help="Delimiter of a .csv file; found out if not given.")]
HeaderOption = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the first row names the columns; found out if not given."),
]
