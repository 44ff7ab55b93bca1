"""The drawing of a lineage."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.lineage import Edge, Layout, Node, fold, in_order, layout


def places(found: Layout) -> dict[str, tuple[float, float]]:
    return {one.key: (one.x, one.y) for one in found.placed}


def grown(count: int, seed: int) -> list[Node]:
    """A forest in which each node hangs on one before it, or on none."""
    random = Random(seed)
    return [Node(str(one), str(random.randrange(one)) if one and random.random() > 0.02 else None) for one in range(count)]


def check(nodes: list[Node], found: Layout) -> None:
    """What makes a drawing tidy."""
    where = places(found)
    assert [one.key for one in found.placed] == [node.key for node in nodes]
    assert len(set(where.values())) == len(nodes)
    children = defaultdict(list)
    for edge in found.edges:
        children[edge.parent_key].append(edge.key)
        assert where[edge.key][0] == where[edge.parent_key][0] + 1
    for parent, own in children.items():
        ys = [where[key][1] for key in own]
        assert where[parent][1] == (ys[0] + ys[-1]) / 2
        assert ys == sorted(ys)
    leaves = sorted(y for key, (_, y) in where.items() if key not in children)
    assert leaves == list(range(len(leaves)))
    assert found.height == len(leaves)
    assert found.width == max((x for x, _ in where.values()), default=-1) + 1
    columns = defaultdict(list)
    for x, y in where.values():
        columns[x].append(y)
    for ys in columns.values():
        ys.sort()
        assert all(lower - upper >= 1 for upper, lower in pairwise(ys))


def test_a_patient_two_specimens_and_their_mice() -> None:
    nodes = [Node("P"), Node("S1", "P"), Node("S2", "P"), Node("M1", "S1"), Node("M2", "S1"), Node("M3", "S1"), Node("Q")]
    found = layout(nodes)

    assert places(found) == {"P": (0, 2), "S1": (1, 1), "S2": (1, 3), "M1": (2, 0), "M2": (2, 1), "M3": (2, 2), "Q": (0, 4)}
    assert (found.width, found.height) == (3, 5)
    assert Edge("S1", "M2") in found.edges
    check(nodes, found)


def test_a_parent_may_stand_beside_its_first_child() -> None:
    nodes = [Node("P"), Node("S1", "P"), Node("S2", "P"), Node("M1", "S1"), Node("M2", "S1"), Node("M3", "S2")]
    assert places(layout(nodes, centred=False)) == {
        "P": (0, 0), "S1": (1, 0), "S2": (1, 2), "M1": (2, 0), "M2": (2, 1), "M3": (2, 2),
    }  # fmt: skip


def test_the_order_of_reading_is_a_parent_and_then_its_descendants() -> None:
    nodes = [Node("P"), Node("S1", "P"), Node("S2", "P"), Node("M1", "S1"), Node("Q"), Node("M2", "S2")]
    assert in_order(nodes) == [("P", 0), ("S1", 1), ("M1", 2), ("S2", 1), ("M2", 2), ("Q", 0)]
    assert in_order([]) == []


def test_leaves_that_are_alike_are_folded_into_the_first() -> None:
    leaves = [Node(f"A{n}", "S") for n in range(6)]
    nodes = [Node("S"), *leaves, Node("B", "A5"), *(Node(f"T{n}", "B") for n in range(4))]
    likeness = {node.key: "tube" if node.key == "A4" else "vial" for node in nodes}

    remaining, groups = fold(nodes, likeness)
    assert groups == {"A0": ["A0", "A1", "A2", "A3"], "T0": ["T0", "T1", "T2", "T3"]}
    assert [node.key for node in remaining] == ["S", "A0", "A4", "A5", "B", "T0"]
    layout(remaining)

    remaining, groups = fold(nodes, likeness, keep={"A2"})
    assert list(groups) == ["T0"]
    assert len(remaining) == len(nodes) - 3
    assert fold(nodes, likeness, least=5) == (nodes, {})


def test_children_may_come_before_their_parent_and_units_are_the_callers() -> None:
    found = layout([Node("b", "a"), Node("c", "a"), Node("a")], column_width=120, row_height=30)

    assert places(found) == {"b": (120, 0), "c": (120, 30), "a": (0, 15)}
    assert (found.width, found.height) == (240, 60)


def test_nothing_and_a_parent_outside_of_the_picture() -> None:
    assert layout([]) == Layout(0, 0, (), ())
    assert layout([Node("a", "elsewhere")]).edges == ()


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([Node("a"), Node("a")], "one key"),
        ([Node("a", "a")], "own ancestor: a"),
        ([Node("r"), Node("a", "b"), Node("b", "a")], "own ancestor: a"),
    ],
)
def test_what_is_no_forest(nodes: list[Node], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        layout(nodes)


@pytest.mark.parametrize("count", [300, 5_000])
def test_forests(count: int) -> None:
    nodes = grown(count, seed=count)

    check(nodes, layout(nodes))


def test_a_chain_deeper_than_any_recursion() -> None:
    depth = sys.getrecursionlimit() * 10
    found = layout([Node(str(one), str(one - 1) if one else None) for one in range(depth)])

    assert (found.width, found.height) == (depth, 1)
    assert {one.y for one in found.placed} == {0}


def test_time_grows_with_the_number_and_no_faster() -> None:
    def seconds(count: int) -> float:
        nodes = [Node("0"), *(Node(str(one), "0") for one in range(1, count))]
        start = time.process_time()
        layout(nodes)
        return time.process_time() - start

    small = min(seconds(1_000) for _ in range(5))
    assert min(seconds(10_000) for _ in range(3)) < 60 * small  # linear is 10, quadratic 100


@given(st.integers(min_value=0, max_value=60), st.integers())
def test_every_forest_is_tidy(count: int, seed: int) -> None:
    nodes = grown(count, seed)
    Random(seed).shuffle(nodes)

    check(nodes, layout(nodes))
