"""Every setting, each from one environment variable, with its default and its meaning."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from wfm.errors import Fault, InputError


def _setting(variable: str, default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"variable": variable, "meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """How this installation runs. Read once by the edge (command, web process, worker)."""

    database_url: str = _setting(
        "WFM_DATABASE_URL", "", "PostgreSQL to use; empty: the embedded one under the data folder"
    )
    data_dir: Path = _setting(
        "WFM_DATA_DIR", Path(".tierdesk"), "folder of the embedded database and of secrets"
    )
    stamp_key: str = _setting(
        "WFM_STAMP_KEY", "", "key of row stamps, 64 hexadecimal digits; empty: one in the folder"
    )
    timezone: str = _setting("WFM_TIMEZONE", "Asia/Shanghai", "the desk's time zone (IANA name)")
    language: str = _setting("WFM_LANGUAGE", "zh", "language before sign-in: zh or en")
    host: str = _setting("WFM_HOST", "127.0.0.1", "address the web server listens on")
    port: int = _setting("WFM_PORT", 8000, "port the web server listens on")
    secure_cookies: bool = _setting(
        "WFM_SECURE_COOKIES", False, "send cookies over HTTPS only; switch on behind TLS"
    )
    session_idle_min: int = _setting(
        "WFM_SESSION_IDLE_MIN", 60, "minutes without a request after which a session ends"
    )
    second_factor: bool = _setting(
        "WFM_SECOND_FACTOR", True, "an administrator without a second factor is none yet"
    )
    public_url: str = _setting(
        "WFM_PUBLIC_URL", "", "address people reach the desk at; empty: as the browser asks"
    )
    oidc_issuer: str = _setting(
        "WFM_OIDC_ISSUER", "", "provider of sign-in (OpenID Connect); empty: passwords only"
    )
    oidc_client_id: str = _setting("WFM_OIDC_CLIENT_ID", "", "what the provider calls this desk")
    oidc_client_secret: str = _setting(
        "WFM_OIDC_CLIENT_SECRET", "", "secret the desk shows the provider; empty: PKCE alone"
    )
    oidc_name: str = _setting("WFM_OIDC_NAME", "SSO", "what people call the provider")
    webhook_networks: str = _setting(
        "WFM_WEBHOOK_NETWORKS", "", "networks of one's own that webhooks may reach, as 10.0.0.0/8"
    )
    upload_limit_mb: int = _setting("WFM_UPLOAD_LIMIT_MB", 200, "largest file taken by the pages")
    clock_offset_s: float = _setting(
        "WFM_CLOCK_OFFSET_S", 0.0, "seconds the desk's clock is ahead of ours; for the sample desk"
    )
    log_level: str = _setting("WFM_LOG_LEVEL", "info", "debug, info, warning or error")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; an unreadable value is a fault that names its variable."""
        given = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        faults = []
        for setting in fields(cls):
            variable = setting.metadata["variable"]
            text = given.get(variable, "").strip()
            if not text:
                continue
            try:
                values[setting.name] = _converted(text, type(setting.default))
            except ValueError:
                expected = type(setting.default).__name__
                faults.append(
                    Fault(f"expected a value of kind {expected}", column=variable, value=text)
                )
        if faults:
            raise InputError.of(faults)
        return cls(**values)


def _converted(text: str, kind: type) -> Any:
    if kind is float and not math.isfinite(float(text)):
        raise ValueError(text)
    if kind is bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if text.lower() not in words:
            raise ValueError(text)
        return words[text.lower()]
    return kind(text)
