from __future__ import annotations

import ast

import pytest

from nlp.codebook import codebook_json, load_codebook, parse_codebook
from nlp.errors import CodebookError

SMALL = """\
codebook: demo
version: "1"
languages: [en, ru]
axes:
  act:
    label: {en: Act, ru: Действие}
    primary: true
    nothing: {en: Nothing, ru: Ничего}
    groups:
      - id: harm
        label: {en: Harm, ru: Вред}
        codes:
          - {id: harm.blow, label: {en: Blow, ru: Удар}, definition: A blow., beside: [harm.word]}
          - {id: harm.word, label: {en: Word, ru: Слово}, definition: A word., primary: false}
identifiers:
  - {id: PERSON, kind: direct, definition: A name.}
"""


def test_own_codebook_of_a_deployment_is_read():
    codebook = parse_codebook(SMALL)
    assert str(codebook) == "demo 1"
    assert codebook.axis("act").codes == ("harm.blow", "harm.word")
    assert codebook.axis_of("harm.word").id == "act"
    assert codebook.label("harm.blow").beside == ("harm.word",)
    assert not codebook.label("harm.word").may_lead
    assert codebook.axis("act").nothing == {"en": "Nothing", "ru": "Ничего"}


@pytest.mark.parametrize(
    ("old", "new", "line", "code", "reason"),
    [
        ("id: harm.word,", "id: harm.blow,", 14, "harm.blow", "twice"),
        ("{en: Word, ru: Слово}", "{en: Word}", 14, "harm.word", "'ru'"),
        ("{en: Blow, ru: Удар}", "{en: Blow, ru: ''}", 13, "harm.blow", "'ru'"),
        ("beside: [harm.word]", "beside: [harm.gone]", 13, "harm.blow", "harm.gone"),
        ("definition: A word.", "note: A word.", 14, "harm.word", "unknown key"),
        ("id: harm.word", "id: Harm Word", 14, "Harm Word", "lower-case"),
        ("kind: direct", "kind: secret", 16, "PERSON", "direct or quasi"),
        ("{en: Act, ru: Действие}", "{ru: Действие}", 6, "act", "'en'"),
        ('version: "1"', 'version: "1"\nversion: "2"', 3, None, "twice"),
        ("languages: [en, ru]", "languages: [en, ru", 4, None, "YAML"),
    ],
)
def test_broken_codebook_names_line_and_code(old, new, line, code, reason):
    assert old in SMALL
    with pytest.raises(CodebookError) as caught:
        parse_codebook(SMALL.replace(old, new, 1), name="own.yaml")
    assert caught.value.line == line
    assert caught.value.label == code
    assert reason in str(caught.value)
    assert "own.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "source", ["", "[]", "codebook: x", "\x00", "a: !!python/object/apply:os.system [ls]", "axes: {}"]
)
def test_what_is_no_codebook_is_refused(source):
    with pytest.raises(CodebookError):
        parse_codebook(source)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(CodebookError, match="cannot be read"):
        load_codebook(tmp_path / "none.yaml")


def test_digest_follows_the_content_not_the_comments():
    assert parse_codebook("# a comment\n" + SMALL).digest == parse_codebook(SMALL).digest
    assert parse_codebook(SMALL.replace("A blow.", "A hit.")).digest != parse_codebook(SMALL).digest


def test_shipped_codebook_has_the_three_axes_and_sixteen_identifiers(codebook):
    assert [axis.id for axis in codebook.axes] == ["violation", "perpetrator", "population"]
    assert [len(axis.codes) for axis in codebook.axes] == [23, 16, 15]
    assert len(codebook.identifiers) == 16


def test_codebook_is_told_in_the_language_asked_for(codebook):
    russian = codebook_json(codebook, "ru")["axes"][0]
    assert russian["label"] == "Вид нарушения"
    assert codebook_json(codebook)["axes"][0]["label"] == {"en": "Violation type", "ru": "Вид нарушения"}


def test_code_of_the_software_knows_no_code_of_the_codebook(codebook, root):
    codes = {label.code for axis in codebook.axes for label in axis.labels if "." in label.code}
    for package in ("nlp", "training", "service"):
        for path in (root / package).rglob("*.py"):
            tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            texts = {node.value for node in tree if isinstance(node, ast.Constant) and isinstance(node.value, str)}
            assert not texts & codes, path
