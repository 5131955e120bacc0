"""Every address of the API, under /api/v1/."""

from __future__ import annotations

from django.urls import path

from . import schema
from .api import api

urlpatterns = [
    path("openapi.json", schema.openapi, name="api_openapi"),
    path("", schema.reference, name="api_reference"),
    path("", api.urls),
]
