"""Addresses of the settings for other systems, under /settings/."""

from __future__ import annotations

from django.urls import path

from .views import integrations, webhooks

urlpatterns = [
    path("api", integrations.tokens, name="tokens"),
    path("api/tokens/<uuid:token>/revoke", integrations.revoke, name="revoke_token"),
    path("api/integrations", integrations.add_integration, name="add_integration"),
    path("api/integrations/<uuid:integration>/end", integrations.end_integration, name="end_integration"),
    path("webhooks", webhooks.webhooks, name="webhooks"),
    path("webhooks/<uuid:webhook>", webhooks.webhook, name="webhook"),
    path("webhooks/<uuid:webhook>/do/<slug:deed>", webhooks.act, name="webhook_act"),
    path("webhooks/<uuid:webhook>/calls/<uuid:call>/again", webhooks.again, name="webhook_again"),
]
