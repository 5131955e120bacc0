from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "klankbord.desk.conversations"
    label = "conversations"
