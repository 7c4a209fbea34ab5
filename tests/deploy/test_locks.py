"""The locks hold what pyproject.toml asks for, each release with its hashes; no network, the files are read."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

RUN_TIME_EXTRAS = ("service", "postgres", "pseudonyms")
# What may be shipped with an Apache-2.0 program that imports it and does not change it.
SHIPPABLE = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "LGPL-2.1-or-later",
    "LGPL-3.0-only",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
    "Zlib",
}


def run_time(project):
    return [
        *project["dependencies"],
        *(one for extra in RUN_TIME_EXTRAS for one in project["optional-dependencies"][extra]),
    ]


def unlocked(root):
    lines = (root / "deploy" / "unlocked.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def assert_locked(wanted, packages):
    """Each of these requirements is met by every release of it in the lock, and there is one."""
    for requirement in map(Requirement, wanted):
        releases = [package.version for package in packages if package.name == canonicalize_name(requirement.name)]
        assert releases, f"{requirement.name} is not locked: make lock"
        assert all(requirement.specifier.contains(one) for one in releases), f"{requirement} is not met: make lock"


def test_every_run_time_dependency_is_locked(deploy, project):
    locks = deploy["locks"]
    assert_locked(run_time(project), locks.read_lock(locks.SERVICE))


def test_every_other_dependency_is_locked_for_development(deploy, project, root):
    locks = deploy["locks"]
    wanted = {one for extra in project["optional-dependencies"].values() for one in extra}
    left_out = {"casecoder", *unlocked(root)}
    wanted = sorted(one for one in wanted if Requirement(one).name not in left_out)
    assert_locked(wanted, locks.read_lock(locks.DEVELOPMENT))


def test_only_torch_and_spark_have_no_hashes(root):
    assert unlocked(root) == {"torch", "pyspark"}


def test_what_builds_casecoder_is_locked(deploy, root):
    locks = deploy["locks"]
    build = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    assert_locked(build, locks.read_lock(locks.SERVICE))


def test_tests_run_on_the_releases_that_are_installed_for_use(deploy):
    locks = deploy["locks"]
    used, tested = (
        {(package.name, package.version, package.hashes) for package in locks.read_lock(path)}
        for path in (locks.SERVICE, locks.DEVELOPMENT)
    )
    assert used <= tested


@pytest.mark.parametrize("name", ["service.lock", "dev.lock"])
def test_locks_name_no_other_source_of_packages(root, name):
    lines = (root / "deploy" / name).read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if re.match(r"\s*-(?!-hash=sha256:)|.*(://| @ )", line)]


GOOD = (
    "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:"
    + "a" * 64
    + "\n    # via\n    #   blis\n    #   spacy\n"
)


def test_a_lock_is_read_with_versions_markers_hashes_and_who_wants_them(deploy, tmp_path):
    path = tmp_path / "one.lock"
    path.write_text(GOOD, encoding="utf-8")
    (package,) = deploy["locks"].read_lock(path)
    assert (package.name, package.version, package.marker) == ("numpy", "2.4.6", "python_full_version < '3.12'")
    assert (package.hashes, package.wanted_by) == (("a" * 64,), ("blis", "spacy"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.replace("==", ">="),
        GOOD.replace("sha256", "md5"),
        GOOD + "rich==15.0.0\n",
        GOOD.replace("a" * 64, "a" * 63),
        "--index-url https://example.org/simple\n" + GOOD,
        "rich @ https://example.org/rich.whl\n" + GOOD,
    ],
)
def test_a_lock_that_leaves_something_open_is_refused(deploy, tmp_path, text):
    path = tmp_path / "one.lock"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="make lock"):
        deploy["locks"].read_lock(path)


def test_every_locked_package_has_a_license_that_may_be_shipped(deploy, root):
    locks = deploy["locks"]
    licenses = tomllib.loads((root / "deploy" / "licenses.toml").read_text(encoding="utf-8"))
    assert sorted(licenses) == sorted({package.name for package in locks.read_lock(locks.SERVICE)})
    for name, expression in licenses.items():
        assert set(re.split(r" (?:AND|OR) ", expression)) <= SHIPPABLE, f"{name}: {expression}"


def rows_of(root):
    """The tables of docs/dependencies.md: cells by the name in the first one."""
    lines = (root / "docs" / "dependencies.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {canonicalize_name(row[0].strip("`")): row for row in rows}


def test_every_direct_dependency_is_explained(project, root):
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {canonicalize_name(Requirement(one).name) for one in asked} - {"casecoder"}
    assert sorted(rows_of(root)) == sorted(names)


def test_licenses_of_the_explained_are_those_of_the_list(project, root):
    licenses = tomllib.loads((root / "deploy" / "licenses.toml").read_text(encoding="utf-8"))
    rows = rows_of(root)
    for name in (canonicalize_name(Requirement(one).name) for one in run_time(project)):
        assert licenses[name] in rows[name], name


def test_the_dockerfile_copies_what_is_there(root):
    text = (root / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    copies = re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE)
    sources = {source for copy in copies for source in copy.split()[:-1]} - {"wheelhouse"}
    assert "deploy/service.lock" in sources
    assert not [source for source in sources if not (root / source).exists()]
