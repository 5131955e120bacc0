"""Static files under names that carry their content's hash, so that a browser may keep them for good."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Assets(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
    manifest_strict = False  # not collected yet (development, tests): plain names


def collect_when_stale() -> bool:
    """Gather, hash and compress the static files when there are none yet or one of ours is newer; True when done."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    packages = (Path(settings.PACKAGE) / "plumbing" / "look" / "static", Path(settings.PACKAGE) / "doors")
    newest = max(
        (file.stat().st_mtime for folder in packages for file in folder.rglob("static/**/*") if file.is_file()),
        default=0.0,
    )
    newest = max([newest, *(file.stat().st_mtime for file in packages[0].rglob("*") if file.is_file())])
    if manifest.exists() and manifest.stat().st_mtime >= newest:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=False)
    return True
