"""The parts list of the run-time install, and the wheelhouse that carries it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest


@pytest.fixture
def listed(deploy):
    return deploy["sbom"].sbom()


def libraries(listed):
    return [component for component in listed["components"] if component["type"] == "library"]


def bundles(listed):
    return [component for component in listed["components"] if component["type"] == "machine-learning-model"]


def test_every_locked_package_is_listed_with_all_its_hashes(deploy, listed):
    locks = deploy["locks"]
    locked = {(one.name, one.version): sorted(one.hashes) for one in locks.read_lock(locks.SERVICE)}
    told = {
        (one["name"], one["version"]): sorted(entry["content"] for entry in one["externalReferences"][0]["hashes"])
        for one in libraries(listed)
    }
    assert told == locked


def test_every_bundle_is_listed_with_the_hash_that_it_is_checked_against(listed, root):
    index = json.loads((root / "models" / "index.json").read_text(encoding="utf-8"))["bundles"]
    told = {one["bom-ref"].removeprefix("bundle:"): one["hashes"][0]["content"] for one in bundles(listed)}
    assert told == index


def test_every_file_of_a_bundle_is_listed_as_it_lies_there(listed, root):
    for bundle in bundles(listed):
        folder = root / "models" / bundle["bom-ref"].removeprefix("bundle:")
        told = {one["name"]: one["hashes"][0]["content"] for one in bundle["components"]}
        there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        assert told == there


def test_from_casecoder_every_part_is_reached(listed):
    needs = {entry["ref"]: entry["dependsOn"] for entry in listed["dependencies"]}
    reached, todo = set(), ["casecoder"]
    while todo:
        ref = todo.pop()
        if ref not in reached:
            reached.add(ref)
            todo += needs.get(ref, [])
    assert reached == {"casecoder", *(component["bom-ref"] for component in listed["components"])}


def test_the_same_parts_give_the_same_list(root):
    command = [sys.executable, str(root / "deploy" / "sbom.py")]
    one, other = (
        subprocess.run(command, capture_output=True, check=True, env={"PYTHONHASHSEED": seed}).stdout for seed in "12"
    )
    assert one == other
    assert json.loads(one)["bomFormat"] == "CycloneDX"


def test_the_list_keeps_the_schema_of_cyclonedx(deploy):
    pytest.importorskip("cyclonedx", reason="needs the extra supply")
    sbom = deploy["sbom"]
    assert sbom.complaint(sbom.written()) is None
    strange = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "oracle", "name": "of Delphi"}]}
    assert "not valid" in sbom.complaint(json.dumps(strange))


def test_a_package_without_a_known_license_stops_the_list(deploy, tmp_path, monkeypatch, capsys):
    sbom = deploy["sbom"]
    few = tmp_path / "licenses.toml"
    few.write_text('alembic = "MIT"\n', encoding="utf-8")
    monkeypatch.setattr(sbom, "LICENSES", few)
    monkeypatch.setattr(sys, "argv", ["sbom.py", "-o", str(tmp_path / "sbom.json")])
    assert sbom.main() == 2
    assert "has no license for annotated-doc" in capsys.readouterr().err
    assert not (tmp_path / "sbom.json").exists()


@pytest.fixture
def wheels(tmp_path):
    (tmp_path / "casecoder-9.9.9-py3-none-any.whl").write_bytes(b"made up")
    (tmp_path / "rich-15.0.0-py3-none-any.whl").write_bytes(b"made up, too")
    return tmp_path


def test_a_wheelhouse_names_every_hash_that_pip_must_find(deploy, root, wheels):
    deploy["wheelhouse"].complete(wheels)
    lock = (root / "deploy" / "service.lock").read_text(encoding="utf-8")
    own = f"casecoder==9.9.9 --hash=sha256:{hashlib.sha256(b'made up').hexdigest()}\n"
    assert (wheels / "requirements.txt").read_text(encoding="utf-8") == lock + own


def test_the_sums_of_a_wheelhouse_are_those_of_all_its_files(deploy, wheels):
    for _ in range(2):
        deploy["wheelhouse"].complete(wheels)
    sums = dict(line.split("  ")[::-1] for line in (wheels / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in wheels.iterdir()}
    del there["SHA256SUMS"]
    assert sums == there
    assert "sbom.cdx.json" in sums


@pytest.mark.parametrize("version", [None, "9.9.8"])
def test_a_wheelhouse_without_one_wheel_of_casecoder_is_refused(deploy, wheels, version, monkeypatch, capsys):
    if version:
        (wheels / f"casecoder-{version}-py3-none-any.whl").write_bytes(b"older")
    else:
        (wheels / "casecoder-9.9.9-py3-none-any.whl").unlink()
    monkeypatch.setattr(sys, "argv", ["wheelhouse.py", str(wheels)])
    assert deploy["wheelhouse"].main() == 2
    assert "must hold one wheel of casecoder" in capsys.readouterr().err
    assert not (wheels / "requirements.txt").exists()
