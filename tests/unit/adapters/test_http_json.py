"""Requests to another system's API: what goes wrong before one is sent."""

import pytest

from netvitals.adapters.inventories.http_json import JsonApi
from netvitals.domain.errors import Unavailable
from netvitals.domain.settings.secret import Secret


@pytest.mark.parametrize("token", ["s3cret\nX-Other: 1", "s3cret\u201d"], ids=["two lines", "no Latin-1"])
def test_a_token_that_no_header_can_hold_is_an_error_that_does_not_quote_it(token: str) -> None:
    api = JsonApi("NetBox", "http://127.0.0.1:1", {"Authorization": Secret(f"Token {token}")})
    with pytest.raises(Unavailable, match="can't be asked: check the URL and the token") as caught:
        api.get("/api/")
    assert "s3cret" not in str(caught.value)
