"""Django's settings: wiring only. What may differ between machines is in `environment`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from klankbord.plumbing.secrets import load_vault

from .environment import Environment
from .postbox import BACKENDS, mail_server, road_of

ENVIRONMENT = Environment()
PACKAGE = Path(__file__).resolve().parent.parent

DEBUG = ENVIRONMENT.debug
PUBLIC_URL = ENVIRONMENT.public_url.rstrip("/")
ALLOWED_HOSTS = [host for host in ENVIRONMENT.allowed_hosts.split(",") if host] + [urlsplit(PUBLIC_URL).hostname or ""]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
IS_LOCAL = urlsplit(PUBLIC_URL).hostname in {"localhost", "127.0.0.1", "::1"}

VAULT = load_vault(ENVIRONMENT.data_dir)
SECRET_KEY = VAULT.key_for("django").hex()

DATABASE_ROLE = ENVIRONMENT.role
_ROLE_OPTIONS = {
    "owner": "",
    "app": "-c role=klankbord_app -c klankbord.organisation=",
    "worker": "-c role=klankbord_worker -c klankbord.organisations=",
}


def database(url: str, role: str, pool_size: int) -> dict[str, Any]:
    """Django's words for a database. The role is a start option: `assume_role` deadlocks with a pool."""
    parts = conninfo_to_dict(url) if url else {"dbname": "klankbord"}
    options: dict[str, Any] = {
        name: value for name, value in parts.items() if name not in {"dbname", "user", "password", "host", "port"}
    }
    if role != "owner":
        options["options"] = _ROLE_OPTIONS[role]
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10, "max_idle": 120}
    return {
        "ENGINE": "klankbord.plumbing.postgres.orm",
        "NAME": parts.get("dbname", "klankbord"),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": str(parts.get("port", "")),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": options,
    }


DATABASES = {"default": database(ENVIRONMENT.database_url, ENVIRONMENT.role, ENVIRONMENT.pool_size)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "django_htmx",
    "klankbord.doors.web",  # before allauth, whose templates it replaces
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "klankbord.plumbing.look",
    "klankbord.desk.organisations",
    "klankbord.desk.library",
    "klankbord.desk.inboxes",
    "klankbord.desk.contacts",
    "klankbord.desk.conversations",
    "klankbord.desk.integrations",
    "klankbord.desk.notices",
    "klankbord.doors.widget",
    "klankbord.doors.api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "klankbord.doors.api.door.ApiDoor",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "klankbord.doors.web.headers.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "klankbord.doors.web.desk.DeskMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "klankbord.project.urls"
WSGI_APPLICATION = "klankbord.project.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "klankbord.doors.web.desk.context",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

AUTH_USER_MODEL = "organisations.User"
AUTHENTICATION_BACKENDS = ["klankbord.doors.web.accounts.Entrance"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "klankbord.doors.web.accounts.AccountAdapter"
ACCOUNT_FORMS = {"reset_password": "klankbord.doors.web.account_forms.ResetPasswordForm"}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "klankbord.flows.passwords.ResetTokens"  # noqa: S105
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = IS_LOCAL
MFA_TOTP_ISSUER = "Klankbord"
MFA_ADAPTER = "klankbord.doors.web.accounts.MFAAdapter"

SESSION_ENGINE = "klankbord.doors.web.sessions"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SESSION_COOKIE_NAME = "klankbord_session" if IS_LOCAL else "__Host-klankbord_session"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not IS_LOCAL
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "klankbord.doors.web.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 0 if IS_LOCAL else 31_536_000
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", "Nederlands"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "plumbing" / "look" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Amsterdam"

STATIC_URL = "/static/"
STATIC_ROOT = ENVIRONMENT.data_dir / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "klankbord.plumbing.look.assets.Assets"},
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
SILENCED_SYSTEM_CHECKS: list[str] = []

# The desk's own mail, to the people who work here.
DESK_MAIL = road_of(ENVIRONMENT.mail_url, is_development=ENVIRONMENT.allow_loopback)
_MAIL_SERVER = mail_server(ENVIRONMENT.mail_url or "smtp://localhost")
EMAIL_BACKEND = BACKENDS[DESK_MAIL]
EMAIL_FILE_PATH = ENVIRONMENT.data_dir / "mail"
EMAIL_HOST, EMAIL_PORT = _MAIL_SERVER.host, _MAIL_SERVER.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL_SERVER.user, _MAIL_SERVER.password
EMAIL_USE_SSL = _MAIL_SERVER.begins_secret
EMAIL_USE_TLS = _MAIL_SERVER.is_secret and not _MAIL_SERVER.begins_secret
EMAIL_TIMEOUT = 20  # a mail server that does not answer by then is tried again later
DEFAULT_FROM_EMAIL = ENVIRONMENT.mail_from or "Klankbord <klankbord@localhost>"
LOGGING_CONFIG = None
