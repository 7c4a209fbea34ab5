"""The web pages: case entry, login, the coordinator's page. Plain HTML, CSS and ES modules, nothing from elsewhere."""
