from django.apps import AppConfig


class InboxesConfig(AppConfig):
    name = "klankbord.desk.inboxes"
    label = "inboxes"
