"""The server's settings: durable first, small when idle, at home on two cores. Written anew at every start."""

from __future__ import annotations

from pathlib import Path

OWN_SETTINGS = "local.conf"  # beside the written file; the operator's own lines, read last, so they win

_SETTINGS = {
    # What was answered must last.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # No network at all: only who may enter the socket's folder may knock.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # Memory and processes.
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    # Few large checkpoints, bounded so that recovery stays a matter of seconds and a small disk suffices.
    "wal_compression": "on",
    "checkpoint_timeout": "10min",
    "max_wal_size": "512MB",
    "min_wal_size": "80MB",
    # The planner's picture of a solid-state disk; compiling plans costs more than it gives on short queries.
    "random_page_cost": "1.1",
    "jit": "off",
    # Queue tables turn over quickly: sweep them early.
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "1000",
    # The log may not hold what customers wrote: no statements, no rows in details.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}

# One door, guarded by the folder's permissions: whoever may enter it runs the application anyway.
_ACCESS = "local all all trust\nlocal replication all trust\n"


def write_configuration(folder: Path, *, cluster: Path, sockets: Path, name: str) -> Path:
    """Write postgresql.conf and pg_hba.conf into `folder`, outside the cluster, where the server cannot change them."""
    access = folder / "pg_hba.conf"
    settings = _SETTINGS | {
        "data_directory": str(cluster),
        "hba_file": str(access),
        "unix_socket_directories": str(sockets),
        "cluster_name": name,
    }
    lines = ["# Written at every start; put your own settings into local.conf beside this file."]
    lines += [f"{key} = '{value.replace(chr(39), chr(39) * 2)}'" for key, value in settings.items()]
    lines += [f"include = '{OWN_SETTINGS}'"]
    configuration = folder / "postgresql.conf"
    own = folder / OWN_SETTINGS
    if not own.exists():
        own.write_text("# Your own settings for PostgreSQL; they win over postgresql.conf beside this file.\n")
        own.chmod(0o644)
    for path, text in ((access, _ACCESS), (configuration, "\n".join(lines) + "\n")):
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o644)  # the server's account must read it; there is no secret in it
        fresh.replace(path)
    return configuration
