"""Headers that every answer of the screens carries: fragments, attachments and error pages too."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'"
)
# Files of customers: nothing in them may run, and nothing may be fetched by them.
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
# A customer's HTML, shown in a frame of our own page: text, links to a new tab, pictures that came with the message.
LETTER_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


class SecurityHeaders:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path_info.startswith("/widget/"):  # made to stand in other sites' pages: its door sets its own
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
            return response
        for name, value in (
            ("Content-Security-Policy", PAGE_POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
            ("Cache-Control", "private, no-cache"),
        ):
            response.headers.setdefault(name, value)
        # A page and its fragment share an address; a cache must not give one for the other.
        patch_vary_headers(response, ["HX-Request", "Cookie"])
        return response
