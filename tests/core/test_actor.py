"""Who asks: what a credential is that says no more than who it is."""

from slotkeeper.core.actor import Actor, Scope


def test_a_credential_stands_for_no_customer_and_no_appointment_unless_it_says_so() -> None:
    scopes: frozenset[Scope] = frozenset({"read"})

    assert Actor(business="shop", id="key", scopes=scopes) == Actor(
        business="shop", id="key", scopes=scopes, customer_id="", appointment_id="", is_public=False, is_viewer=False
    )
