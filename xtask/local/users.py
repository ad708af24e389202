"""Creates users with a lasting password and puts them in their group; repeating it changes nothing.

    users.py USER_POOL_ID < [{"username":…,"password":…,"email":…,"group":…}]
"""

import json
import sys

import boto3


def main():
    pool = sys.argv[1]
    client = boto3.client("cognito-idp")
    for user in json.load(sys.stdin):
        key = {"UserPoolId": pool, "Username": user["username"]}
        try:
            client.admin_create_user(
                **key,
                MessageAction="SUPPRESS",
                UserAttributes=[
                    {"Name": "email", "Value": user["email"]},
                    {"Name": "email_verified", "Value": "true"},
                ],
            )
        except client.exceptions.UsernameExistsException:
            pass
        client.admin_set_user_password(**key, Password=user["password"], Permanent=True)
        client.admin_add_user_to_group(**key, GroupName=user["group"])


if __name__ == "__main__":
    main()
