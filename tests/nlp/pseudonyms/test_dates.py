from __future__ import annotations

from datetime import timedelta

import pytest

from nlp.pseudonyms.dates import shifted


@pytest.mark.parametrize(
    ("old", "language", "new"),
    [
        ("12 мая 2024", "ru", "21 июня 2024"),
        ("12.05.2024 г.", "ru", "21.06.2024 г."),
        ("3.3.24", "sr", "12.4.24"),
        ("2024-12-01", "en", "2025-01-10"),
        ("28/12", "ro", "06/02"),
        ("May 12th, 2024", "en", "June 21st, 2024"),
        ("5 მაისს", "ka", "14 ივნისს"),
        ("14 may 2023-cü il", "az", "23 iyun 2023-cü il"),
        ("3. marta 2024", "sr", "12. aprila 2024"),
        ("3. марта 2024", "sr-cyrl", "12. априла 2024"),
        ("9 січня", "uk", "18 лютого"),
        ("02 Декабря 2023", "ru", "11 Января 2024"),
    ],
)
def test_a_date_moves_in_its_own_wording(old, language, new):
    assert shifted(old, timedelta(days=40), language) == new


@pytest.mark.parametrize(
    "old",
    ["в мае 2024", "31.02.2024", "весной", "12-15 мая 2024", "5-7 марта", "5/7 марта", "1.1.2024 - 3.1.2024", "2024"],
)
def test_what_is_no_one_day_is_not_moved(old):
    assert shifted(old, timedelta(days=40), "ru") is None
