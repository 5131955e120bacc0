"""Every address of the API, under /api/v1/."""

from __future__ import annotations

from django.urls import path

from . import reading, schema, writing
from .api import api

__all__ = ["reading", "urlpatterns", "writing"]  # views declare themselves when they are imported

urlpatterns = [
    path("openapi.json", schema.openapi, name="api_openapi"),
    path("", schema.reference, name="api_reference"),
    path("", api.urls),
]
