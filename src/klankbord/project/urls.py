"""Where every address leads: each door brings its own."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("klankbord.doors.api.urls")),
    path("widget/v1/", include("klankbord.doors.widget.urls")),
    path("", include("klankbord.doors.web.urls")),
]

handler400 = "klankbord.doors.web.errors.bad_request"
handler403 = "klankbord.doors.web.errors.permission_denied"
handler404 = "klankbord.doors.web.errors.page_not_found"
handler429 = "klankbord.doors.web.errors.too_many"
handler500 = "klankbord.doors.web.errors.server_error"
