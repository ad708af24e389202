"""Creates users with a lasting password, and gives those that are there this password, address and role.

    users.py USER_POOL_ID < [{"username":…,"password":…,"email":…,"group":…,"tier":…,"plans":{tier: usage plan}}]

Without a tier, a user keeps the one they have.
"""

import json
import sys

import boto3

# The groups that are roles; of several, the highest counts.
ROLES = ("cliente", "operador", "admin")


def own_key(gateway, value):
    """The API key with this value, which is also its name; None where there is none."""
    for page in gateway.get_paginator("get_api_keys").paginate(nameQuery=value):
        for key in page["items"]:
            if key["name"] == value:
                return key["id"]
    return None


def set_tier(cognito, user, tier, plans):
    """Puts the user's own key on the tier's plan, and then the user in the tier's group, which makes the authorizer name
    that key. A key stays when its user goes back to the free tier: tokens that are still good name it."""
    gateway = boto3.client("apigateway")
    attributes = cognito.admin_get_user(**user)["UserAttributes"]
    sub = next(attribute["Value"] for attribute in attributes if attribute["Name"] == "sub")
    value = "".join(character for character in sub if character.isalnum())
    key = own_key(gateway, value)
    if key is None and tier != "gratuito":
        key = gateway.create_api_key(name=value, value=value, enabled=True)["id"]
    if key is not None:
        for other, plan in plans.items():
            if other != tier:
                try:
                    gateway.delete_usage_plan_key(usagePlanId=plan, keyId=key)
                except gateway.exceptions.NotFoundException:
                    pass
        try:
            gateway.create_usage_plan_key(usagePlanId=plans[tier], keyId=key, keyType="API_KEY")
        except gateway.exceptions.ConflictException:
            pass
    for group in plans:
        if group not in (tier, "gratuito"):
            cognito.admin_remove_user_from_group(**user, GroupName=group)
    if tier != "gratuito":
        cognito.admin_add_user_to_group(**user, GroupName=tier)


def main():
    pool = sys.argv[1]
    client = boto3.client("cognito-idp")
    for user in json.load(sys.stdin):
        key = {"UserPoolId": pool, "Username": user["username"]}
        email = [{"Name": "email", "Value": user["email"]}, {"Name": "email_verified", "Value": "true"}]
        try:
            client.admin_create_user(
                **key,
                MessageAction="SUPPRESS",
                UserAttributes=email,
            )
        except client.exceptions.UsernameExistsException:
            client.admin_update_user_attributes(**key, UserAttributes=email)
        client.admin_set_user_password(**key, Password=user["password"], Permanent=True)
        for role in ROLES:
            if role != user["group"]:
                client.admin_remove_user_from_group(**key, GroupName=role)
        client.admin_add_user_to_group(**key, GroupName=user["group"])
        if user.get("tier"):
            set_tier(client, key, user["tier"], user["plans"])


if __name__ == "__main__":
    main()
