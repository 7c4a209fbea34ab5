"""The sentences of the report in English and Russian; `speaking` fills them in."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "ru")

# Key -> English, Russian. Both have the same places to fill in. Long words over columns say where they may be parted.
TEXTS: Mapping[str, tuple[str, str]] = {
    "title": ("Bulk coding: report", "Массовое кодирование: отчёт"),
    "contents": ("Sections", "Разделы"),
    "lead": (
        "These are suggestions of a machine, not proven cases; a person decides. This page holds counts only: no text, "
        "name or id of a case.",
        "Это предложения программы, а не доказанные случаи: решает человек. На этой странице только подсчёты: ни "
        "текстов, ни имён, ни номеров случаев.",
    ),
    "small": (
        "Groups of fewer than five rows are shown as <5, since small numbers can tell who somebody is. “…” stands "
        "where a count is left out because a small one could be worked out from it; a dot is 0.",
        "Группы меньше пяти строк показаны как <5: по малым числам можно узнать человека. «…» стоит там, где число "
        "опущено, потому что из него можно было бы вычислить малое; точка означает 0.",
    ),
    # rows
    "rows": ("What happened to the rows", "Что стало со строками"),
    "rows_caption": ("Rows of the input", "Строки исходного файла"),
    "rows_said": ("Rows by what becomes of them: {parts}", "Строки по результату: {parts}"),
    "count": ("rows", "строк"),
    "share": ("share", "доля"),
    "status": ("what becomes of the row", "результат"),
    "auto": ("automatic: set by the machine itself", "автоматически: поставлено программой"),
    "suggest": ("suggested: a person confirms", "предложено: подтверждает человек"),
    "review": ("to review: a person has to look", "на проверку: должен посмотреть человек"),
    "none": ("no code", "без кода"),
    "failed": ("not coded: see the error in the row", "не закодировано: см. ошибку в строке"),
    "total": ("all rows", "все строки"),
    "precision": (
        "Automatic codes promise that at least {precision} of them are right, shown on cases that the models had not "
        "seen (the lower bound of a 95% interval).",
        "Для автоматических кодов обещано, что верны не меньше {precision}: это показано на случаях, которых модели "
        "не видели (нижняя граница 95-процентного интервала).",
    ),
    "errors": ("Rows that were not coded, by reason", "Незакодированные строки по причинам"),
    "error": ("reason", "причина"),
    "error_narrative.empty": ("no text", "нет текста"),
    "error_narrative.language": ("a language that is not served", "язык не поддерживается или не распознан"),
    "error_narrative.too_long": ("the text is too long", "текст слишком длинный"),
    "error_narrative.unreadable": ("the text is damaged", "текст повреждён"),
    "error_narrative.unsettled": ("the people in it could not be hidden", "не удалось скрыть людей"),
    "error_row.unreadable": ("the cells do not fit the columns", "ячейки не соответствуют столбцам"),
    "error_row.slow": ("it took too long", "кодирование заняло слишком много времени"),
    "error_row.crashed": ("it stopped the program", "на ней программа дважды прервалась"),
    "error_row.failed": ("a fault of the program", "ошибка программы"),
    "duplicates": (
        "Rows that repeat an earlier row: {exact} word for word, {near} nearly so. They are coded and counted like all "
        "others.",
        "Строки, повторяющие более раннюю: {exact} дословно, {near} почти дословно. Они закодированы и посчитаны, как "
        "и остальные.",
    ),
    "by_person": (
        "Rows with codes that a person had given: {parts}.",
        "Строки, где коды уже поставил человек: {parts}.",
    ),
    "bundle": ("bundle", "комплект моделей"),
    "codebook": ("codebook", "кодификатор"),
    "input": ("input file, SHA-256", "исходный файл, SHA-256"),
    "version": ("casecoder", "casecoder"),
    "started": ("begun", "начало"),
    "took": ("took", "длительность"),
    "resumed": ("took, since it was gone on with", "длительность после возобновления"),
    "speed": ("speed", "скорость"),
    "per_second": ("{rate} rows a second", "{rate} строк в секунду"),
    "engine": ("engine", "движок"),
    "workers": ("{engine}, processes: {workers}", "{engine}, процессов: {workers}"),
    # codes
    "codes": ("Codes", "Коды"),
    "codes_note": (
        "Rows in which a code is suggested; a row can have several codes. The dark part of a bar is set automatically, "
        "the light part waits for a person.",
        "Строки, в которых предложен код; у строки может быть несколько кодов. Тёмная часть полосы поставлена "
        "автоматически, светлая ждёт человека.",
    ),
    "codes_caption": ("{axis}: rows by suggested code", "{axis}: строки по предложенным кодам"),
    "code": ("code", "код"),
    "all_suggested": ("all", "всего"),
    "automatic": ("auto\u00admatic", "авто\u00adмати\u00adчески"),
    "to_confirm": ("to confirm", "под\u00adтвер\u00adдить"),
    "to_review": ("to review", "на про\u00adверку"),
    "no_codes": ("No code of this axis was suggested.", "Ни одного кода на этой оси не предложено."),
    # groups
    "by_month": ("By time", "По времени"),
    "by_country": ("By country", "По странам"),
    "by_language": ("By language", "По языкам"),
    "periods_month": ("By month.", "По месяцам."),
    "periods_quarter": (
        "By quarter, since there are more than twelve months.",
        "По кварталам: месяцев больше двенадцати.",
    ),
    "periods_year": ("By year, since there are more than twelve quarters.", "По годам: кварталов больше двенадцати."),
    "stated": (
        "{stated} of {total} rows say it; {unclear} say something that was not understood.",
        "Указано в {stated} из {total} строк; в {unclear} указанное не понято.",
    ),
    "groups_rows": ("{by}: rows", "{by}: строки"),
    "groups_caption": (
        "{by}: rows by suggested code; darker is more",
        "{by}: строки по предложенным кодам; темнее значит больше",
    ),
    "group": ("group", "группа"),
    "other": ("others", "другие"),
    "not_stated": ("not stated", "не указано"),
    # together
    "together": ("{first} and {second}", "{first} и {second}"),
    "together_note": (
        "Rows in which both codes are suggested. A row with several codes stands in several cells; darker is more.",
        "Строки, в которых предложены оба кода. Строка с несколькими кодами стоит в нескольких клетках; темнее "
        "значит больше.",
    ),
    "together_caption": ("{first} in rows, {second} in columns", "{first} в строках, {second} в столбцах"),
    # corrected
    "corrected": ("How many cases are behind the suggestions", "Сколько случаев стоит за предложениями"),
    "corrected_note": (
        "Some suggestions are wrong and some cases are missed. On cases whose codes are known, it was counted how "
        "often; the corrected number takes that into account, and would be right on average. The interval says where "
        "the true number lies with 95% confidence: cite it with the number.",
        "Часть предложений ошибочна, часть случаев пропущена. На случаях с известными кодами подсчитано, как часто; "
        "исправленное число это учитывает и в среднем верно. Интервал говорит, где с уверенностью 95 % лежит "
        "настоящее число: приводите его вместе с числом.",
    ),
    "corrected_assumes": (
        "It assumes that among the cases with a code, the texts of this file are like those the models were tuned on, "
        "and so among the cases without it. Where texts are of another kind, see below, it does not hold; then only "
        "checking by hand tells.",
        "Предполагается, что среди случаев с кодом тексты этого файла похожи на те, на которых настраивались модели, и "
        "так же среди случаев без кода. Если тексты другого рода (см. ниже), это неверно, и поможет только проверка "
        "вручную.",
    ),
    "corrected_missing": (
        "This bundle does not say how often its models err on unseen cases (it has no held-out.npy), so raw counts "
        "cannot be corrected.",
        "В этом комплекте моделей нет данных о том, как часто модели ошибаются на новых случаях (нет held-out.npy), "
        "поэтому исправить подсчёты нельзя.",
    ),
    "corrected_caption": (
        "{axis}: raw and corrected numbers of rows",
        "{axis}: число строк по предложениям и исправленное",
    ),
    "raw": ("sug\u00adgested", "пред\u00adложено"),
    "corrected_count": ("cor\u00adrected", "исправ\u00adлено"),
    "interval": ("95% interval", "интер\u00adвал 95\u00a0%"),
    "interval_of": ("{low}–{high}", "{low}–{high}"),
    "kappa_between": ("{low} to {high}", "от {low} до {high}"),
    "found": ("cases found", "находится случаев"),
    "false": ("wrongly suggested", "пред\u00adложено ошибочно"),
    "rates": (
        "“Cases found”: of tuning cases with the code, the share in which it is suggested. “Wrongly suggested”: the "
        "same of cases without the code. In the pictures ○ is suggested, ● corrected, the bar its interval.",
        "«Находится случаев»: доля настроечных случаев с кодом, в которых он предложен. «Предложено ошибочно»: то же "
        "среди случаев без кода. На рисунках ○ предложено, ● исправлено, полоса: интервал.",
    ),
    "few_cases": ("cannot be corrected: too few cases known", "исправить нельзя: мало известных случаев"),
    "weak": ("cannot be corrected: the models tell it too badly", "исправить нельзя: модели плохо его различают"),
    "few_rows": ("cannot be corrected: too few rows", "исправить нельзя: мало строк"),
    "unlike": ("cannot be corrected: these texts are of another kind", "исправить нельзя: тексты другого рода"),
    # drift
    "drift": ("Are these texts like those the models know?", "Похожи ли эти тексты на знакомые моделям?"),
    "drift_missing": (
        "This bundle does not say what the texts look like that its models were tuned on (it has no reference.json), "
        "so they cannot be compared.",
        "В этом комплекте моделей не сказано, на каких текстах он настроен (нет reference.json), поэтому сравнить их "
        "нельзя.",
    ),
    "drift_few": (
        "There are too few rows to compare: at least 50 are needed.",
        "Слишком мало строк для сравнения: нужно хотя бы 50.",
    ),
    "drift_alike": (
        "No clear difference was found in length, words, languages and how sure the models are. That does not prove "
        "that the codes are right.",
        "Явных различий в длине, словах, языках и уверенности моделей не найдено. Это не доказывает, что коды верны.",
    ),
    "drift_different": (
        "These texts differ from those the models were tuned on. Take the figures of the model card with care, and "
        "check a sample by hand.",
        "Эти тексты отличаются от тех, на которых настроены модели. Относитесь к показателям из карточки модели с "
        "осторожностью и проверьте выборку вручную.",
    ),
    "drift_very": (
        "These texts differ strongly from those the models were tuned on: the figures of the model card may not hold, "
        "nor the corrected numbers. Check a sample by hand before you use these codes.",
        "Эти тексты сильно отличаются от тех, на которых настроены модели: показатели из карточки модели и "
        "исправленные числа могут быть неверны. Прежде чем использовать коды, проверьте выборку вручную.",
    ),
    "words_shorter": (
        "The texts are shorter: {share} have fewer than {at} words, of the tuning texts {expected}.",
        "Тексты короче: {share} короче {at} слов, среди настроечных {expected}.",
    ),
    "words_longer": (
        "The texts are longer: {share} have fewer than {at} words, of the tuning texts {expected}.",
        "Тексты длиннее: {share} короче {at} слов, среди настроечных {expected}.",
    ),
    "unknown_more": (
        "More words are unknown to the models: in {share} of the texts at least {at} of the words, of the tuning texts "
        "{expected}.",
        "Больше незнакомых моделям слов: в {share} текстов их не меньше {at}, среди настроечных {expected}.",
    ),
    "unknown_less": (
        "Fewer words are unknown to the models: in {share} of the texts at least {at} of the words, of the tuning "
        "texts {expected}.",
        "Меньше незнакомых моделям слов: в {share} текстов их не меньше {at}, среди настроечных {expected}.",
    ),
    "confidence_less": (
        "The models are less sure on the axis “{axis}”: in {share} of the texts no answer reaches {at}, of the tuning "
        "texts {expected}.",
        "На оси «{axis}» модели менее уверены: в {share} текстов ни один ответ не достигает {at}, среди настроечных "
        "{expected}.",
    ),
    "confidence_more": (
        "The models are surer on the axis “{axis}”: in {share} of the texts no answer reaches {at}, of the tuning "
        "texts {expected}.",
        "На оси «{axis}» модели увереннее: в {share} текстов ни один ответ не достигает {at}, среди настроечных "
        "{expected}.",
    ),
    "languages_other": (
        "{share} of the texts are in languages of which there are hardly any tuning texts ({expected}).",
        "{share} текстов на языках, на которых настроечных текстов почти нет ({expected}).",
    ),
    "drift_caption": ("How far the texts differ", "Насколько тексты отличаются"),
    "compared": ("compared", "что сравнивается"),
    "index": ("index", "индекс"),
    "verdict": ("verdict", "вывод"),
    "index_note": (
        "The index is the population stability index without what chance makes of it: from 0.1 on the texts differ, "
        "from 0.25 on strongly. Texts are compared with tuning texts of the same languages.",
        "Индекс: population stability index за вычетом случайности; от 0,1 тексты отличаются, от 0,25 сильно. Тексты "
        "сравниваются с настроечными на тех же языках.",
    ),
    "kind_words": ("length in words", "длина в словах"),
    "kind_unknown": ("unknown words", "незнакомые слова"),
    "kind_confidence": ("how sure the models are: {axis}", "уверенность моделей: {axis}"),
    "kind_languages": ("languages", "языки"),
    "level_alike": ("alike", "похоже"),
    "level_different": ("different", "отличается"),
    "level_very_different": ("very different", "сильно отличается"),
    "level_too_few": ("too few rows", "мало строк"),
    "shifts_caption": (
        "Codes whose share differs most from the tuning texts; other places may simply have other cases",
        "Коды, доля которых больше всего отличается; в другом месте могут быть просто другие случаи",
    ),
    "here": ("here", "здесь"),
    "tuning": ("tuning texts", "настроечные тексты"),
    # agreement
    "agreement": ("Codes that people gave before", "Коды, поставленные людьми раньше"),
    "agreement_note": (
        "Rows that a person coded in full and the machine could read. Kappa is agreement beyond chance: 1 is perfect, "
        "0 is chance. Where they differ, either can be wrong.",
        "Строки, полностью закодированные человеком и прочитанные программой. Каппа: согласие сверх случайного; 1 — "
        "полное, 0 — случайное. При расхождении ошибаться может и человек, и программа.",
    ),
    "agreement_axis": (
        "{axis}: {rows} rows; the same codes in {exact} of them ({share}); mean overlap of the codes {overlap}; "
        "{incomplete} rows left out because of unknown labels, {failed} because they could not be coded.",
        "{axis}: строк {rows}; одинаковые коды в {exact} из них ({share}); в среднем совпадает {overlap} кодов; не "
        "учтено {incomplete} из-за незнакомых обозначений и {failed} незакодированных.",
    ),
    "agreement_caption": ("{axis}: who gave the code", "{axis}: кто поставил код"),
    "both": ("both", "оба"),
    "only_person": ("only the person", "только чело\u00adвек"),
    "only_machine": ("only the machine", "только про\u00adграмма"),
    "kappa": ("kappa", "каппа"),
    "unmapped": (
        "{labels} different labels that people had used could not be looked up, in {rows} rows.",
        "Не удалось сопоставить {labels} разных обозначений, которыми пользовались люди, в {rows} строках.",
    ),
    # check
    "check": ("Check it by hand", "Проверьте вручную"),
    "check_how": (
        "No figure here replaces looking. A sheet of random rows with empty columns lies beside the coded file "
        "(`casecoder bulk ... --check 100`; on the page by itself); when two or three people have filled it in, "
        "`casecoder check-result SHEET` says how many codes are right in this very file, with an interval.",
        "Никакие числа не заменят чтения. Рядом с файлом с кодами лежит таблица случайных строк с пустыми столбцами "
        "(`casecoder bulk ... --check 100`; на странице сама собой); когда люди её заполнят, "
        "`casecoder check-result ТАБЛИЦА` скажет, сколько кодов верно именно в этом файле, с интервалом.",
    ),
    "notes": ("Notes of the run", "Замечания о запуске"),
}
