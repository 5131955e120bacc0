"""Commands: one file each, all with --help and exit codes; `main` finds them by name and imports only the one asked."""
