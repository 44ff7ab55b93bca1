"""An import desk, as the tests of imports have it."""

from tests.intake.conftest import desk, desk_on_each

__all__ = ["desk", "desk_on_each"]
