"""How far a person's earlier codes and the suggestions agree, as it may be shown: small numbers identify people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .counts import shown_parts

_PARTS = ("both", "only_person", "only_machine")


def agreement_shown(agreement: Mapping[str, Any]) -> dict[str, Any]:
    """The same figures with small counts hidden, and with them the kappa that they could be worked out from."""
    return {
        axis: {
            **figures,
            **_same_codes(figures),
            "codes": {code: _code(counts) for code, counts in figures["codes"].items()},
        }
        for axis, figures in agreement.items()
    }


def _same_codes(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Rows with the same codes; where few agree or differ, without the shares that tell how many."""
    same = figures["exact"]["rows"]
    parts = shown_parts([same, figures["rows"] - same])
    if all(isinstance(part, int) for part in parts):
        return {}
    return {"exact": {"rows": parts[0], "share": None, "interval": None}, "mean_overlap": None}


def _code(counts: Mapping[str, Any]) -> dict[str, Any]:
    parts = shown_parts([counts[part] for part in _PARTS])
    hidden = any(isinstance(part, str) for part in parts)
    kappa = {"kappa": None, "interval": None} if hidden else {key: counts.get(key) for key in ("kappa", "interval")}
    return {**dict(zip(_PARTS, parts, strict=True)), **kappa}
