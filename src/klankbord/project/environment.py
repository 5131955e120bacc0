"""What a machine's environment says: few settings, each with a default that works on a laptop.

Everything else is a row that an administrator changes on a screen. A wrong value stops the start with its name.
"""

from __future__ import annotations

import os
from email.utils import parseaddr
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from klankbord.plumbing.postgres import environment_default_data_dir

from .postbox import mail_server


class Environment(BaseSettings):
    """Variables begin with KLANKBORD_, except DATABASE_URL. Values may come from files in KLANKBORD_SECRETS_DIR."""

    model_config = SettingsConfigDict(
        env_prefix="KLANKBORD_",
        secrets_dir=os.environ.get("KLANKBORD_SECRETS_DIR"),
        extra="ignore",
        hide_input_in_errors=True,  # some values hold passwords
    )

    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    role: Literal["owner", "app", "worker"] = "app"
    data_dir: Path = Field(default_factory=environment_default_data_dir)
    public_url: str = "http://localhost:8000"
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    trusted_proxies: str = ""
    allow_loopback: bool = False  # development and demo: channels may live on this machine
    debug: bool = False
    max_upload_mb: int = Field(default=25, ge=1, le=200)
    pool_size: int = Field(default=8, ge=2, le=100)
    lanes: int = Field(default=16, ge=1, le=256)
    log_format: Literal["json", "plain"] = "plain"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_token: str = ""  # who asks for /metrics from elsewhere than this machine must show it
    delivery_days: int = Field(default=30, ge=1, le=400)  # how long raw deliveries are kept
    mail_url: str = ""  # the desk's own mail: smtps://name:password@host:465, or smtp:// for STARTTLS
    mail_from: str = ""  # from whom it comes: Klankbord <desk@shop.example>

    @field_validator("mail_url")
    @classmethod
    def _is_mail_server(cls, value: str) -> str:
        if value:
            mail_server(value)
        return value

    @model_validator(mode="after")
    def _has_sender(self) -> Self:
        if self.mail_url and "@" not in parseaddr(self.mail_from)[1]:
            raise ValueError("KLANKBORD_MAIL_FROM must be the address from which the desk's own mail comes")
        return self
