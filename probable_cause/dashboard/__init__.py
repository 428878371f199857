"""What the dashboard shows: pure views of the tables, and the static site under `site/`."""
