from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "klankbord.doors.web"
    label = "web"
