"""The way back from a redacted text: what stood where, encrypted. Without the map and its key there is none.

AES-256 in Galois/counter mode (NIST SP 800-38D) by ``cryptography``: a map that was altered, or is opened with another
key, is refused. A random nonce of 96 bits for each map; one key may seal 2**32 maps.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ..errors import MapError
from ..types import Redaction
from ..view import PLACEHOLDER

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MARK = b"casecoder redaction map 1\n"
_NONCE = 12  # bytes


def seal(text: str, redaction: Redaction, key: bytes) -> bytes:
    """The encrypted map of a redaction of ``text``; ``key`` as `nlp.keys.read_key` gives it."""
    content = {
        "text": sha256(redaction.text.encode()).hexdigest(),
        "replacements": [
            {
                "start": item.redacted_span.start,
                "placeholder": item.placeholder,
                "words": text[item.entity.span.start : item.entity.span.end],
            }
            for item in redaction.replacements
        ],
    }
    nonce = secrets.token_bytes(_NONCE)
    return _MARK + nonce + _cipher(key).encrypt(nonce, json.dumps(content).encode(), _MARK)


def restore(redacted: str, content: bytes, key: bytes) -> tuple[str, int]:
    """The text before redaction, and how many placeholders of it could not be filled.

    In a redacted text that was edited afterwards, each placeholder gets the words of the place that it stood at,
    counted among its equals, and one that is there more often than before those of its last. Raises `MapError` for a
    map that was altered, is none, or was sealed with another key, and for an edited text with invented names or dates:
    they cannot be told from other words.
    """
    known = _open(content, key)
    if known["text"] == sha256(redacted.encode()).hexdigest():
        return _put_back(redacted, known["replacements"]), 0
    if not all(PLACEHOLDER.fullmatch(item["placeholder"]) for item in known["replacements"]):
        raise MapError(
            "is of a text with invented names or dates, and the text was edited since: give it as it came out"
        )
    words: dict[str, list[str]] = defaultdict(list)
    for item in known["replacements"]:
        words[item["placeholder"]].append(item["words"])
    parts, at, empty = [], 0, 0
    seen: dict[str, int] = defaultdict(int)
    for match in PLACEHOLDER.finditer(redacted):
        forms = words.get(match[0])
        parts += [redacted[at : match.start()], forms[min(seen[match[0]], len(forms) - 1)] if forms else match[0]]
        seen[match[0]] += 1
        empty += not forms
        at = match.end()
    return "".join([*parts, redacted[at:]]), empty


def _put_back(redacted: str, replacements: list[dict[str, Any]]) -> str:
    parts, at = [], 0
    for item in replacements:
        start = int(item["start"])
        parts += [redacted[at:start], str(item["words"])]
        at = start + len(str(item["placeholder"]))
    return "".join([*parts, redacted[at:]])


def _open(content: bytes, key: bytes) -> dict[str, Any]:
    nonce, sealed = content[len(_MARK) :][:_NONCE], content[len(_MARK) + _NONCE :]
    if not content.startswith(_MARK) or len(sealed) < 16:
        raise MapError("is no map of a redaction")
    from cryptography.exceptions import InvalidTag

    try:
        found: dict[str, Any] = json.loads(_cipher(key).decrypt(nonce, sealed, _MARK))
    except InvalidTag:
        raise MapError("was sealed with another key, or altered") from None
    return found


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
