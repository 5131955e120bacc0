"""Static files under names that carry their content's hash, so that a browser may keep them for good."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Assets(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True

    def stored_name(self, name: str) -> str:
        """Plain names while nothing was collected (development, tests)."""
        return str(super().stored_name(name)) if self.hashed_files else name
