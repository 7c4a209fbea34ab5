"""Case suffixes of the languages that add them to an unchanged stem: Turkic, Tajik, Georgian, Armenian.

Each function gives the forms of one lemma by case. A case that is spelt as another one is left out.
"""

from __future__ import annotations

from collections.abc import Callable

Forms = dict[str, str]
Paradigm = Callable[[str, str], Forms]  # lemma, kind of name

_VOICELESS = frozenset("пфкқтсшщчцхһ")
_NASAL = frozenset("мнң")


def _last_vowel(word: str, vowels: str) -> str:
    return next((letter for letter in reversed(word.lower()) if letter in vowels), "")


def _kazakh(lemma: str, kind: str) -> Forms:
    """Kazakh: back and front suffixes, the first consonant fitted to the last sound.

    Source: Muhamedowa, Kazakh: A Comprehensive Grammar (2016), ch. 2, 4.
    """
    del kind
    word = lemma.lower()
    back = _last_vowel(word, "аәеёиоөуұүыіэюя") not in frozenset("әеөүіэи")
    a, y = ("а", "ы") if back else ("е", "і")
    last = word[-1]
    vowel = last in "аәеёиоөуұүыіэюя" and not (last in "иу" and len(word) > 1 and word[-2] in "аәеоөыіұү")
    hard = last in _VOICELESS or last in "бвгд"
    genitive = "н" if vowel or last in _NASAL else "т" if hard else "д"
    accusative = "н" if vowel else "т" if hard else "д"
    dative = ("қ" if back else "к") if hard else ("ғ" if back else "г")
    locative = "т" if hard else "д"
    ablative = "н" if last in _NASAL else locative
    instrumental = "п" if hard else "б" if last in "зж" else "м"
    return {
        "gen": f"{lemma}{genitive}{y}ң",
        "dat": f"{lemma}{dative}{a}",
        "acc": f"{lemma}{accusative}{y}",
        "loc": f"{lemma}{locative}{a}",
        "abl": f"{lemma}{ablative}{a}н",
        "ins": f"{lemma}{instrumental}ен",
        "adj": f"{lemma}{locative}{a}{'ғы' if back else 'гі'}",
    }


_KYRGYZ = {
    **dict.fromkeys("аыя", ("а", "ы")),
    **dict.fromkeys("ую", ("а", "у")),
    **dict.fromkeys("оё", ("о", "у")),
    **dict.fromkeys("еэи", ("е", "и")),
    **dict.fromkeys("өү", ("ө", "ү")),
}


def _kyrgyz(lemma: str, kind: str) -> Forms:
    """Kyrgyz: four-way harmony; a final soft sign falls before the suffix (февраль, февралда).

    Source: Imart, Le kirghiz (1981), vol. 1; Kara, Kyrgyz (2003), sec. 3.
    """
    del kind
    stem = lemma.rstrip("ь")
    a, y = _KYRGYZ.get(_last_vowel(stem, "аоуыэеёиөүюя"), ("а", "ы"))
    last = stem[-1].lower()
    vowel = last in "аоуыэеёиөүюя"
    hard = last in _VOICELESS  # в of -ов counts as voiced: Асановдун
    t = "т" if hard else "д"
    return {
        "gen": f"{stem}{'н' if vowel else t}{y}н",
        "dat": f"{stem}{'к' if hard else 'г'}{a}",
        "acc": f"{stem}{'н' if vowel else t}{y}",
        "loc": f"{stem}{t}{a}",
        "abl": f"{stem}{t}{a}н",
        "adj": f"{stem}{t}{a}г{_KYRGYZ[a][1]}",
    }


def _uzbek(lemma: str, kind: str) -> Forms:
    """Uzbek, Latin script: one form a suffix; the dative takes the last k or q.

    Source: Bodrogligeti, An Academic Reference Grammar of Modern Literary Uzbek (2003), ch. 2.
    """
    del kind
    dative = "qa" if lemma.endswith(("q", "gʻ")) else "ka" if lemma.endswith(("k", "g")) else "ga"
    return {
        "gen": f"{lemma}ning",
        "dat": f"{lemma}{dative}",
        "acc": f"{lemma}ni",
        "loc": f"{lemma}da",
        "abl": f"{lemma}dan",
        "adj": f"{lemma}dagi",
    }


def _uzbek_cyrillic(lemma: str, kind: str) -> Forms:
    """Uzbek, Cyrillic script; the source of `_uzbek`."""
    del kind
    dative = "қа" if lemma.endswith(("қ", "ғ")) else "ка" if lemma.endswith(("к", "г")) else "га"
    return {
        "gen": f"{lemma}нинг",
        "dat": f"{lemma}{dative}",
        "acc": f"{lemma}ни",
        "loc": f"{lemma}да",
        "abl": f"{lemma}дан",
        "adj": f"{lemma}даги",
    }


_AZERBAIJANI = {"a": ("a", "ı"), "ı": ("a", "ı"), "o": ("a", "u"), "u": ("a", "u")} | {
    "e": ("ə", "i"),
    "ə": ("ə", "i"),
    "i": ("ə", "i"),
    "ö": ("ə", "ü"),
    "ü": ("ə", "ü"),
}


def _azerbaijani(lemma: str, kind: str) -> Forms:
    """Azerbaijani: two- and four-way harmony; names keep a final k or q.

    Source: Householder and Lotfi, Basic Course in Azerbaijani (1965); Orthographic rules of 2019.
    """
    del kind
    word = lemma.replace("İ", "i").replace("I", "ı").lower()
    a, y = _AZERBAIJANI.get(_last_vowel(word, "aıoueəiöü"), ("ə", "i"))
    vowel = word[-1] in "aıoueəiöü"
    return {
        "gen": f"{lemma}{'n' if vowel else ''}{y}n",
        "dat": f"{lemma}{'y' if vowel else ''}{a}",
        "acc": f"{lemma}{'n' if vowel else ''}{y}",
        "loc": f"{lemma}d{a}",
        "abl": f"{lemma}d{a}n",
        "adj": f"{lemma}dak{'ı' if a == 'a' else 'i'}",
        "ins": f"{lemma}l{a}",
    }


def _tajik(lemma: str, kind: str) -> Forms:
    """Tajik: the ezafe and the object marker.

    Source: Perry, A Tajik Persian Reference Grammar (2005), sec. 2.
    """
    del kind
    ezafe = f"{lemma[:-1]}ии" if lemma.endswith("ӣ") else f"{lemma}и"
    return {"gen": ezafe, "acc": f"{lemma}ро"}


_WHOLE_I = frozenset(
    "გიორგი ირაკლი დიმიტრი იური გოგი გივი ბადრი ვალერი ანი დალი ლალი მერი ეთერი მარი ქეთი ნანი ჯული".split()
)


def _georgian(lemma: str, kind: str) -> Forms:
    """Georgian: given names are stems (nominative with -i after a consonant), other names stand in the nominative.

    Stems on a vowel take short endings; those of places and of surnames on -dze lose the vowel in the genitive.
    Source: Hewitt, Georgian: A Structural Reference Grammar (1995), sec. 2.2.
    """
    stem = lemma[:-1] if lemma.endswith("ი") and lemma not in _WHOLE_I else lemma
    if stem[-1] not in "აეოუი":
        return {
            "nom": f"{stem}ი",
            "stem": stem,
            "erg": f"{stem}მა",
            "dat": f"{stem}ს",
            "gen": f"{stem}ის",
            "ins": f"{stem}ით",
            "in": f"{stem}ში",
            "on": f"{stem}ზე",
            "abl": f"{stem}იდან",
            "with": f"{stem}თან",
            "for": f"{stem}ისთვის",
            "also": f"{stem}იც",
        }
    short = stem[:-1] if stem[-1] in "აე" and (kind == "place" or stem.endswith("ძე")) else ""
    genitive = f"{short}ის" if short else f"{stem}ს"
    return {
        "erg": f"{stem}მ",
        "dat": f"{stem}ს",
        "gen": genitive,
        "ins": f"{short}ით" if short else f"{stem}თი",
        "in": f"{stem}ში",
        "on": f"{stem}ზე",
        "abl": f"{short}იდან" if short else f"{stem}დან",
        "with": f"{stem}სთან",
        "for": f"{genitive}თვის",
        "also": f"{stem}ც",
    }


def _armenian(lemma: str, kind: str) -> Forms:
    """Eastern Armenian: definite article and the cases of names (i-declension).

    Source: Dum-Tragut, Armenian: Modern Eastern Armenian (2009), sec. 2.1.
    """
    del kind
    vowel = lemma[-1] in "աեէըիոօ" or lemma.endswith("ու")
    glide = "յ" if lemma[-1] in "աո" else ""
    return {
        "def": f"{lemma}{'ն' if vowel else 'ը'}",
        "gen": f"{lemma}{glide}ի",
        "datdef": f"{lemma}{glide}ին",
        "abl": f"{lemma}{glide}ից",
        "ins": f"{lemma}{glide}ով",
        "loc": f"{lemma}{glide}ում",
        "also": f"{lemma}ն",
    }


PARADIGMS: dict[str, Paradigm] = {
    "kk": _kazakh,
    "ky": _kyrgyz,
    "uz": _uzbek,
    "uz-cyrl": _uzbek_cyrillic,
    "az": _azerbaijani,
    "tg": _tajik,
    "ka": _georgian,
    "hy": _armenian,
}
