"""How a run of fine-tuning begins: with an encoder as it comes, after an earlier run, or after a bundle.

What a later step needs of the beginning stays in the run's folder: the word pieces, and after a bundle what it was, so
that no file of the original encoder is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlp.errors import BundleIncompatible, CorpusError

from ..console import read_json, write_json
from ..corpus import Case
from ..package import SEEN, require_unseen

if TYPE_CHECKING:
    from nlp.bundle import Bundle

    from .finetune import Material
    from .network import CaseNetwork

TOKENIZER = "tokenizer.json"
VOCABULARY = "vocabulary.json"  # unknown word pieces by language, before and after pruning
START = "start.json"  # after a bundle: which one, and the shape of its transformer


def begin_after_run(after: Path, run: Path, judged: Sequence[Case]) -> None:
    """Take over the word pieces of an earlier run, and what it says of its own beginning. Raises `CorpusError` if there
    is none, or if it was trained on ``judged`` cases."""
    from ..encoder_fit import PARTS

    try:
        pieces = (after / TOKENIZER).read_bytes()
    except OSError as error:
        raise CorpusError(f"is no run to go on from ({type(error).__name__})", source=str(after), line=0) from None
    seen = next((path for path in (after / PARTS / SEEN, after / SEEN) if path.exists()), None)
    files = {TOKENIZER: pieces} | ({SEEN: seen.read_bytes()} if seen else {})
    if (after / START).exists():
        files |= {name: (after / name).read_bytes() for name in (START, VOCABULARY)}
    require_unseen(files, judged, source=str(run))
    _write(run, files)


def begin_after_bundle(bundle: Bundle, run: Path, judged: Sequence[Case]) -> None:
    """The same with the encoder of a bundle. Raises `CorpusError` for one without an encoder or one that was fine-tuned
    on ``judged`` cases, and `BundleIncompatible` for one that cannot be fine-tuned."""
    from .restore import weights_of

    if bundle.manifest["kind"] != "encoder":
        raise CorpusError("has no encoder to go on from", source=bundle.name, line=0)
    require_unseen(bundle.files, judged, source=str(run))
    try:
        shape, _ = weights_of(bundle.files["encoder.onnx"])
        files = {name: bundle.files[name] for name in (TOKENIZER, VOCABULARY)}
    except KeyError as error:
        raise BundleIncompatible(bundle.name, f"it has no {error.args[0]}") from None
    except ValueError as error:
        raise BundleIncompatible(bundle.name, str(error)) from None
    _write(run, files | {name: bundle.files[name] for name in (SEEN,) if name in bundle.files})
    write_json(run / START, {"bundle": bundle.name, "digest": bundle.digest, "shape": vars(shape)})


def _write(run: Path, files: dict[str, bytes]) -> None:
    for name in (START, SEEN):  # of a beginning that came to nothing
        (run / name).unlink(missing_ok=True)
    for name, content in files.items():
        (run / name).write_bytes(content)


def require_start(run: Path) -> None:
    """Raise `CorpusError` for a run that began after a bundle and has no weights yet: it would begin with random
    ones."""
    if (run / START).exists():
        raise CorpusError(
            "has begun after a bundle, and has no checkpoint yet: name the bundle with --after-bundle, or delete it",
            source=str(run / START),
            line=0,
        )


def blank_start(run: Path, *, layers: int, dropout: float) -> Any:
    """The transformer of a run that began after a bundle, without its weights. Raises `CorpusError` if the settings
    want another number of layers."""
    from .restore import Shape, blank_transformer

    start = read_json(run / START)
    shape = Shape(**start["shape"])
    if shape.layers != layers:
        raise CorpusError(f"has {shape.layers} layers, not {layers}", source=start["bundle"], line=0)
    return blank_transformer(shape, dropout=dropout)


def with_bundle(network: CaseNetwork, bundle: Bundle, material: Material) -> CaseNetwork:
    """The network with the weights of a bundle's encoder and of what it was fine-tuned with; the heads for primary
    codes, which no bundle has, stay as they are. Raises `BundleIncompatible` if the bundle is for other codes."""
    from .parts import load_heads
    from .restore import weights_of

    pooling, tagger = bundle.pooling(), bundle.tagger()
    if pooling.columns != material.columns or tagger.tags.types != material.tags.types:
        raise BundleIncompatible(
            bundle.name, "its encoder was fine-tuned for other codes or identifiers, or in another order"
        )
    network.transformer.load_state_dict(weights_of(bundle.files["encoder.onnx"])[1])
    load_heads(network, pooling, tagger.weights, tagger.bias)
    return network


def seen_with(run: Path, digests: Sequence[str]) -> bytes:
    """The file of digests of cases that the encoder has seen: those of this run, and those from before it began."""
    before = json.loads((run / SEEN).read_bytes()) if (run / SEEN).exists() else []
    return (json.dumps(sorted({*before, *digests})) + "\n").encode()


def start_facts(run: Path) -> dict[str, Any]:
    """What a manifest says of the beginning: the bundle, if it was one."""
    if not (run / START).exists():
        return {}
    start = read_json(run / START)
    return {"after": {"bundle": start["bundle"], "digest": start["digest"]}}
