"""Probable Cause: which change probably broke an AWS application, from the logs the account already has."""

__version__ = "0.1.0"
