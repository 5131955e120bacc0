"""Embedded PostgreSQL: a real server beside the application, for a desk without a database administrator."""

from .binaries import BinariesMissingError, EmbeddedPostgresError, find_binaries
from .folder import Report
from .server import Dsn, EmbeddedPostgres, environment_default_data_dir

__all__ = [
    "BinariesMissingError",
    "Dsn",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "Report",
    "environment_default_data_dir",
    "find_binaries",
]
