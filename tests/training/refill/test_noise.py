from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.refill.noise import HEAVY, NO_NOISE, Noise, add_noise


def _rng(seed):
    return random.Random(seed)  # noqa: S311 - draws of a test, no secret


SHARES = st.floats(0, 1)
NOISES = st.builds(
    Noise,
    typos=SHARES,
    ocr=SHARES,
    lower=SHARES,
    upper=SHARES,
    homoglyphs=SHARES,
    zero_width=SHARES,
    transliterate=SHARES,
    lost_punctuation=SHARES,
)


@given(st.text(max_size=80), NOISES, st.integers(0, 99), st.sampled_from(["ru", "en", "az", "ka", "kk", "sr", "uk"]))
def test_every_position_has_a_place_and_none_goes_back(text, noise, seed, language):
    noisy, positions = add_noise(text, noise, _rng(seed), language=language)
    assert len(positions) == len(text) + 1
    assert positions[0] == 0
    assert positions[-1] == len(noisy)
    assert list(positions) == sorted(positions)


@given(st.text("абвabcə", min_size=1, max_size=40), NOISES, st.integers(0, 99))
def test_kept_characters_never_vanish(text, noise, seed):
    _, positions = add_noise(text, noise, _rng(seed), language="ru", keep=range(len(text)))
    assert all(first < second for first, second in pairwise(positions))


def test_without_noise_nothing_changes():
    assert add_noise("Айгуль, Əli.", NO_NOISE, _rng(1), language="ru")[0] == "Айгуль, Əli."


@pytest.mark.parametrize(
    ("noise", "language", "text", "noisy"),
    [
        (Noise(lower=1), "ru", "Айгуль Ким", "айгуль ким"),
        (Noise(lower=1), "az", "Işıq İlham", "ışıq ilham"),
        (Noise(upper=1), "az", "ilham", "İLHAM"),
        (Noise(upper=1), "ka", "ანა და Ana", "ანა და ANA"),
        (Noise(lost_punctuation=1), "ru", "Да, «нет».", "Да нет"),
        (Noise(homoglyphs=1), "ru", "сор", "cop"),
        (Noise(transliterate=1), "ru", "Жанна", "Zhanna"),
        (Noise(transliterate=1), "kk", "Қанат", "Kanat"),
        (Noise(transliterate=1), "sr", "Ђорђе", "Đorđe"),
    ],
)
def test_noise_does_what_it_is_called(noise, language, text, noisy):
    assert add_noise(text, noise, _rng(1), language=language)[0] == noisy


def test_shares_that_are_no_probabilities_are_refused():
    with pytest.raises(ValueError, match="probabilities"):
        Noise(typos=2)


def test_heavy_noise_is_heavy():
    text = "Клиентка пришла в поликлинику, врач отказал, сказав: «таких не лечим». " * 20
    noisy, _ = add_noise(text, HEAVY, _rng(5), language="ru")
    assert noisy != text
