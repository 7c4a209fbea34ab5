"""``python -m service`` is ``casecoder-serve``."""

from .cli import app

app()
