"""Passwords: argon2id, in the form Flask-Security verifies, and generated ones that can be read aloud."""

from __future__ import annotations

import secrets
import unicodedata

from argon2 import PasswordHasher

from lims.domain.errors import DomainError

MINIMUM_LENGTH = 12
TIME_COST = 3
PARALLELISM = 4
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that are not taken for one another."""


def generate_password() -> str:
    """Make a password of four groups of four, 79 bits."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(4))


def check_password(password: str) -> str:
    """Give the password back, or raise `DomainError` where it is too short."""
    if len(password) < MINIMUM_LENGTH:
        raise DomainError(
            f"The password has {len(password)} characters; it needs at least {MINIMUM_LENGTH}.",
            field="password",
            expected=f"{MINIMUM_LENGTH} characters or more; a sentence does well",
        )
    return password


def hash_password(password: str, memory_kib: int) -> str:
    """Hash a password with argon2id, using `memory_kib` KiB; normalised (NFKD) as the sign-in page does it."""
    hasher = PasswordHasher(time_cost=TIME_COST, memory_cost=memory_kib, parallelism=PARALLELISM)
    return hasher.hash(unicodedata.normalize("NFKD", password))
