"""Security headers of every response: a content-security policy with a nonce, and no caching behind the sign-in."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request
from secure import Secure
from secure.headers import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
)

_YEAR_SECONDS = 31_536_000
_NONCE = "nonce-of-the-response"
"""Stands in the policy where each response has its own."""


def csp_nonce() -> str:
    """Give this response's nonce, for a `<script nonce=…>` that holds data."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _policy() -> ContentSecurityPolicy:
    return (
        ContentSecurityPolicy()
        .default_src("'none'")
        .script_src("'self'", ContentSecurityPolicy.nonce(_NONCE))
        .style_src("'self'")
        .img_src("'self'", "data:")
        .font_src("'self'")
        .connect_src("'self'")
        .form_action("'self'")
        .base_uri("'none'")
        .frame_ancestors("'none'")
    )


def install(app: Flask, *, https_only: bool) -> None:
    """Set the headers on every response of `app`; `https_only` adds strict transport security."""
    policy = _policy().header_value
    same = Secure(
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        permissions=PermissionsPolicy().camera().geolocation().microphone(),
        referrer=ReferrerPolicy().same_origin(),
        xcto=XContentTypeOptions().nosniff(),
        hsts=StrictTransportSecurity().max_age(_YEAR_SECONDS) if https_only else None,
    ).headers

    def set_headers(response: Response) -> Response:
        for name, value in same.items():
            response.headers[name] = value
        response.headers["Content-Security-Policy"] = policy.replace(_NONCE, csp_nonce())
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    app.after_request(set_headers)
    app.add_template_global(csp_nonce)
