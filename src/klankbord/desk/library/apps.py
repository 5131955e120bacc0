from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "klankbord.desk.library"
    label = "library"
