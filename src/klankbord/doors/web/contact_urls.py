"""The addresses of contacts and companies."""

from __future__ import annotations

from django.urls import path

from .views import companies, contact_files, contacts

urlpatterns = [
    path("contacts", contacts.listing, name="contacts"),
    path("contacts/<uuid:contact>", contacts.contact, name="contact"),
    path("contacts/<uuid:contact>/do/<slug:deed>", contacts.act, name="contact_act"),
    path("contacts/<uuid:contact>/merge", contacts.merge, name="contact_merge"),
    path("contacts/export", contact_files.export, name="contact_export"),
    path("contacts/imports", contact_files.imports, name="contact_imports"),
    path("contacts/imports/<uuid:batch>", contact_files.contact_import, name="contact_import"),
    path("contacts/imports/<uuid:batch>/not-taken-in.csv", contact_files.troubles, name="contact_troubles"),
    path("settings/contact-fields", contact_files.contact_fields, name="contact_fields"),
    path("companies/<uuid:company>", companies.company, name="company"),
]
