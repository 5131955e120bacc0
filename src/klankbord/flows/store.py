"""The file store, as the settings name it."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from klankbord.plumbing.files import LocalFiles


@cache
def file_store() -> LocalFiles:
    return LocalFiles(settings.ENVIRONMENT.data_dir / "files")
