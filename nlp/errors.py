"""Everything that casecoder raises on purpose.

::

    CasecoderError
    |- CodebookError         (ValueError)         a codebook file that cannot be used: names line and code
    |- NarrativeError        (ValueError)         a text that cannot be analyzed
    |  |- NarrativeEmpty                          nothing in it to read
    |  |- NarrativeTooLong                        longer than the limit
    |  |- NarrativeUnreadable                     NUL, lone surrogates, undecodable bytes
    |  `- LanguageNotServed                       a language the bundle was not trained for
    |- TableError            (ValueError)         an input file of `bulk` that cannot be read
    |- OutputError           (OSError)            a result that cannot be written
    |- RunError              (ValueError)         a run of `bulk` that cannot begin, go on or be proved
    |- BundleError           (ValueError)
    |  |- BundleNotFound     (FileNotFoundError)
    |  |- BundleCorrupt                           a file is missing, added or altered
    |  `- BundleIncompatible                      made for another version of the software
    |- SettingsError         (ValueError)         an environment variable that cannot be used
    |- MapError              (ValueError)         a map of a redaction that cannot be opened
    |- CorpusError           (ValueError)         an annotated narrative that breaks a rule: names file, line and reason
    `- BackendUnavailable    (RuntimeError)       an optional part that is not installed

Each carries a stable ``code``, its facts as attributes and a sentence that says what to do. No message ever holds
text of a
narrative.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class CasecoderError(Exception):
    """Base of all errors that casecoder raises on purpose."""

    code = "casecoder"


class CodebookError(CasecoderError, ValueError):
    """A codebook that breaks a rule; ``line`` counts from 1, ``label`` is the code at fault or None."""

    code = "codebook.invalid"

    def __init__(self, reason: str, *, source: str, line: int, label: str | None = None) -> None:
        at = f" at code {label!r}" if label else ""
        super().__init__(f"{source}, line {line}{at}: {reason}")
        self.source = source
        self.line = line
        self.label = label
        self.reason = reason


class NarrativeError(CasecoderError, ValueError):
    """A narrative that cannot be analyzed."""

    code = "narrative.invalid"


class NarrativeEmpty(NarrativeError):
    """A narrative without a single letter."""

    code = "narrative.empty"

    def __init__(self) -> None:
        super().__init__("there is no word in this narrative: write what happened, in a sentence or more")


class NarrativeTooLong(NarrativeError):
    """A narrative longer than the limit; both counted in code points."""

    code = "narrative.too_long"

    def __init__(self, *, length: int, limit: int) -> None:
        super().__init__(
            f"the narrative has {length:,} characters or more, the limit is {limit:,}: give one case at a time, "
            "or raise CASECODER_MAX_CHARACTERS"
        )
        self.length = length
        self.limit = limit


class NarrativeUnreadable(NarrativeError):
    """Characters that no text has: the file is binary, damaged, or read in the wrong encoding."""

    code = "narrative.unreadable"

    def __init__(self, what: str, *, position: int) -> None:
        super().__init__(
            f"the text holds {what} at character {position}: it was damaged or read in the wrong encoding; "
            "save it again as UTF-8"
        )
        self.what = what
        self.position = position


class RedactionUnsettled(NarrativeError):
    """A redaction in which more and more was found: no text comes out rather than one that is half redacted."""

    code = "narrative.unsettled"

    def __init__(self) -> None:
        super().__init__(
            "the redaction found no end; cut this narrative into parts, and read them before you share them"
        )


class LanguageNotServed(NarrativeError):
    """A language that the loaded bundle was not trained for; None where no language was recognized."""

    code = "narrative.language"

    def __init__(self, language: str | None, served: Sequence[str]) -> None:
        # A stated language may be anything that somebody typed: only what looks like a code is said again.
        is_code = language is not None and 2 <= len(language) <= 3 and language.isascii() and language.islower()
        found = f"the language '{language}' is" if is_code else "the language was not recognized, or is"
        super().__init__(
            f"{found} not served by this bundle (it serves {', '.join(served)}): "
            "state the language if it was taken for another, or code this case by hand"
        )
        self.language = language
        self.served = tuple(served)


class TableError(CasecoderError, ValueError):
    """An input table that cannot be read, or a choice that has to be made first."""

    code = "table.invalid"


class OutputError(CasecoderError, OSError):
    """A result that cannot be written; nothing is left half written."""

    code = "output.failed"


class RunError(CasecoderError, ValueError):
    """A run of `bulk` that cannot begin, go on or be proved, since what it works on is in use or was changed."""

    code = "run.refused"


class BundleError(CasecoderError, ValueError):
    """A bundle that cannot be used."""

    code = "bundle.invalid"


class BundleNotFound(BundleError, FileNotFoundError):
    """No bundle at the given place."""

    code = "bundle.not_found"

    def __init__(self, path: Path | str) -> None:
        super().__init__(
            f"there is no bundle at {path}: give a folder with a manifest.json by --bundle or CASECODER_BUNDLE, "
            "or one of the names of `casecoder bundle list`"
        )
        self.path = str(path)

    def __str__(self) -> str:
        return str(self.args[0])


class BundleCorrupt(BundleError):
    """A bundle whose files are not those of its manifest."""

    code = "bundle.corrupt"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"bundle {name} is damaged or altered: {reason}; install it again from its source")
        self.name = name
        self.reason = reason


class BundleIncompatible(BundleError):
    """A bundle made for another version of casecoder."""

    code = "bundle.incompatible"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"bundle {name} does not fit this version of casecoder: {reason}")
        self.name = name
        self.reason = reason


class SettingsError(CasecoderError, ValueError):
    """An environment variable that cannot be used."""

    code = "settings.invalid"


class MapError(CasecoderError, ValueError):
    """A map of a redaction that cannot be opened."""

    code = "map.invalid"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the map {reason}")


class CorpusError(CasecoderError, ValueError):
    """An annotated narrative that breaks a rule; ``line`` counts from 1, 0 is the whole file."""

    code = "corpus.invalid"

    def __init__(self, reason: str, *, source: str, line: int) -> None:
        super().__init__(f"{source}, line {line}: {reason}" if line else f"{source}: {reason}")
        self.source = source
        self.line = line
        self.reason = reason


class InterchangeError(CasecoderError, ValueError):
    """A payload of another system, or a mapping for it, that cannot be used. ``place`` says where, such as
    ``events[3].dataValues[2]``; no value that stands there is ever told."""

    code = "interchange.invalid"

    def __init__(self, reason: str, *, place: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class BackendUnavailable(CasecoderError, RuntimeError):
    """A part whose libraries are not installed; names the extra that brings them."""

    code = "backend.unavailable"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs more libraries: install casecoder again from its folder or wheel with [{extra}]"
        )
        self.extra = extra
