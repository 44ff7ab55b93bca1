"""Puts animals in arms by chance, balanced on a baseline, so that anybody can make the same allocation again from the seed.

Source: ARRIVE 2.0 item 4 (Percie du Sert et al., PLoS Biology 18:e3000410, 2020): the method of randomisation and how the
sequence was generated. Blocks of animals ranked by their baseline are the usual practice of tumour studies (Laajala et al.,
Sci Rep 6:30723, 2016). Minimisation: Pocock and Simon, Biometrics 31:103 (1975), with its biased coin.

Only `random.Random(seed).random()` is drawn from, the one sequence that Python promises to keep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import fmean, median, pstdev, stdev

from lims.domain.cohort_terms import AllocationMethod
from lims.domain.errors import DomainError

ALGORITHMS: Mapping[AllocationMethod, str] = {
    AllocationMethod.STRATIFIED_BLOCKS: "ranked-blocks/1",
    AllocationMethod.MINIMISATION: "minimisation/1",
}
"""Name and version of what allocates: another result for the same seed is another version."""

BIASED_COIN = 0.8
"""How often minimisation takes the arm that balances best; Pocock and Simon discuss 2/3 to 1."""
SOURCE = "ARRIVE 2.0 item 4; Pocock and Simon, Biometrics 31:103 (1975)"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An animal to allocate. baseline: in the kind's unit, or its logarithm where the kind is compared by factors."""

    code: str
    baseline: float | None = None
    levels: tuple[str, ...] = ()
    """Its stratum, one text for each thing that is balanced beside the baseline: ("female", "C012")."""


@dataclass(frozen=True, slots=True)
class Place:
    """An arm and how many animals it takes."""

    arm: str
    places: int


@dataclass(frozen=True, slots=True)
class Allocated:
    """One animal's arm, in the order of allocation."""

    code: str
    arm: str


def allocate(method: AllocationMethod, candidates: Sequence[Candidate], arms: Sequence[Place], seed: str) -> tuple[Allocated, ...]:
    """Put every candidate in an arm; no arm gets more than its places. The order of the candidates does not matter.

    Raises:
        DomainError: fewer than two arms, more animals than places, or animals with and without a baseline mixed.
    """
    _require(candidates, arms)
    ranked = sorted(candidates, key=lambda one: one.code)
    draw = Random(seed).random  # noqa: S311  # a sequence that can be made again is the point
    if method is AllocationMethod.MINIMISATION:
        return tuple(_minimise(ranked, arms, draw))
    return tuple(_in_blocks(ranked, arms, draw))


def _require(candidates: Sequence[Candidate], arms: Sequence[Place]) -> None:
    places = sum(arm.places for arm in arms)
    if len(arms) < 2:
        raise DomainError(
            f"The study has {len(arms)} arm to allocate to.",
            field="arms",
            expected="two arms or more, each with its planned number",
            remedy="Add arms first.",
            source=SOURCE,
        )
    if not candidates:
        raise DomainError("There is no animal to allocate.", field="animals", expected="one animal or more", source=SOURCE)
    if len(candidates) > places:
        raise DomainError(
            f"{len(candidates)} animals are to be allocated to {places} places.",
            field="animals",
            expected=f"at most {places}",
            remedy="Leave animals out, each with its reason, or plan more animals for the arms.",
            source=SOURCE,
        )
    without = [one.code for one in candidates if one.baseline is None]
    if without and len(without) < len(candidates):
        raise DomainError(
            f"{', '.join(sorted(without)[:5])} {'has' if len(without) == 1 else 'have'} no baseline, and the others have one.",
            field="animals",
            expected="a baseline of every animal that is allocated",
            remedy="Measure them, or leave them out with that reason.",
            source=SOURCE,
        )


# Ranked blocks


def block_size(arms: Sequence[Place]) -> int:
    """Give how many animals make a block: the arms in their proportion, rounded to whole animals."""
    return sum(_shares([arm.places for arm in arms]))


def _shares(sizes: Sequence[int]) -> list[int]:
    smallest = min((size for size in sizes if size), default=1)
    return [round(size / smallest) for size in sizes]


def _in_blocks(candidates: Sequence[Candidate], arms: Sequence[Place], draw: Callable[[], float]) -> Iterator[Allocated]:
    """Rank by baseline within each stratum and share each block out by chance; blocks run on from stratum to stratum."""
    ordered = _ranked(candidates)
    slots = [arm for block in _blocks(_sizes(len(ordered), arms, draw), draw) for arm in _drawn(block, draw)]
    for one, place in zip(ordered, slots, strict=True):
        yield Allocated(one.code, arms[place].arm)


def _ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Rank within each stratum, down and up by turns, so that a block on the border of two has neighbours in it."""
    ordered: list[Candidate] = []
    for number, levels in enumerate(sorted({one.levels for one in candidates})):
        stratum = [one for one in candidates if one.levels == levels]
        ordered += sorted(stratum, key=lambda one: one.baseline or 0.0, reverse=number % 2 == 0)
    return ordered


def _sizes(n: int, arms: Sequence[Place], draw: Callable[[], float]) -> list[int]:
    """Share `n` animals out in the proportion of the places; what is left over goes to the arms that miss most, ties by chance."""
    places = sum(arm.places for arm in arms)
    exact = [arm.places * n / places for arm in arms]
    sizes = [int(share) for share in exact]
    missing = sorted(range(len(arms)), key=lambda place: (sizes[place] - exact[place], draw()))
    for place in missing[: n - sum(sizes)]:
        sizes[place] += 1
    return sizes


def _blocks(sizes: Sequence[int], draw: Callable[[], float]) -> list[list[int]]:
    """Make blocks of the arms, by place; animals beyond whole blocks join one by chance, so that no rank is anybody's for sure."""
    shares = _shares(sizes)
    number = max(min((size // share for size, share in zip(sizes, shares, strict=True) if share), default=1), 1)
    blocks: list[list[int]] = [[] for _ in range(number)]
    for place, (size, share) in enumerate(zip(sizes, shares, strict=True)):
        for block in blocks:
            block.extend([place] * min(share, size))
        for _ in range(size - number * min(share, size)):
            blocks[int(draw() * number)].append(place)
    return blocks


def _drawn(block: list[int], draw: Callable[[], float]) -> Iterator[int]:
    """Draw all of a block, without replacement."""
    left = list(block)
    while left:
        yield left.pop(int(draw() * len(left)))


# Minimisation


@dataclass(slots=True)
class _Arm:
    place: Place
    baselines: list[float] = field(default_factory=list)
    levels: Counter[tuple[int, str]] = field(default_factory=Counter)
    taken: int = 0


def _minimise(candidates: Sequence[Candidate], arms: Sequence[Place], draw: Callable[[], float]) -> Iterator[Allocated]:
    """Take animals in an order left to chance; each goes, by a biased coin, where arms stay most alike."""
    known = [one.baseline for one in candidates if one.baseline is not None]
    spread = pstdev(known) if len(known) > 1 else 0.0
    filling = [_Arm(arm) for arm in arms]
    for one in _shuffled(candidates, draw):
        open_arms = [arm for arm in filling if arm.taken < arm.place.places]
        scored = sorted(((_imbalance(filling, arm, one, spread), draw(), arm) for arm in open_arms), key=lambda entry: entry[:2])
        best = draw() < BIASED_COIN or len(scored) == 1
        chosen = scored[0][2] if best else scored[1 + int(draw() * (len(scored) - 1))][2]
        chosen.taken += 1
        chosen.levels.update(enumerate(one.levels))
        if one.baseline is not None:
            chosen.baselines.append(one.baseline)
        yield Allocated(one.code, chosen.place.arm)


def _shuffled(candidates: Sequence[Candidate], draw: Callable[[], float]) -> list[Candidate]:
    return [one for _, _, one in sorted((draw(), one.code, one) for one in candidates)]


def _imbalance(arms: Sequence[_Arm], into: _Arm, one: Candidate, spread: float) -> float:
    """Add up how unlike the arms would be: in size and in each stratum by their share, in baseline by standard deviations."""
    extra = {id(into): 1}
    sizes = [(arm.taken + extra.get(id(arm), 0)) / arm.place.places for arm in arms if arm.place.places]
    total = max(sizes) - min(sizes)
    for level in enumerate(one.levels):
        shares = [(arm.levels[level] + extra.get(id(arm), 0)) / arm.place.places for arm in arms if arm.place.places]
        total += max(shares) - min(shares)
    if one.baseline is not None and spread:
        means = [
            fmean([*arm.baselines, one.baseline] if arm is into else arm.baselines) for arm in arms if arm.baselines or arm is into
        ]
        total += (max(means) - min(means)) / spread
    return total


# What came of it


@dataclass(frozen=True, slots=True)
class Balance:
    """A group of animals by their baseline and strata. Means and deviations in the baseline's own unit."""

    n: int
    mean: float | None
    sd: float | None
    middle: float | None
    lowest: float | None
    highest: float | None
    levels: tuple[Counter[str], ...]


def balance(candidates: Sequence[Candidate]) -> Balance:
    """Describe a group: the whole before allocation, an arm after it."""
    known = [one.baseline for one in candidates if one.baseline is not None]
    width = max((len(one.levels) for one in candidates), default=0)
    return Balance(
        len(candidates),
        fmean(known) if known else None,
        stdev(known) if len(known) > 1 else None,
        median(known) if known else None,
        min(known, default=None),
        max(known, default=None),
        tuple(Counter(one.levels[place] for one in candidates) for place in range(width)),
    )


def largest_difference(groups: Sequence[Balance], whole: Balance) -> float | None:
    """Give the largest difference between two arms' mean baselines, in standard deviations of all animals."""
    means = [group.mean for group in groups if group.mean is not None]
    return (max(means) - min(means)) / whole.sd if len(means) > 1 and whole.sd else None
