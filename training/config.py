"""One training run as a complete, checked configuration: no default hides in the code."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.errors import SettingsError

from .encoder.settings import Tuning
from .split import SPLITS, Plan


@dataclass(frozen=True)
class Config:
    """See ``training/configs/linear.toml`` and ``encoder.toml`` for what each value means; ``encoder`` is None for a
    linear model. Paths are relative to the working folder."""

    codebook: Path
    narratives: Path
    languages: tuple[str, ...]
    seed: int
    split: Plan
    splits: Path | None
    encoder: Tuning | None
    min_persons: int
    C: tuple[float, ...]
    evidence_weight: float
    word_strength: float
    word_shares: tuple[float, ...]
    folds: int
    calibration_prior: float
    auto_precision: float
    min_support: int
    review_share: float
    name: str
    version: str
    date: str


def load_config(path: Path) -> Config:
    """Read a configuration. Raises `SettingsError` where a value is missing or makes no sense."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: is no readable TOML file ({type(error).__name__})") from None
    try:
        config = _config(data)
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"{path}: a value is missing or of the wrong kind: {error}") from None
    for shares in config.split.shares.values():
        if abs(sum(shares.values()) - 1) > 1e-9 or set(shares) != set(SPLITS):
            raise SettingsError(f"{path}: every line of shares wants train, tune and test that add up to 1")
    if "default" not in config.split.shares:
        raise SettingsError(f"{path}: shares wants a line `default`")
    return config


def _config(data: dict[str, Any]) -> Config:
    linear = data["words"] if "encoder" in data else {**data["features"], **data["fit"], "strength": 0, "shares": ()}
    return Config(
        codebook=Path(data["data"]["codebook"]),
        narratives=Path(data["data"]["narratives"]),
        languages=tuple(data["data"]["languages"]),
        seed=int(data["data"]["seed"]),
        split=Plan(
            shares={
                language: {name: float(share) for name, share in shares.items()}
                for language, shares in data["split"]["shares"].items()
            },
            seed=int(data["split"]["seed"]),
            test_writers=tuple(data["split"]["test_writers"]),
        ),
        splits=Path(data["split"]["file"]) if data["split"]["file"] else None,
        encoder=Tuning.from_toml(data["encoder"], seed=int(data["data"]["seed"])) if "encoder" in data else None,
        min_persons=int(linear["min_persons"]),
        C=tuple(float(value) for value in data["fit"]["C"]),
        evidence_weight=float(linear["evidence_weight"]),
        word_strength=float(linear["strength"]),
        word_shares=tuple(float(value) for value in linear["shares"]),
        folds=int(data["fit"]["folds"]),
        calibration_prior=float(data["fit"]["calibration_prior"]),
        auto_precision=float(data["policy"]["auto_precision"]),
        min_support=int(data["policy"]["min_support"]),
        review_share=float(data["policy"]["review_share"]),
        name=str(data["bundle"]["name"]),
        version=str(data["bundle"]["version"]),
        date=str(data["bundle"]["date"]),
    )
