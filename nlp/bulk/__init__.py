"""Bulk coding: tables in, tables out, one row for each row, in order."""
