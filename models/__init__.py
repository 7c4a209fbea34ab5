"""Trained bundles: data, no code. ``index.json`` names them and the default one."""
