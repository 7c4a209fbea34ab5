"""The import rule, the public surface, the packaging."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PACKAGES = ("nlp", "training", "service", "models", "annotations")
MAY_IMPORT = {"nlp": set(), "training": {"nlp"}, "service": {"nlp"}, "models": set(), "annotations": set()}
PICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "skops"}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_they_may(package, root):
    for path in (root / package).rglob("*.py"):
        foreign = (_imports(path) & set(PACKAGES)) - {package} - MAY_IMPORT[package]
        assert not foreign, f"{path.relative_to(root)} imports {foreign}"


@pytest.mark.parametrize("package", ["nlp", "service"])
def test_prediction_loads_nothing_that_unpickles_or_trains(package, root):
    for path in (root / package).rglob("*.py"):
        assert not _imports(path) & (PICKLING | {"sklearn", "joblib", "torch", "scipy"}), path


def test_onnxruntime_is_imported_only_where_its_messages_home_are_switched_off(root):
    importing = {
        path.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*.py")
        if "onnxruntime" in _imports(path)
    }
    assert importing == {"nlp/encoding.py", "training/encoder/export.py"}
    encoding, export = ((root / path).read_text(encoding="utf-8") for path in sorted(importing))
    assert encoding.index('os.environ["ORT_DISABLE_TELEMETRY"] = "1"') < encoding.index("import onnxruntime")
    assert export.index(" silent_onnxruntime()") < export.index("from onnxruntime")


def test_nothing_is_unpickled_while_a_bundle_is_loaded_and_used(tiny_bundle, root):
    program = f"""
import sys
from nlp import Narrative, load_pipeline
events = []
sys.addaudithook(lambda event, args: events.append(event) if event == "pickle.find_class" else None)
load_pipeline({str(tiny_bundle)!r}).analyze_one(Narrative("The doctor refused to see her."))
from nlp.codebook import load_codebook
print(len(events))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "0"


def test_predicting_opens_no_socket(tiny_bundle, root):
    program = f"""
import socket, sys
def refuse(*args, **kwargs): raise AssertionError("a socket was opened")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from nlp import Narrative, load_pipeline
load_pipeline({str(tiny_bundle)!r}).analyze_one(Narrative("Врач отказал, тел. +996 700 123 456"))
"""
    subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=root, check=True)


def test_public_names_are_those_of_all():
    import nlp

    assert nlp.__all__ == sorted(nlp.__all__)
    for name in nlp.__all__:
        assert getattr(nlp, name)
    with pytest.raises(AttributeError):
        _ = nlp.nothing_of_the_kind


def test_importing_the_package_loads_no_heavy_library(root):
    program = "import sys, nlp, nlp.cli; print(sorted({'spacy', 'numpy', 'pyarrow', 'openpyxl'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"


def test_every_top_level_name_is_ours_alone():
    owners = importlib.metadata.packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, ["casecoder"])) == {"casecoder"}


def test_distribution_cannot_be_uploaded_and_leaves_narratives_out(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())
    assert "Private :: Do Not Upload" in project["project"]["classifiers"]
    shipped = project["tool"]["setuptools"]["package-data"]["annotations"]
    assert not any("narratives" in pattern for pattern in shipped)


def test_index_lists_the_shipped_bundles(root):
    index = json.loads((root / "models" / "index.json").read_text())
    folders = sorted(path.name for path in (root / "models").iterdir() if (path / "manifest.json").exists())
    assert sorted(index["bundles"]) == folders
    assert index["default"] in folders
    assert sum(file.stat().st_size for file in (root / "models").rglob("*") if file.is_file()) < 64_000_000


def test_no_command_hides_another():
    from training.cli import app

    groups = [app, *(group.typer_instance for group in app.registered_groups if group.typer_instance)]
    commands = [command for group in groups for command in group.registered_commands]
    names = [command.name or command.callback.__name__.replace("_", "-") for command in commands if command.callback]
    assert sorted(set(names)) == sorted(names)
