"""Whoever cannot get in to AWS is told why in a line."""

import sys

import pytest

from tests.aws.cloud import Cloud, answering

EXPIRED = """<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>
<Message>The security token included in the request is expired</Message></Error></ErrorResponse>"""
FORBIDDEN = """<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>
<Message>User: x is not authorized to perform: sts:GetCallerIdentity</Message></Error></ErrorResponse>"""


def test_without_boto3_it_says_how_to_get_it(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3.session", None)

    assert "pip install 'slotkeeper[aws]'" in cloud("outputs", code=1).stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "there are no AWS credentials"),
        ({"AWS_PROFILE": "nobody", "AWS_ACCESS_KEY_ID": ""}, "The config profile (nobody) could not be found"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS cannot be reached"),
        ({"AWS_REGION": "no where"}, "region"),
    ],
)
def test_without_a_way_in_it_is_told_in_a_line(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], said: str
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, value in changed.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)

    told = cloud("outputs", code=1).stderr

    assert said in told
    assert len(told.strip().splitlines()) <= 2


@pytest.mark.parametrize(
    ("body", "said"), [(EXPIRED, "the AWS credentials have expired"), (FORBIDDEN, "may not GetCallerIdentity")]
)
def test_credentials_that_aws_refuses_are_told_of(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, body: str, said: str
) -> None:
    with answering(403, body) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", endpoint)

        assert said in cloud("outputs", code=1).stderr
