"""Writes the parts list (SBOM) of the run-time install, in CycloneDX 1.6, from the lock and the bundles; no network.

    python deploy/sbom.py [--validate] [-o FILE]

The same lock and bundles give the same bytes, so there is no time of making in it. `--validate` holds it against the
CycloneDX schema; that needs the extra `supply`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from locks import DEPLOY, ROOT, SERVICE, Locked, read_lock

LICENSES = DEPLOY / "licenses.toml"
MODELS = ROOT / "models"
SELF = "casecoder (pyproject.toml)"  # how the lock names what the project itself asks for


def sbom() -> dict[str, Any]:
    """The whole list: casecoder, every package of the lock, every bundle with its files, and who needs whom."""
    packages = read_lock(SERVICE)
    bundles = [_bundle(name, digest) for name, digest in sorted(_index().items())]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    licenses = tomllib.loads(LICENSES.read_text(encoding="utf-8"))
    itself = {
        "type": "application",
        "bom-ref": "casecoder",
        "name": project["name"],
        "version": project["version"],
        "description": project["description"],
        "licenses": [_license(project["license"])],
    }
    listed = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": itself},
        "components": [*(_package(package, licenses) for package in packages), *bundles],
        "dependencies": _dependencies(packages, [bundle["bom-ref"] for bundle in bundles]),
    }
    content = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()
    return {**listed, "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}"}


def written() -> str:
    """The list as JSON."""
    return json.dumps(sbom(), indent=1, ensure_ascii=False) + "\n"


def _package(package: Locked, licenses: dict[str, str]) -> dict[str, Any]:
    if package.name not in licenses:
        raise ValueError(f"{LICENSES.name} has no license for {package.name}: look it up, and write it there.")
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "licenses": [_license(licenses[package.name])],
        "externalReferences": [
            {
                "type": "distribution",
                "url": package.purl,
                "comment": "one hash for each file of this release",
                "hashes": [_sha256(digest) for digest in package.hashes],
            }
        ],
    }
    if package.marker:
        component["properties"] = [{"name": "casecoder:only-where", "value": package.marker}]
    return component


def _index() -> dict[str, str]:
    bundles: dict[str, str] = json.loads((MODELS / "index.json").read_text(encoding="utf-8"))["bundles"]
    return bundles


def _bundle(folder: str, digest: str) -> dict[str, Any]:
    manifest = json.loads((MODELS / folder / "manifest.json").read_text(encoding="utf-8"))
    files = {"manifest.json": digest, **{name: facts["sha256"] for name, facts in manifest["files"].items()}}
    return {
        "type": "machine-learning-model",
        "bom-ref": f"bundle:{folder}",
        "name": manifest["name"],
        "version": manifest["version"],
        "description": "Bundle of models. Its hash is that of its manifest, which holds those of all its files.",
        "hashes": [_sha256(digest)],
        "externalReferences": [{"type": "model-card", "url": f"models/{folder}/card.md"}],
        "components": [
            {"type": "file", "bom-ref": f"bundle:{folder}/{name}", "name": name, "hashes": [_sha256(files[name])]}
            for name in sorted(files)
        ],
    }


def _license(expression: str) -> dict[str, Any]:
    return {"expression": expression} if " " in expression else {"license": {"id": expression}}


def _sha256(digest: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": digest}


def _dependencies(packages: Iterable[Locked], bundles: Iterable[str]) -> list[dict[str, Any]]:
    """Who needs whom. A lock names who wants a package without a version, so all releases of that one count."""
    needs: dict[str, set[str]] = {"casecoder": set(bundles)}
    refs: dict[str, list[str]] = {SELF: ["casecoder"]}
    for package in packages:
        needs[package.purl] = set()
        refs.setdefault(package.name, []).append(package.purl)
    for package in packages:
        for wanting in package.wanted_by:
            for ref in refs[wanting]:
                needs[ref].add(package.purl)
    return [{"ref": ref, "dependsOn": sorted(needs[ref])} for ref in sorted(needs)]


def complaint(text: str) -> str | None:
    """What the CycloneDX schema has against it, or None."""
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError:
        return "--validate needs the extra `supply`: pip install '.[supply]'"
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return None if error is None else f"not valid CycloneDX 1.6: {error}"


def main() -> int:
    """Writes the list; 0, or 2 with a sentence."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--validate", action="store_true", help="hold it against the CycloneDX schema first")
    parser.add_argument("-o", "--output", type=Path, help="file to write; standard output where none is given")
    options = parser.parse_args()
    try:
        text = written()
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.validate and (wrong := complaint(text)):
        sys.stderr.write(f"{wrong}\n")
        return 2
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text, encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
