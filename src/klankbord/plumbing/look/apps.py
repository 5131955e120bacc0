from django.apps import AppConfig


class LookConfig(AppConfig):
    """What all doors share of the looks: tokens, components, base templates, icons, translations."""

    name = "klankbord.plumbing.look"
    label = "look"
