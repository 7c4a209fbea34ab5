"""What the words right before a name tell: the cases that a Slavic preposition governs, and a person's gender."""

from __future__ import annotations

import re
from functools import cache

_GOVERNED = {
    "ru": (
        "от из у для без до после около возле против кроме gen; с со gen ins; к ко благодаря dat; по dat loc; "
        "через про acc; в во на acc loc; за под acc ins; о об обо loc; над перед между ins; при loc"
    ),
    "uk": (
        "від з із зі до у для без після біля проти крім gen ins loc acc; про через acc; в на acc loc; "
        "за під acc ins; над перед між ins; при по loc; завдяки dat"
    ),
    "sr": (
        "od iz kod do bez posle nakon protiv blizu oko zbog ispred iza gen; s sa gen ins; k ka prema dat loc; "
        "u na acc loc; za kroz acc; o po pri loc; pod nad među pred ins acc"
    ),
    "sr-cyrl": (
        "од из код до без после након против близу око због испред иза gen; с са gen ins; к ка према dat loc; "
        "у на acc loc; за кроз acc; о по при loc; под над међу пред ins acc"
    ),
}
_GOVERNED["bs"] = _GOVERNED["sr"]
_CASES = frozenset("gen dat acc ins loc".split())
_LAST_WORD = re.compile(r"(\w+)[\s«„\"“]+(?:м\.|г\.|с\.|город\w?\s|місті\s)?\s?\Z")


@cache
def _table(language: str) -> dict[str, frozenset[str]]:
    table = {}
    for group in _GOVERNED.get(language, "").split(";"):
        words = group.split()
        cases = frozenset(word for word in words if word in _CASES)
        table.update({word: cases for word in words if word not in _CASES})
    return table


def cases_after(before: str, language: str) -> frozenset[str]:
    """The cases that the text before a name allows; empty where it does not tell."""
    match = _LAST_WORD.search(before[-30:])
    return _table(language).get(match[1].lower(), frozenset()) if match else frozenset()


_WOMEN = (
    "мать мама жена сестра дочь свекровь теща тёща золовка невестка бабушка тетя тётя подруга соседка медсестра "
    "клиентка "
    "пациентка заявительница акушерка санитарка свекруха мати дружина сестра дочка теща подружка сусідка клієнтка "
    "заявниця пані "
    "mother wife sister daughter aunt grandmother grandma girlfriend mrs ms mama girl woman midwife she "
    "majka mati supruga žena sestra kći kćerka baba tetka snaha svekrva prijateljica stanarka klijentkinja "
    "мајка жена сопруга сестра ќерка баба тетка сопругата мајката сестрата "
    "nëna gruaja motra vajza gjyshja zonja mama soția sora fiica mătușa bunica doamna nora soacra nepoata "
    "ana anası anam bacı bacısı qızı qızım arvadı xanım nənə qaynana анасы апасы келіні енесі қызы әпкесі жеңгесі "
    "шешесі "
    "қарындасы сіңлісі апам апа эже эжеси кайненеси кызы аялы онаси опаси қизи хотини модар модараш духтараш "
    "завҷааш хоҳараш апааш "
    "onasi opasi qizi xotini singlisi დედა ქალიშვილი მეუღლე ბებია մայրը քույրը կինը աղջիկը սկեսուրը տատիկը"
)
_MEN = (
    "отец папа муж брат сын свекор свёкор тесть зять деверь дедушка дядя друг сосед санитар охранник водитель "
    "капитан лейтенант "
    "майор сержант батько чоловік брат син свекор тесть дід дядько друг сусід "
    "father husband brother son uncle grandfather grandpa boyfriend mr boy man he sergeant captain "
    "otac muž suprug brat sin deda stric ujak prijatelj gazda татко маж сопруг брат син дедо вујко сопругот братот "
    "babai burri vëllai djali gjyshi zoti tatăl soțul fratele fiul unchiul bunicul domnul nepotul "
    "atası əri qardaşı oğlu oğlum atam dayı əmi baba әкесі күйеуі ағасы ұлы інісі атасы жездесі атасы күйөөсү "
    "агасы уулу иниси "
    "отаси эри акаси ўғли укаси падар падараш шавҳараш бародараш писараш ota eri akasi oʻgʻli ukasi "
    "მამა ძმა ქმარი ვაჟი შვილი ბაბუა ბიძა հայրը եղբայրը ամուսինը տղան տղաս պապը հորեղբայրը"
)
_GENDERS = dict.fromkeys(_MEN.split(), "m") | dict.fromkeys(_WOMEN.split(), "f")


def gender_before(before: str) -> str | None:
    """The gender that the word before a name tells: mother, husband; None where it does not."""
    words = re.findall(r"\w+", before[-30:])
    return _GENDERS.get(words[-1].lower()) if words else None
