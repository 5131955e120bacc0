from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "klankbord.desk.organisations"
    label = "organisations"
