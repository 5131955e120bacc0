"""The addresses of contacts and companies."""

from __future__ import annotations

from django.urls import path

from .views import companies, contacts

urlpatterns = [
    path("contacts", contacts.listing, name="contacts"),
    path("contacts/<uuid:contact>", contacts.contact, name="contact"),
    path("contacts/<uuid:contact>/do/<slug:deed>", contacts.act, name="contact_act"),
    path("contacts/<uuid:contact>/merge", contacts.merge, name="contact_merge"),
    path("companies/<uuid:company>", companies.company, name="company"),
]
