"""Who people are, where they come with a token in place of a key: the user pool and its client."""

from slotkeeper.aws.stack.language import TAGS, Json, ref, resource, sub

PLUS = (
    "advanced security costs $0.02 a person and month; staff are few, made by an administrator, and use a second factor"
)


def resources() -> Json:
    return {"UserPool": _pool(), "UserPoolClient": _client()}


def _pool() -> Json:
    """Staff and applications, made by an administrator. A group named `<business>/<scope>` gives the scope there."""
    return resource(
        "Cognito::UserPool",
        {
            "UserPoolName": ref("AWS::StackName"),
            "UsernameAttributes": ["email"],
            "AutoVerifiedAttributes": ["email"],
            # Limits who has it to one customer's appointments: the function reads it in the token.
            "Schema": [{"Name": "customer", "AttributeDataType": "String", "Mutable": True}],
            "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
            "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
            "MfaConfiguration": "ON",
            "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
            "Policies": {
                "PasswordPolicy": {
                    "MinimumLength": 12,
                    "RequireLowercase": True,
                    "RequireUppercase": True,
                    "RequireNumbers": True,
                    "RequireSymbols": True,
                    "TemporaryPasswordValidityDays": 3,
                }
            },
            "DeletionProtection": "ACTIVE",
            "UserPoolTags": dict(TAGS),
        },
        only="UsesCognito",
        kept=True,
        nag={"AwsSolutions-COG8": PLUS},
    )


def _client() -> Json:
    """Of their own facts people may change their name, and none that says what they may do."""
    return resource(
        "Cognito::UserPoolClient",
        {
            "UserPoolId": ref("UserPool"),
            "ClientName": sub("${AWS::StackName}-api"),
            "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            "ReadAttributes": ["email", "email_verified", "name", "custom:customer"],
            "WriteAttributes": ["email", "name"],
            "PreventUserExistenceErrors": "ENABLED",
            "EnableTokenRevocation": True,
            "IdTokenValidity": 1,
            "AccessTokenValidity": 1,
            "RefreshTokenValidity": 30,
            "TokenValidityUnits": {"IdToken": "hours", "AccessToken": "hours", "RefreshToken": "days"},
        },
        only="UsesCognito",
    )
