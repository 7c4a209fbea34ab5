from __future__ import annotations

import re
import tomllib

import pytest

from nlp.errors import SettingsError
from training.config import load_config
from training.encoder.settings import Tuning


@pytest.fixture
def toml(root):
    return (root / "training" / "configs" / "encoder.toml").read_text(encoding="utf-8")


def test_shipped_configuration_is_complete(root, toml):
    settings = load_config(root / "training" / "configs" / "encoder.toml").encoder
    table = tomllib.loads(toml)["encoder"]
    assert settings is not None
    assert {name: value for name, value in vars(settings).items() if name != "seed"} == table
    assert settings.seed == tomllib.loads(toml)["data"]["seed"]


def test_configuration_without_an_encoder_has_none(config):
    assert config.encoder is None


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("epochs", ""),
        ("layers", ""),
        ("names", 'name = ""'),
        ("precision", 'precision = "float16"'),
        ("warmup", 'warmup = "much"'),
        ("excerpt_share", ""),
        ("excerpt_share", "excerpt_share = 1.5"),
        ("excerpt_share", "excerpt_share = -0.1"),
        ("lower_share", "lower_share = nan"),
        ("seed", ""),
    ],
)
def test_missing_or_senseless_value_is_refused_with_the_file(toml, tmp_path, key, line):
    changed, n = re.subn(rf"^{key} = .*$", line, toml, flags=re.MULTILINE)
    assert n
    (tmp_path / "own.toml").write_text(changed, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"own\.toml"):
        load_config(tmp_path / "own.toml")


def test_whole_numbers_may_stand_for_shares(toml):
    table = tomllib.loads(toml)["encoder"]
    assert Tuning.from_toml({**table, "weight_decay": 0}, seed=1).weight_decay == 0.0


@pytest.mark.parametrize(("name", "share"), [("encoder", 0.0), ("encoder-more", 0.35)])
def test_share_of_excerpts_in_the_shipped_configurations(root, name, share):
    settings = load_config(root / "training" / "configs" / f"{name}.toml").encoder
    assert settings is not None
    assert settings.excerpt_share == share
