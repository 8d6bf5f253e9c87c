"""Nobody gets what is not theirs from any route, and a build that lets them is found out."""

from collections import Counter

import pytest

from bench.proof.access import SOME, matrix, places
from bench.proof.attack.callers import LET_IN, callers
from bench.proof.attack.cases import kind_of
from bench.proof.attack.findings import name_of
from bench.proof.attack.furnishing import furnish
from bench.proof.attack.holes import HOLES
from bench.proof.attack.matrix import in_order
from bench.proof.attack.premises import Premises
from bench.proof.attack.swaps import unlike
from slotkeeper.web.routes import Route
from slotkeeper.web.table import ALL


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Premises]:
    return furnish(tmp_path_factory.mktemp("access") / "two.db", ["clinic", "other"])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_route_gives_anybody_what_is_not_theirs() -> None:
    found = matrix()

    assert not found.found, found.told()
    assert found.cases > 10 * len(ALL)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOME)
def test_a_hole_that_is_made_is_seen(name: str) -> None:
    assert matrix(name, places(name)).found


def test_each_hole_names_routes_by_which_it_shows() -> None:
    assert all(places(name) for name in HOLES)


def test_every_part_of_every_address_names_something_that_there_is(two: list[Premises]) -> None:
    """A route to a new kind of thing must be furnished before it counts as asked."""
    for route in ALL:
        for name in route.parameters:
            assert all(premises.ids[kind_of(route.pattern, name)] for premises in two), name_of(route)


@pytest.mark.parametrize("route", ALL, ids=name_of)
def test_every_route_is_asked_by_who_may_and_by_who_may_not(two: list[Premises], route: Route) -> None:
    asked = Counter(caller.meets == LET_IN for caller in callers(route, *two))

    assert asked[True] >= 1
    assert asked[False] >= (0 if route.access in ("open", "public") else 6)


def test_every_route_is_asked_once_in_an_order_that_takes_nothing_away() -> None:
    order = [name_of(route) for route in in_order(ALL)]

    assert sorted(order) == sorted(map(name_of, ALL))
    for earlier, later in (
        ("GET /services/{id}", "DELETE /services/{id}"),
        ("POST /staff/{business}/setup/members/{id}", "POST /staff/{business}/setup/members/{id}/remove"),
        ("POST /staff/{business}/setup/keys/{id}/revoke", "POST /staff/{business}/account/elsewhere"),
    ):
        assert order.index(earlier) < order.index(later)


def test_the_other_business_has_nothing_under_the_same_id_save_customers(two: list[Premises]) -> None:
    clinic, other = (premises.ids for premises in two)

    same = {kind for kind in clinic if kind not in ("start", "static") and set(clinic[kind]) & set(other[kind])}

    assert same == {"customers"}


@pytest.mark.parametrize("id", ["zzz", "apt_0123", "d0-clinic", "6b2c.apt_1.Tqzzz"])
def test_an_id_that_nothing_has_is_as_long_as_one_that_something_has(id: str) -> None:
    assert unlike(id) != id
    assert len(unlike(id)) == len(id)
