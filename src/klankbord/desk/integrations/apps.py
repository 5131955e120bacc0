from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "klankbord.desk.integrations"
    label = "integrations"
