from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "klankbord.doors.api"
    label = "api"
