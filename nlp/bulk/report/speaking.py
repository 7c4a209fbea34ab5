"""Sentences, numbers and names in the language of the reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...codebook import Codebook
from ...errors import SettingsError
from .counts import WITHHELD, Shown
from .groups import NOT_STATED, OTHER
from .names import COUNTRIES, LANGUAGE_NAMES
from .wording import LANGUAGES, TEXTS

_THIN = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True)
class Words:
    """All that depends on the language of the reader. Raises `SettingsError` for one that the report has not."""

    language: str
    codebook: Codebook

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise SettingsError(f"the report is written in one of the languages {', '.join(LANGUAGES)}")

    def __call__(self, key: str, **values: str) -> str:
        """A sentence with its places filled in."""
        return self._in(TEXTS[key]).format(**values)

    def number(self, value: int) -> str:
        """A whole number with its thousands apart."""
        return f"{value:,}".replace(",", "," if self.language == "en" else _THIN)

    def decimal(self, value: float, digits: int = 2) -> str:
        """A number with some digits behind the point."""
        text = f"{value:.{digits}f}".replace("-", "−")
        return text if self.language == "en" else text.replace(".", ",")

    def percent(self, share: float, digits: int = 0) -> str:
        """A share as a percentage; what is nearly nothing or nearly all does not become 0 or 100."""
        bare = 100 * share
        least = 10.0**-digits
        if 0 < bare < least / 2:
            return f"<{self._percent(least, digits)}"
        if 100 - least / 2 < bare < 100:
            return f">{self._percent(100 - least, digits)}"
        return self._percent(bare, digits)

    def count(self, cell: Shown) -> str:
        """A count that may be hidden."""
        if isinstance(cell, int):
            return self.number(cell)
        return "…" if cell == WITHHELD else cell

    def duration(self, seconds: float) -> str:
        """A time in seconds, minutes or hours."""
        units = {"en": ("s", "min", "h"), "ru": ("с", "мин", "ч")}[self.language]
        if seconds < 120:
            return f"{self.decimal(seconds, 1)} {units[0]}"
        minutes = round(seconds / 60)
        return f"{minutes} {units[1]}" if minutes < 120 else f"{minutes // 60} {units[2]} {minutes % 60} {units[1]}"

    def axis(self, axis: str) -> str:
        """The name of an axis."""
        return self._label(self.codebook.axis(axis).label)

    def code(self, code: str) -> str:
        """The name of a code."""
        return self._label(self.codebook.label(code).label)

    def nothing(self, axis: str) -> str:
        """The answer that nothing on the axis applies."""
        return self._label(self.codebook.axis(axis).nothing or {})

    def group(self, kind: str, group: str) -> str:
        """The name of a group."""
        if group in (OTHER, NOT_STATED):
            return self(group)
        names = {"country": COUNTRIES, "language": LANGUAGE_NAMES}.get(kind, {})
        return self._in(names[group]) if group in names else group

    def listed(self, parts: Iterable[str]) -> str:
        """Some parts of a sentence."""
        return "; ".join(parts)

    def _percent(self, value: float, digits: int) -> str:
        return self.decimal(value, digits) + ("%" if self.language == "en" else f"{_THIN}%")

    def _label(self, labels: Mapping[str, str]) -> str:
        return labels.get(self.language) or labels.get(self.codebook.languages[0], "")

    def _in(self, texts: tuple[str, str]) -> str:
        return texts[LANGUAGES.index(self.language)]
