"""Names of countries and languages in English and Russian."""

from __future__ import annotations

from collections.abc import Mapping

COUNTRIES: Mapping[str, tuple[str, str]] = {
    "AL": ("Albania", "Албания"),
    "AM": ("Armenia", "Армения"),
    "AZ": ("Azerbaijan", "Азербайджан"),
    "BA": ("Bosnia and Herzegovina", "Босния и Герцеговина"),
    "GE": ("Georgia", "Грузия"),
    "KG": ("Kyrgyzstan", "Кыргызстан"),
    "KZ": ("Kazakhstan", "Казахстан"),
    "MD": ("Moldova", "Молдова"),
    "ME": ("Montenegro", "Черногория"),
    "MK": ("North Macedonia", "Северная Македония"),
    "RS": ("Serbia", "Сербия"),
    "RU": ("Russia", "Россия"),
    "TJ": ("Tajikistan", "Таджикистан"),
    "UA": ("Ukraine", "Украина"),
    "UZ": ("Uzbekistan", "Узбекистан"),
}
LANGUAGE_NAMES: Mapping[str, tuple[str, str]] = {
    "az": ("Azerbaijani", "азербайджанский"),
    "en": ("English", "английский"),
    "hy": ("Armenian", "армянский"),
    "ka": ("Georgian", "грузинский"),
    "kk": ("Kazakh", "казахский"),
    "ky": ("Kyrgyz", "кыргызский"),
    "mk": ("Macedonian", "македонский"),
    "ro": ("Romanian", "румынский"),
    "ru": ("Russian", "русский"),
    "sq": ("Albanian", "албанский"),
    "sr": ("Serbian", "сербский"),
    "tg": ("Tajik", "таджикский"),
    "uk": ("Ukrainian", "украинский"),
    "uz": ("Uzbek", "узбекский"),
}
