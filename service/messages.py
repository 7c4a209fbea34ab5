"""Sentences of errors in Russian; English ones stand where errors are made. ``Accept-Language`` decides."""

from __future__ import annotations

from typing import Any

LANGUAGES = ("en", "ru")

_RUSSIAN = {
    "narrative.empty": "В тексте нет ни одного слова: напишите, что случилось, хотя бы одним предложением.",
    "narrative.too_long": "Текст слишком длинный (можно не больше {limit} знаков): отправляйте один случай за раз.",
    "narrative.unreadable": "В тексте есть знаки, которых не бывает в тексте: файл повреждён или прочитан не в той "
    "кодировке; сохраните его в UTF-8.",
    "narrative.language": "Язык не распознан или не поддерживается (поддерживаются: {served}). Укажите язык, если он "
    "определён неверно, или закодируйте случай вручную.",
    "narrative.unsettled": "Скрыть данные в этом тексте не удалось: разделите его на части.",
    "request.invalid": "Запрос составлен неверно: проверьте поля.",
    "request.too_large": "Запрос слишком большой.",
    "request.media_type": "Отправьте тело запроса как несжатый application/json.",
    "request.forged": "Запрос пришёл не со страницы: загрузите её заново.",
    "request.host": "Без ключей доступа служба отвечает только этому компьютеру.",
    "feedback.invalid": "Решение не подходит к кодификатору или к тому, что было предложено.",
    "feedback.repeated": "Решение с этой квитанцией или с этим Idempotency-Key уже сохранено: запросите подсказки "
    "ещё раз.",
    "feedback.unredacted": "В тексте ещё есть то, по чему можно узнать человека: скройте это и посмотрите ещё раз.",
    "store.missing": "Эта служба ничего не хранит: запустите её с файлом ключа.",
    "store.failed": "База данных не отвечает; ничего не сохранено. Попробуйте ещё раз позже.",
    "store.sealed": "Сохранённые данные не открываются: сообщите администратору.",
    "receipt.invalid": "Квитанция недействительна или устарела: запросите подсказки ещё раз.",
    "limit.busy": "Сейчас слишком много запросов: попробуйте через несколько секунд.",
    "limit.time": "Это заняло слишком много времени: попробуйте ещё раз.",
    "limit.rate": "С этого ключа слишком много запросов: подождите.",
    "limit.reads": "С этого ключа сегодня прочитано слишком много текстов: продолжите завтра.",
    "not_ready": "Модели ещё загружаются.",
    "internal": "Что-то сломалось; ничего не сохранено. Попробуйте ещё раз.",
    "http.401": "Нужен действующий ключ доступа.",
    "http.404": "Здесь ничего нет.",
    "http.405": "Так к этому адресу обращаться нельзя.",
    "http.503": "Служба сейчас недоступна.",
}


def language_of(accepted: str) -> str:
    """The language of an ``Accept-Language`` header that we have, else English."""
    for part in accepted.split(",")[:10]:
        code = part.split(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return code
    return "en"


def told(code: str, english: str, language: str, facts: dict[str, Any]) -> str:
    """The sentence of an error in a language, English where there is no other."""
    if language != "ru" or code not in _RUSSIAN:
        return english
    try:
        return _RUSSIAN[code].format(**facts)
    except KeyError:
        return english
