"""The reference of the API in docs/ says what the route table says."""

from tests.reference_pages import FOLDER, api_page


def test_the_reference_is_as_the_code() -> None:
    page = (FOLDER / "api.md").read_text("utf-8")

    assert page == api_page(), "remake it with: python -m tests.reference_pages"
