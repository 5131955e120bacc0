from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "klankbord.doors.web"
    label = "web"

    def ready(self) -> None:
        from . import signing

        signing.listen()
