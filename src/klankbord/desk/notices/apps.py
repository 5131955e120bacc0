from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "klankbord.desk.notices"
    label = "notices"
