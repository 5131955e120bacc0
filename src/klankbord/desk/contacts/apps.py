from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "klankbord.desk.contacts"
    label = "contacts"
