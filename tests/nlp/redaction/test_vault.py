from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import MapError, SettingsError
from nlp.keys import VARIABLE, new_key_file, read_key
from nlp.redaction import replace
from nlp.redaction.vault import restore, seal
from nlp.types import Entity, Span

KEY, OTHER = bytes(range(32)), bytes(32)
TEXT = "Zarina called. Then Zarina's brother Olim, tel 555. ZARINA left."


def entities(*words):
    found, at = [], 0
    for kind, word in words:
        start = TEXT.index(word, at)
        at = start + len(word)
        found.append(Entity(Span(start, at), kind, 1.0, "test"))
    return found


REDACTION = replace(
    TEXT,
    entities(("PERSON", "Zarina"), ("PERSON", "Zarina"), ("PERSON", "Olim"), ("PHONE", "555"), ("PERSON", "ZARINA")),
)


def test_text_comes_back_as_it_was():
    assert "Zarina" not in REDACTION.text
    assert restore(REDACTION.text, seal(TEXT, REDACTION, KEY), KEY) == (TEXT, 0)


@given(st.text(min_size=1, max_size=60), st.data())
def test_any_text_comes_back_as_it_was(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    redaction = replace(text, [Entity(span, "PERSON", 1.0, "test") for span in spans])
    assert restore(redaction.text, seal(text, redaction, KEY), KEY) == (text, 0)


def test_each_place_of_an_edited_text_gets_its_own_words():
    edited = "Note. " + REDACTION.text.replace("called", "rang") + " [PHONE_1] [PERSON_9]"
    text, empty = restore(edited, seal(TEXT, REDACTION, KEY), KEY)
    assert text == "Note. " + TEXT.replace("called", "rang") + " 555 [PERSON_9]"
    assert empty == 1


def test_map_holds_no_word_of_the_text_and_is_never_the_same():
    first, second = (seal(TEXT, REDACTION, KEY) for _ in range(2))
    assert first != second
    assert not any(word in first for word in (b"Zarina", b"Olim", b"555", b"PERSON"))


def test_another_key_opens_nothing():
    with pytest.raises(MapError, match="another key"):
        restore(REDACTION.text, seal(TEXT, REDACTION, KEY), OTHER)


@pytest.mark.parametrize("at", [0, 30, 45, 80, -1])
def test_altered_map_is_refused(at):
    content = bytearray(seal(TEXT, REDACTION, KEY))
    content[at] ^= 1
    with pytest.raises(MapError):
        restore(REDACTION.text, bytes(content), KEY)


@pytest.mark.parametrize(
    "content", [b"", b"casecoder redaction map 1\n", b"{}", b"casecoder redaction map 1\n" + b"x" * 20]
)
def test_what_is_no_map_is_refused(content):
    with pytest.raises(MapError):
        restore(REDACTION.text, content, KEY)


def test_new_key_is_for_its_owner_alone_and_never_overwritten(tmp_path):
    path = tmp_path / "key"
    new_key_file(path)
    assert len(read_key(path)) == 32
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(SettingsError, match="exists already"):
        new_key_file(path)


@pytest.mark.parametrize("content", ["", "secret", "AAAA", "*" * 44])
def test_what_is_no_key_is_refused_and_not_repeated(tmp_path, content):
    path = tmp_path / "key"
    path.write_text(content)
    with pytest.raises(SettingsError) as caught:
        read_key(path)
    assert not content or content not in str(caught.value)


def test_key_may_come_from_the_environment(tmp_path):
    path = tmp_path / "key"
    new_key_file(path)
    assert read_key(environ={VARIABLE: path.read_text()}) == read_key(path)
    with pytest.raises(SettingsError, match="key-file"):
        read_key(environ={})
