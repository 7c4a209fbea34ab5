"""Text -> states: one multilingual transformer, one forward pass for coding and for finding names.

The tokenizer and the network lie in the bundle as ``tokenizer.json`` and ``encoder.onnx``. Long texts go in
overlapping windows, one window a pass: dynamic int8 scales a whole batch together, so a batch would make results depend
on its neighbors.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from .view import View

WINDOW = 510  # tokens a pass, beside the two that mark its ends; the network has 512 positions
OVERLAP = 128  # tokens that neighboring windows share, so that each token is read with what stands around it

_MARKS = ("<s>", "</s>", "<unk>", "<pad>")

Network = Callable[[np.ndarray], np.ndarray]
"""Token numbers of one window, of shape (n_tokens,) -> states of shape (n_tokens, width)."""


@dataclass(frozen=True)
class Tokens:
    """Pieces of words of one text: their numbers, and where they start and end in it, each of shape (n_tokens,).

    Offsets are code points of the text as received; a piece that stands for nothing in the text has no place here.
    """

    ids: np.ndarray = field(repr=False)
    starts: np.ndarray = field(repr=False)
    ends: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    def within(self, start: int, end: int) -> slice:
        """The tokens that share a character with ``[start, end)``."""
        first = int(np.searchsorted(self.ends, start, side="right"))
        return slice(first, max(first, int(np.searchsorted(self.starts, end, side="left"))))


@dataclass(frozen=True)
class States:
    """What the encoder says of each token: ``vectors`` is of shape (n_tokens, width), float32."""

    tokens: Tokens
    vectors: np.ndarray = field(repr=False)

    def received(self, view: View) -> States:
        """The same states, of a view's text, with their tokens where they stand in the received text."""
        tokens = self.tokens
        if not len(tokens):
            return self
        starts, ends = np.asarray(view.starts)[tokens.starts], np.asarray(view.ends)[tokens.ends - 1]
        return States(Tokens(tokens.ids, starts, ends), self.vectors)


class WordPieces:
    """Cuts text into the pieces that the encoder knows. Texts are never cut off."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        marks = [tokenizer.token_to_id(mark) for mark in _MARKS]
        self.start, self.end, self.unknown, self.padding = (0 if mark is None else mark for mark in marks)

    @classmethod
    def from_json(cls, content: bytes) -> WordPieces:
        """Load a ``tokenizer.json``. Raises ValueError if it is none."""
        try:
            tokenizer = Tokenizer.from_buffer(content)
        except Exception:  # the library raises nothing narrower, and quotes the file
            raise ValueError("it is no tokenizer") from None
        if any(tokenizer.token_to_id(mark) is None for mark in _MARKS):
            raise ValueError("it is no tokenizer of the kind that XLM-RoBERTa has")
        return cls(tokenizer)

    def cut(self, text: str) -> Tokens:
        """The pieces of a text, without blanks at their edges."""
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        ids, starts, ends = [], [], []
        for number, (first, last) in zip(encoding.ids, encoding.offsets, strict=True):
            piece = text[first:last]
            start = first + len(piece) - len(piece.lstrip())
            end = first + len(piece.rstrip())
            if start < end:
                ids.append(number)
                starts.append(start)
                ends.append(end)
        return Tokens(*(np.array(values, dtype=np.int64) for values in (ids, starts, ends)))

    def framed(self, ids: np.ndarray) -> np.ndarray:
        """A window between the two marks of its ends."""
        return np.concatenate([[self.start], ids, [self.end]])


@dataclass(frozen=True)
class Window:
    """Tokens ``[start, end)`` go through the network together; of their states ``[first, last)`` are kept."""

    start: int
    end: int
    first: int
    last: int


def windows(n: int, *, size: int = WINDOW, overlap: int = OVERLAP) -> Iterator[Window]:
    """Windows over ``n`` tokens, of about equal length; each token is kept from the window in which it is farther from
    an edge."""
    if not n:
        return
    count = 1 if n <= size else -(-(n - overlap) // (size - overlap))
    step = (n - size) / (count - 1) if count > 1 else 0.0
    starts = [round(step * number) for number in range(count)]
    ends = [min(n, start + size) for start in starts]
    seams = [0, *((following + end) // 2 for following, end in zip(starts[1:], ends[:-1], strict=True)), n]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        yield Window(start, end, seams[number], seams[number + 1])


def silent_onnxruntime() -> Any:
    """The library onnxruntime, which tells nobody that it runs. Import it nowhere else first.

    From version 1.29 on its own builds otherwise send Microsoft a message when they are imported (path of the program,
    system, a number made up for this machine) and keep that number in the user's cache. The variable prevents all of
    that, but only before the import; the library's own call comes too late for that message.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # builds for Windows apps do not read the variable
    return onnxruntime


def onnx_network(content: bytes, *, threads: int | None = None) -> Network:
    """The network of an ``encoder.onnx``, on the processor alone.

    ``threads`` is how many cores one text may use, by default all. Raises ValueError if it is none that onnxruntime
    can run.
    """
    onnxruntime = silent_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its warnings are of no use to whoever codes
    if threads:
        options.intra_op_num_threads = threads
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        inputs, outputs = [item.name for item in session.get_inputs()], [item.name for item in session.get_outputs()]
    except Exception as error:  # the library's errors have no common class of their own
        raise ValueError(f"onnxruntime cannot run it ({type(error).__name__})") from None
    if inputs != ["ids"] or outputs != ["states"]:
        raise ValueError("it does not turn ids into states")
    return partial(_run, session)


def _run(session: Any, ids: np.ndarray) -> np.ndarray:
    return np.asarray(session.run(["states"], {"ids": ids[None]})[0][0])


class Encoder:
    """Word pieces and the network; read-only, so that threads can share it.

    Parameters
    ----------
    pieces : cuts text into tokens.
    network : see `Network`.
    width : numbers in a state.
    """

    def __init__(self, pieces: WordPieces, network: Network, *, width: int) -> None:
        self.pieces = pieces
        self.network = network
        self.width = width

    def encode(self, text: str) -> States:
        """States of every token of a text, however long it is."""
        tokens = self.pieces.cut(text)
        vectors = np.zeros((len(tokens), self.width), dtype=np.float32)
        for window in windows(len(tokens)):
            states = self.network(self.pieces.framed(tokens.ids[window.start : window.end]))[1:-1]
            vectors[window.first : window.last] = states[window.first - window.start : window.last - window.start]
        return States(tokens, vectors)
