"""``casecoder-serve``: run the HTTP service, and look after what it keeps."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlp.cli import guarded
from nlp.errors import BackendUnavailable, SettingsError
from nlp.without_torch import without_torch

if TYPE_CHECKING:
    from .jobs.erasing import HoldingJob
    from .store.store import Store

app = typer.Typer(
    help="Run casecoder's HTTP service on this machine, and look after what it keeps.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
keys_app = typer.Typer(help="Access keys of people and programs.", no_args_is_help=True)
audit_app = typer.Typer(help="The audit log.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(audit_app, name="audit")

_ACTOR = "command line"

_NUMBER = re.compile(r"[0-9]{1,4}")
_MAX_DAYS = 36_500  # of a key, or of backups that are kept
_UNITS = {"d": 1, "w": 7, "m": 30, "y": 365}  # days


@contextmanager
def _service() -> Iterator[None]:
    """Tell which extra is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("nlp", "service"):
            raise
        raise BackendUnavailable("the service", "service") from None


@contextmanager
def _opened(*, migrate: bool = False) -> Iterator[Store]:
    """The store that the environment names."""
    with _service():
        from .settings import ServiceSettings
        from .store.sealing import read_keyring
        from .store.store import Store

        settings = ServiceSettings.from_env()
        store = Store.open(settings.database, read_keyring(settings.key_file), migrate=migrate)
    try:
        yield store
    finally:
        store.close()


@app.callback()
def main() -> None:
    """Run casecoder's HTTP service on this machine, and look after what it keeps."""


@app.command()
@guarded
def init(
    folder: Annotated[Path, typer.Argument(help="Folder for the database and the key file; made if it is not there.")],
    name: Annotated[str, typer.Option(help="Pseudonym of the first administrator.")] = "admin",
) -> None:
    """Make a key file, a database and the first administrator's access key, which is shown this once."""
    with _service():
        from nlp.keys import new_key_file

        from .store.access import checked_name, create_key
        from .store.sealing import read_keyring
        from .store.store import Store

    checked_name(name)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / "casecoder.db").exists():
        raise SettingsError(f"{folder / 'casecoder.db'} exists already, and needs the key file that it was made with")
    key_file = folder.resolve() / "casecoder.key"
    database = f"sqlite:///{(folder.resolve() / 'casecoder.db').as_posix()}"
    new_key_file(key_file)
    store = Store.open(database, read_keyring(key_file))
    token, _ = create_key(store, name=name, scope="admin", actor=_ACTOR)
    store.close()
    typer.echo(f"Made {key_file} (keep a copy of it away from this machine and from backups: without it nothing")
    typer.echo("that is stored can be read) and a database beside it. Set in the environment of the service:")
    typer.echo(f"\n  CASECODER_KEY_FILE={key_file}\n  CASECODER_DATABASE={database}\n")
    typer.echo(f"Access key of {name}, shown this once:\n\n  {token}\n\nThen: casecoder-serve run")


@app.command()
@guarded
def run(
    host: Annotated[
        str, typer.Option(help="Address to listen on; another one than this machine's own needs access keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; each loads the models anew.")] = 1,
    log: Annotated[bool, typer.Option(help="One line of JSON a request on standard error; never its text.")] = False,
) -> None:
    """Serve suggestions, redactions and the page for case entry; Ctrl-C stops after open requests are answered."""
    with _service():
        import uvicorn

        from nlp.bundle import open_bundle

        from . import running
        from .jobs.starting import running_jobs
        from .settings import ServiceSettings

    settings = ServiceSettings.from_env()
    open_bundle(settings.nlp.bundle)  # one that cannot be used is said in a sentence, before anything listens
    told = running.prepare(settings, host)
    running.no_core_dumps()
    if workers > 1:
        folder = tempfile.TemporaryDirectory(prefix="casecoder-figures-")
        os.environ[running.SHARED_FIGURES] = folder.name
    os.environ[running.LOG_REQUESTS] = "1" if log else ""
    typer.echo(f"casecoder listens on http://{host}:{port}: {told}", err=True)
    # Access logs hold paths and addresses: off. Lifespan on: models that fail to load stop the start.
    with running_jobs(wanted=running.keeps(settings) and settings.job_workers > 0):
        uvicorn.run(
            "service.running:process_app",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            access_log=False,
            log_level="warning",
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=8,
            timeout_keep_alive=10,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or None,
        )


@app.command()
@guarded
def jobs() -> None:
    """Run the queue of bulk jobs alone, as where CASECODER_JOB_WORKERS is 0 for `run`.

    Ctrl-C stops; the job that runs is gone on with later.
    """
    with _service():
        from .jobs.runner import main as run_queue

    run_queue()


@app.command()
@guarded
def migrate() -> None:
    """Bring the database to the version of this casecoder; make a backup first."""
    with _opened(migrate=True) as store:
        typer.echo(f"The database is at version {store.database.version()}.")


@app.command()
@guarded
def backup(
    folder: Annotated[Path, typer.Argument(help="Folder for backups; not the one of the key file.")],
    keep_days: Annotated[
        int, typer.Option(min=1, max=_MAX_DAYS, help="Remove older backups, so that erased cases leave them too.")
    ] = 30,
) -> None:
    """Write all that is kept into one file, sealed texts sealed, and remove backups that are too old."""
    with _opened() as store:
        from .store.backup import back_up

        store.note(_ACTOR, "back up")
        path, rows = back_up(store.database, folder, at=datetime.now(UTC), keep=timedelta(days=keep_days))
    typer.echo(f"{path}: {rows:,} rows. Texts are sealed in it, codes and pseudonyms are not: keep it safe, and the")
    typer.echo("key file elsewhere. Files of bulk jobs are not in it.")


@app.command()
@guarded
def restore(file: Annotated[Path, typer.Argument(help="A backup.", exists=True, dir_okay=False)]) -> None:
    """Fill the empty database that CASECODER_DATABASE names from a backup."""
    with _service():
        from .settings import ServiceSettings
        from .store.backup import restore as fill
        from .store.engine import Database, open_engine

        database = Database(open_engine(ServiceSettings.from_env().database))
    rows = fill(database, file)
    database.close()
    with _opened() as store:
        with store.database.reading() as session:
            entries = store.audit.verify(session)
        store.note(_ACTOR, "restore", rows=rows)
    typer.echo(f"{rows:,} rows are back; the audit log holds together ({entries:,} entries).")


@app.command("rotate-key")
@guarded
def rotate_key() -> None:
    """Seal everything anew with the first key of the key file, while the service goes on.

    Before: put a new key on top of the file and start the service again. After: the old key may leave the file.
    """
    from rich.progress import Progress

    with _opened() as store, Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("sealing anew", total=None)
        done = store.rotate(step=lambda count: progress.advance(task, count))
    typer.echo(f"{done:,} values were sealed with an older key and have the new one now.")


@app.command()
@guarded
def purge(
    older_than: Annotated[str, typer.Option(help="Age such as 365d, 26w, 12m or 2y.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase decisions, with their texts, that are older than a time; and files of bulk jobs whose time is over."""
    age = parse_age(older_than)
    with _opened() as store:
        from .jobs.folders import JobFiles
        from .jobs.sweeping import sweep_jobs
        from .settings import ServiceSettings
        from .store.feedback import Wanted, count_feedback
        from .store.feedback import purge as erase_old

        found = count_feedback(store, Wanted(until=store.clock() - age))
        if found and not yes:
            typer.confirm(f"Erase {found:,} decisions for good?", abort=True, err=True)
        erased = erase_old(store, older_than=age, actor=_ACTOR)
        expired = sweep_jobs(store, JobFiles.of(store, ServiceSettings.from_env()), actor=_ACTOR)
    typer.echo(f"{erased:,} decisions erased, and {expired:,} bulk jobs that were over.")


@app.command()
@guarded
def erase(
    delete_jobs: Annotated[
        bool, typer.Option("--delete-jobs", help="Also bulk jobs whose file has the case, with all their files.")
    ] = False,
) -> None:
    """Erase all that is kept of one case; its id is read from standard input, since shell histories keep arguments.

    Bulk jobs whose file has the case are named, and kept without --delete-jobs; then the exit code is 2.
    """
    case_id = sys.stdin.readline().strip()
    if not case_id:
        raise SettingsError("type the id of the case, or pipe it in")
    with _opened() as store:
        from .jobs.erasing import erase_everywhere
        from .jobs.folders import JobFiles
        from .settings import ServiceSettings

        files = JobFiles.of(store, ServiceSettings.from_env())
        found = erase_everywhere(store, files, case_id, actor=_ACTOR, delete_jobs=delete_jobs)
    for one in found.jobs:
        typer.echo(_holding(one), err=True)
    if not found.is_found:
        raise SettingsError("nothing is kept of a case with this id: is it written as it was sent?")
    rows = f", and {found.rows:,} row(s) of bulk jobs" if found.rows else ""
    typer.echo(
        f"{found.decisions:,} decisions erased{rows}. Backups keep them until they are removed (30 days by default)."
    )
    if found.kept:
        raise SettingsError(f"{found.kept:,} bulk job(s) still hold this case: --delete-jobs deletes them")


def _holding(one: HoldingJob) -> str:
    """What is said of a bulk job that holds a case, or may. Its id tells which it is: names of files may be data."""
    if one.deleted:
        return f"Bulk job {one.job.id} held this case, and is deleted with all its files."
    until = f"until {one.job.expires:%Y-%m-%d}" if one.job.expires else "as long as it waits or runs"
    if one.is_sure:
        return f"Bulk job {one.job.id} holds this case, and is kept {until}."
    return f"Bulk job {one.job.id} is kept {until}; whether it holds this case cannot be known: look, and delete it."


@app.command()
@guarded
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="File for the rows, JSON lines; not overwritten.")],
) -> None:
    """Write all decisions, with redacted texts, as rows for training: codes that people set, never the machine's."""
    with _opened() as store:
        from .store.access import Principal
        from .store.feedback import Wanted, export_feedback

        try:
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise SettingsError(f"{output} cannot be written ({type(error).__name__})") from None
        rows = 0
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            for row in export_feedback(store, Wanted(), Principal(_ACTOR, "admin")):
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
                rows += 1
    typer.echo(f"{rows:,} decisions in {output}.")


@keys_app.command("create")
@guarded
def keys_create(
    name: Annotated[str, typer.Argument(help="Pseudonym of whoever gets it; no real name.")],
    scope: Annotated[str, typer.Option(help="reactor, coordinator or admin.")] = "reactor",
    days: Annotated[
        int | None, typer.Option(min=1, max=_MAX_DAYS, help="How long it is valid; for good if not given.")
    ] = None,
) -> None:
    """Make an access key; it is shown this once."""
    with _opened() as store:
        from .store.access import create_key

        valid = timedelta(days=days) if days else None
        token, facts = create_key(store, name=name, scope=scope, actor=_ACTOR, valid=valid)  # type: ignore[arg-type]
    typer.echo(f"Key {facts.id} ({facts.scope}), shown this once; hand it over in person:", err=True)
    typer.echo(token)


@keys_app.command("list")
@guarded
def keys_list() -> None:
    """List all keys, without their secrets."""
    from rich.console import Console
    from rich.table import Table

    with _opened() as store:
        from .store.access import list_keys

        found = list_keys(store)
    table = Table("id", "name", "scope", "created", "expires", "revoked")
    for facts in found:
        days = [f"{moment:%Y-%m-%d}" if moment else "" for moment in (facts.created, facts.expires, facts.revoked)]
        table.add_row(facts.id, facts.name, facts.scope, *days)
    Console().print(table)


@keys_app.command("revoke")
@guarded
def keys_revoke(key_id: Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.")]) -> None:
    """End a key and its logins at once."""
    with _opened() as store:
        from .store.access import revoke_key

        if not revoke_key(store, key_id, actor=_ACTOR):
            raise SettingsError("no valid key has this id: see `casecoder-serve keys list`")
    typer.echo("The key is revoked.")


@audit_app.command("verify")
@guarded
def audit_verify(
    expect: Annotated[
        str | None, typer.Option(help="A head that was written down before, as `audit head` shows it.")
    ] = None,
) -> None:
    """Check that no entry was changed, left out, moved or cut off."""
    expected = None
    if expect is not None:
        number, _, digest = expect.partition(":")
        if not re.fullmatch(r"[0-9]{1,15}", number) or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise SettingsError("--expect wants a number, a colon and a hash, as `audit head` shows them")
        expected = (int(number), digest)
    with _opened() as store, store.database.reading() as session:
        entries = store.audit.verify(session, expected=expected)
    typer.echo(f"{entries:,} entries, all of them whole.")


@audit_app.command("head")
@guarded
def audit_head() -> None:
    """Show number and hash of the last entry: write it down elsewhere now and then."""
    with _opened() as store, store.database.reading() as session:
        number, digest = store.audit.head(session)
    typer.echo(f"{number}:{digest}")


@audit_app.command("show")
@guarded
def audit_show(limit: Annotated[int, typer.Option(min=1, help="How many of the latest entries.")] = 50) -> None:
    """List the latest entries."""
    with _opened() as store, store.database.reading() as session:
        from sqlalchemy import select

        from .store.tables import AuditEntry

        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.number.desc()).limit(limit)).all()
        for entry in reversed(entries):
            facts = json.dumps(entry.facts, sort_keys=True)
            typer.echo(f"{entry.number}\t{entry.at:%Y-%m-%d %H:%M:%S}\t{entry.actor}\t{entry.action}\t{facts}")


def parse_age(text: str) -> timedelta:
    """An age such as 365d or 2y. Raises `SettingsError` for anything else."""
    number, unit = text[:-1], text[-1:]
    if not _NUMBER.fullmatch(number) or unit not in _UNITS or not int(number):
        raise SettingsError("an age is a number from 1 to 9999 and d, w, m or y, such as 365d")
    days = int(number) * _UNITS[unit]
    if days > _MAX_DAYS:
        raise SettingsError(f"an age is at most {_MAX_DAYS:,} days")
    return timedelta(days=days)


def command_line() -> None:
    """The command, in a process of its own."""
    without_torch()
    app()
