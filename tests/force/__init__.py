"""Coding by force: processes killed at random moments, full disks, files exchanged, archive bombs."""
