"""Klankbord, the open webcare desk."""

__version__ = "0.1.0"
