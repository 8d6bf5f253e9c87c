"""Signatures are those that AWS's own signer makes, and the ones that AWS publishes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore import auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials
from hypothesis import given
from hypothesis import strategies as st

from slotkeeper.stores.connection import Connection, Rejected
from slotkeeper.stores.dynamodb import DynamoStore
from slotkeeper.stores.signing import Credentials, Scope, signed, signing_key
from tests.aws.emulator import emulating
from tests.aws.tables import a_connection, a_table
from tests.contracts.store import A, put

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
EXAMPLE = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
WORDS = st.lists(VISIBLE, min_size=1, max_size=4).map("  ".join)


def theirs(
    credentials: Credentials, scope: Scope, headers: dict[str, str], body: bytes, at: datetime
) -> dict[str, str]:
    """What botocore would send."""
    request = AWSRequest("POST", f"https://{headers['host']}/", headers=headers, data=body)
    signer = SigV4Auth(
        TheirCredentials(credentials.key_id, credentials.secret, credentials.token or None),
        scope.service,
        scope.region,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "get_current_datetime", lambda: at.replace(tzinfo=None))
        signer.add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(
    credentials=st.builds(Credentials, key_id=VISIBLE, secret=VISIBLE, token=st.just("") | VISIBLE),
    region=st.sampled_from(["us-west-1", "eu-central-1", "cn-north-1"]),
    target=WORDS,
    body=st.binary(max_size=300),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
)
def test_a_signature_is_the_one_that_botocore_makes(
    credentials: Credentials, region: str, target: str, body: bytes, at: datetime
) -> None:
    headers = {
        "host": f"dynamodb.{region}.amazonaws.com",
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": target,
    }
    scope = Scope(region, "dynamodb")

    ours = signed(credentials, scope, headers, body, at.timestamp())

    assert ours == theirs(credentials, scope, headers, body, at)


def test_the_published_example_comes_out() -> None:
    """`post-vanilla` of AWS's Signature Version 4 test suite."""
    sent = signed(
        Credentials("AKIDEXAMPLE", SECRET),
        Scope("us-east-1", "service"),
        {"host": "example.amazonaws.com"},
        b"",
        EXAMPLE.timestamp(),
    )

    assert sent["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    )


def test_the_published_signing_key_comes_out() -> None:
    """ "Deriving a signing key" of AWS's General Reference."""
    key = signing_key(SECRET, "20150830", Scope("us-east-1", "iam"))

    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


@pytest.mark.parametrize("changed", ["host", "x-amz-target", "body", "secret", "token", "region", "time"])
def test_nothing_that_is_sent_can_be_changed_under_a_signature(changed: str) -> None:
    def signature(what: str = "") -> str:
        def be(name: str) -> str:
            return "other" if name == what else "one"

        return signed(
            Credentials("key", be("secret"), be("token")),
            Scope(be("region"), "dynamodb"),
            {"host": be("host"), "x-amz-target": be("x-amz-target")},
            be("body").encode(),
            EXAMPLE.timestamp() + (what == "time"),
        )["authorization"].rpartition("=")[2]

    assert signature(changed) != signature()


def test_credentials_do_not_show_their_secrets() -> None:
    assert repr(Credentials("AKID", "hush", "hushhush")) == "Credentials(key_id='AKID')"


MAY_ALL = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}'


@pytest.mark.slow
def test_who_checks_signatures_takes_ours_and_none_that_is_forged(tmp_path: Path) -> None:
    with emulating(tmp_path, AUTH="true") as strict:
        table, users = a_table(strict), strict.client("iam")
        users.create_user(UserName="slotkeeper")
        users.put_user_policy(UserName="slotkeeper", PolicyName="all", PolicyDocument=MAY_ALL)
        key = users.create_access_key(UserName="slotkeeper")["AccessKey"]
        ours = replace(strict.access, key_id=key["AccessKeyId"], secret=key["SecretAccessKey"])
        store, forger, stranger = (
            DynamoStore(a_connection(access, Connection), table)
            for access in (ours, replace(ours, secret="guessed"), replace(ours, key_id="AKIANOBODY"))
        )

        put(store, A, "ünï".encode())

        assert store.read([A])[A].body == "ünï".encode()
        for each, code in ((forger, "InvalidSignatureException"), (stranger, "UnrecognizedClientException")):
            with pytest.raises(Rejected) as caught:
                each.read([A])
            assert caught.value.code == code
        for each in (store, forger, stranger):
            each.close()
