"""Number plates of the countries served and of Russia, in the blanks and dashes people use."""

from __future__ import annotations

import re

from ..base import PatternRecognizer
from ..regional import any_of

_BOTH = "A-ZАВЕКМНОРСТУХІЕ"  # Latin letters, and the Cyrillic ones that look like them
_GAP = "[ -]?"

_FORMS = (
    rf"[{_BOTH}]{{2}}{_GAP}\d{{4}}{_GAP}[{_BOTH}]{{2}}",  # Ukraine AA 1234 BB
    rf"\d{{2}}{_GAP}KG{_GAP}\d{{3}}{_GAP}[A-Z]{{2,3}}",  # Kyrgyzstan 01KG 123 ABC
    rf"\d{{3}}{_GAP}[A-Z]{{2,3}}{_GAP}\d{{2}}",  # Kazakhstan 123 ABC 02
    r"[A-Z]\d{3}[A-Z]{2,3}\d{0,2}|[A-Z] ?\d{4} ?[A-Z]{1,2}",  # Kazakhstan and Kyrgyzstan, older: A123BCD, B 1234 C
    rf"[{_BOTH}] ?\d{{3}} ?[{_BOTH}]{{2}} ?\d{{2,3}}",  # Russia A123BC 77
    rf"\d{{2}}{_GAP}[A-Z]{_GAP}\d{{3}}{_GAP}[A-Z]{{2}}|\d{{2}}[ -]\d{{3}} ?[A-Z]{{3}}",  # Uzbekistan 01 A 123 BC
    r"\d{2}[ -][A-Z]{2}[ -]\d{3}",  # Azerbaijan 10-AA-123; Armenia 12 AB 345
    r"\d{3}[ -][A-Z]{2}[ -]\d{2}|\d{2} ?[A-Z]{2} ?\d{3}",  # Armenia 123 AB 45
    # Georgia AA-123-AA; Moldova ABC 123; Albania AA 123 AA
    rf"[{_BOTH}]{{2}}[ -]\d{{3}}[ -][{_BOTH}]{{2}}|[A-Z]{{3}}[ -]\d{{3}}",
    rf"\d{{4}}{_GAP}[{_BOTH}]{{2}}{_GAP}\d{{2}}",  # Tajikistan 1234 AB 01
    r"[A-Z]\d{2}-[A-Z]-\d{3}",  # Bosnia A12-B-345
    # Montenegro PG AB 123; Serbia, Macedonia
    r"[A-ZČŠŽ]{2}[ -][A-Z]{2}[ -]?\d{3}|[A-ZČŠŽ]{2}[ -]\d{3,4}[ -][A-ZČŠŽĆ]{2}",
    r"MAI[ -]?\d{4}",  # Moldova, police
)

_MONEY = re.compile(
    r"(?:SOM|SUM|UAH|KZT|UZS|MDL|RON|LEI|GEL|AMD|AZN|KGS|TJS|RSD|BAM|MKD|DEN|ALL|LEK|EUR|USD|RUB|TEN)\b"
)
"""Thousands with their currency look like a plate."""

PLATE = PatternRecognizer(
    name="plate",
    entity_type="VEHICLE",
    pattern=rf"(?<![\w-])(?:{'|'.join(_FORMS)})(?![\w-])",
    source="number plates of the countries served and Russia",
    score=0.76,
    accept=lambda match: not _MONEY.search(match[0]),
)

_PLATE_WORDS = (
    r"гос\.?\s?номер\w{0,2}|госномер\w{0,2}|г/н|номер\w{0,2}(?:\s(?:машин\w{1,2}|авто\w{0,7}))?|"
    r"номерн\w{2,3}\sзнак\w{0,2}|бортов\w{2,3}\s(?:знак\w?|номер\w?)|"
    r"ездит|машин\w{1,2}|авто|уазик\w?|жигул\w{1,3}|маршрутк\w|такси|"
    r"plates?(?:\s(?:number|no\.?))?|number(?:\splate)?|licen[cs]e\splates?|(?:car|bus|taxi)(?:\s(?:number|"
    r"plate))?|registration|reg\.?(?:\sno\.?)?|vehicle|jeep|van|half\sof\s(?:the\s)?(?:number|plate)|"
    rf"tablice|targa|numărul|broj|{any_of('vehicle')}"
)

NAMED_PLATE = PatternRecognizer(
    name="named-plate",
    entity_type="VEHICLE",
    pattern=rf"(?<![\w-])(?=[{_BOTH}А-ЯЀ-ЏĆČŠŽ -]{{0,9}}\d)(?:[{_BOTH}А-ЯЀ-ЏĆČŠŽ]{{1,4}}|\d{{2,4}})(?:[ "
    rf"-]?(?:[{_BOTH}А-ЯЀ-ЏĆČŠŽ]{{1,3}}|\d{{1,4}})){{1,4}}(?!\w)",
    before=rf"(?<!\w)(?:{_PLATE_WORDS})[\s:,(–—-]{{1,3}}(?:(?:was|is|number|номер|no\.?|№|мой|"
    rf"его)[\s:]{{1,2}}){{0,2}}",
    source="what stands after the word for a number plate",
    score=0.78,
    accept=lambda match: any(character.isalpha() for character in match[0]) and any(c.isdigit() for c in match[0]),
)

RECOGNIZERS = (PLATE, NAMED_PLATE)
