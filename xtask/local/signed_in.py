"""Shows that a signed-in person can call a deployed API: reads back where the gateway takes usage-plan keys from, and
makes one call as a user that exists only for it.

    signed_in.py API_ID API_URL USER_POOL_ID
"""

import json
import secrets
import sys
import time
import urllib.error
import urllib.request

import boto3

# What has just been deployed may answer 403 or 5xx for some seconds until the gateway knows it everywhere.
PATIENCE_SECONDS = 90
PAUSE_SECONDS = 2


def call(url, body=None, token=None):
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, {}
    except (OSError, ValueError) as error:
        return str(error), {}


def eventually(what, *arguments):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        status, answer = call(*arguments)
        if status == 200:
            return answer
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} answers {status}; see the logs of users-api and authorize, and of the API")
        time.sleep(PAUSE_SECONDS)


def main():
    api_id, url, pool = sys.argv[1:]
    source = boto3.client("apigateway").get_rest_api(restApiId=api_id).get("apiKeySource")
    if source != "AUTHORIZER":
        raise SystemExit(f"the API takes keys from {source} and not from the authorizer, so every signed-in call is 403")
    cognito = boto3.client("cognito-idp")
    name = "check" + secrets.token_hex(8)
    password = "Aa1" + secrets.token_urlsafe(24)
    user = {"UserPoolId": pool, "Username": name}
    email = [{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "email_verified", "Value": "true"}]
    cognito.admin_create_user(**user, MessageAction="SUPPRESS", UserAttributes=email)
    try:
        cognito.admin_set_user_password(**user, Password=password, Permanent=True)
        token = eventually("POST /token", f"{url}/token", {"username": name, "password": password})["access_token"]
        eventually("GET /users/me with a token", f"{url}/users/me", None, token)
    finally:
        cognito.admin_delete_user(**user)


if __name__ == "__main__":
    main()
