"""The laptop: an embedded AWS, an account in it, scenarios played through CloudWatch Logs, and the demo of it all."""
