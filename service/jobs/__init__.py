"""Bulk jobs: files that coordinators bring, coded one after the other by processes of their own."""
