"""What the command groups of ``casecoder-train`` share: options, files of figures, progress bars."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from nlp.codebook import Codebook
from nlp.errors import CorpusError

from .corpus import Case, read_cases

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The run's configuration (TOML).")]
RunOption = Annotated[Path, typer.Option("--run", help="Folder of this run's working files.")]
CodebookOption = Annotated[Path, typer.Option(help="The codebook.")]
NarrativesArgument = Annotated[Path, typer.Argument(help="A JSONL file of narratives or a folder of them.")]

CONFIG = Path(str(importlib.resources.files("training"))) / "configs" / "encoder.toml"
RUN = Path("build/encoder")
LINEAR_CONFIG = CONFIG.with_name("linear.toml")
LINEAR_RUN = Path("build/linear")
CODEBOOK = Path("annotations/codebook.yaml")
NARRATIVES = Path("annotations/narratives")

console = Console(stderr=True)


@contextmanager
def progress(what: str, total: int) -> Iterator[Any]:
    """A progress bar on standard error; yields what moves it on by one."""
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def write_json(path: Path, value: Any) -> None:
    """Write figures as JSON, readable for people."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file, and the folder that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def read_json(path: Path) -> Any:
    """Stored figures. Raises `CorpusError`."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise CorpusError("is missing: run the steps before this one", source=str(path), line=0) from None
    except json.JSONDecodeError as error:
        raise CorpusError("is no JSON", source=str(path), line=error.lineno) from None


def split_of(run: Path, name: str, book: Codebook) -> list[Case]:
    """The cases of a prepared split. Raises `CorpusError`."""
    path = run / f"{name}.jsonl"
    if not path.exists():
        raise CorpusError("is missing: run `casecoder-train prepare` first", source=str(path), line=0)
    return read_cases(path, book)


def said(value: float | list[float] | None) -> str:
    if value is None:
        return "–"
    return "–".join(f"{item:.3f}" for item in value) if isinstance(value, list) else f"{value:.3f}"
