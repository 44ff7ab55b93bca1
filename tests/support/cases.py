"""Many cases of one test on one laboratory."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any


def each(names: str | Sequence[str], cases: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test for every case in turn, on what its fixtures made once; written as `pytest.mark.parametrize` is.

    For cases that only read, or are refused and change nothing: making the laboratory again for each of them would take longer
    than the cases do. The case that failed is told below the traceback.
    """
    wanted = [one.strip() for one in names.split(",")] if isinstance(names, str) else list(names)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)

        @wraps(test)
        def run(**fixtures: Any) -> None:
            for case in cases:
                values = [case] if len(wanted) == 1 else case
                try:
                    test(**fixtures, **dict(zip(wanted, values, strict=True)))
                except BaseException as error:
                    error.add_note(f"in the case {dict(zip(wanted, values, strict=True))!r}")
                    raise

        others = [one for name, one in signature.parameters.items() if name not in wanted]
        run.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]  # what pytest gives to it
        return run

    return decorate
