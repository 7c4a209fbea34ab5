"""``python -m service`` is ``casecoder-serve``."""

from .cli import command_line

command_line()
