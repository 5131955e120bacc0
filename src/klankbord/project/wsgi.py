"""Django under WSGI: its own ASGI handler serves a fraction of the pages."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "klankbord.project.settings")
application = get_wsgi_application()
