"""spaCy ``DocBin``: identifiers as entities, codes as categories, evidence as a span group, the rest as user data.

Tokens are those of spaCy's multilingual tokenizer, cut once more where a mark begins or ends inside one, so that
every mark keeps its exact place. Where nobody marked identifiers, entities are missing, not outside. Categories of an
axis that was not coded are missing; of a coded axis, every code has 0 or 1.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from nlp.codebook import Codebook
from nlp.errors import CorpusError

from ..corpus import Case
from .regions import Annotated, Region, from_annotated, to_annotated, unique

EVIDENCE = "evidence"
_ABOUT = "casecoder"


def write_docbin(path: Path, cases: Iterable[Case], codebook: Codebook) -> None:
    """Write cases as one ``.spacy`` file."""
    packed = DocBin(store_user_data=True)
    for case in cases:
        packed.add(_doc(to_annotated(case), codebook))
    packed.to_disk(path)


@cache
def _blank() -> Language:
    return spacy.blank("xx")


def _doc(item: Annotated, codebook: Codebook) -> Doc:
    types = {identifier.id for identifier in codebook.identifiers}
    doc, at_token = _built(item.text, item.regions)

    def span(region: Region) -> Span:
        return Span(doc, at_token[region.start], at_token[region.end], label=region.label)

    entities = [span(region) for region in item.regions if region.label in types]
    doc.set_ents(entities, default="outside" if item.marked else "missing")
    doc.spans[EVIDENCE] = [span(region) for region in item.regions if region.label not in types]
    doc.cats = {
        code: float(code in item.choices[axis.id])
        for axis in codebook.axes
        if axis.id in item.choices
        for code in axis.codes
    }
    known = {"about": dict(item.about), "primary": dict(item.primary), "marked": item.marked}
    doc.user_data[_ABOUT] = json.dumps(known, ensure_ascii=False)  # as text, since user data gives lists back as tuples
    return doc


def _bounds(text: str, regions: Iterable[Region]) -> list[int]:
    """Where pieces begin and end: at tokens, and where marks begin and end."""
    bounds = {0, len(text)} | {at for region in regions for at in region[:2]}
    for token in _blank().make_doc(text):
        bounds |= {token.idx, token.idx + len(token.text)}
    return sorted(bounds)


def _built(text: str, regions: Collection[Region]) -> tuple[Doc, dict[int, int]]:
    """A document cut at tokens and marks, and the number of the token that begins at each cut.

    A single blank belongs to the word before it, unless a mark begins or ends with it: spans do not hold the blank
    after their last token, so there it is a token of its own.
    """
    firsts, ends = {region.start for region in regions}, {region.end for region in regions}
    words: list[str] = []
    spaces: list[bool] = []
    at_token: dict[int, int] = {}
    for start, end in pairwise(_bounds(text, regions)):
        piece = text[start:end]
        at_token[start] = len(words)
        is_marked = start in firsts or end in ends
        if piece == " " and words and not is_marked and not spaces[-1] and not words[-1].isspace():
            spaces[-1] = True
        else:
            words.append(piece)
            spaces.append(False)
    at_token[len(text)] = len(words)
    return Doc(_blank().vocab, words=words, spaces=spaces), at_token


def read_docbin(path: Path, codebook: Codebook) -> list[Case]:
    """Read a ``.spacy`` file that `write_docbin` wrote, perhaps corrected since. Raises `CorpusError` with the number
    of the document and reason."""
    try:
        docs = list(DocBin().from_disk(path).get_docs(_blank().vocab))
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:  # as msgpack of another shape brings
        raise CorpusError(f"cannot be read as DocBin ({type(error).__name__})", source=path.name, line=0) from None
    return unique(_cases(docs, codebook, path.name), source=path.name)


def _cases(docs: Iterable[Doc], codebook: Codebook, source: str) -> Iterator[Case]:
    for number, doc in enumerate(docs, 1):
        try:
            item = _annotated(doc, codebook)
        except (ValueError, TypeError, AttributeError):
            raise CorpusError("has user data or categories that are not ours", source=source, line=number) from None
        yield from_annotated(item, codebook, source=source, line=number)


def _annotated(doc: Doc, codebook: Codebook) -> Annotated:
    known: dict[str, Any] = json.loads(doc.user_data.get(_ABOUT) or "{}")
    regions = [Region(s.start_char, s.end_char, s.label_) for s in [*doc.ents, *doc.spans.get(EVIDENCE, ())]]
    choices = {
        axis.id: tuple(code for code in axis.codes if doc.cats.get(code, 0) >= 0.5)
        for axis in codebook.axes
        if any(code in doc.cats for code in axis.codes)
    }
    return Annotated(
        doc.text,
        tuple(regions),
        choices,
        dict(known.get("primary") or {}),
        dict(known.get("about") or {}),
        bool(known.get("marked", doc.has_annotation("ENT_IOB"))),
    )
