"""Days between two dates as a column, on both engines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class days_between(FunctionElement[float]):  # noqa: N801  # reads as the function it is in a statement
    """`days_between(later, earlier)`: days from the second date to the first, none where one is missing."""

    name = "days_between"
    type = Float()
    inherit_cache = True

    def __init__(self, later: SQLColumnExpression[Any], earlier: SQLColumnExpression[Any]) -> None:
        super().__init__(later, earlier)


@compiles(days_between, "sqlite")
def _on_sqlite(element: days_between, compiler: Any, **options: Any) -> str:
    later, earlier = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(julianday({later}) - julianday({earlier}))"


@compiles(days_between, "postgresql")
def _on_postgresql(element: days_between, compiler: Any, **options: Any) -> str:
    later, earlier = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST({later} - {earlier} AS DOUBLE PRECISION)"
