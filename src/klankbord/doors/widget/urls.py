"""Addresses of the widget, below `/widget/v1/`. `events` is missing on purpose: `stream` answers it."""

from __future__ import annotations

from django.urls import path

from . import form, views

urlpatterns = [
    path("widget.js", views.script, name="widget_script"),
    path("frame", views.frame, name="widget_frame"),
    path("form", form.form, name="widget_form"),
    path("form/sent", form.sent, name="widget_form_sent"),
    path("conversations", views.conversations, name="widget_conversations"),
    path("messages", views.messages, name="widget_messages"),
    path("attachments", views.attachments, name="widget_attachments"),
    path("attachments/<uuid:attachment>", views.attachment, name="widget_attachment"),
    path("history", views.history, name="widget_history"),
    path("typing", views.typing, name="widget_typing"),
    path("read", views.read, name="widget_read"),
    path("email", views.email, name="widget_email"),
]
