from django.apps import AppConfig


class WidgetConfig(AppConfig):
    name = "klankbord.doors.widget"
    label = "widget"
