"""Schemathesis over the document of the running stack: makes what its requests are to find, runs it, tidies up.

    run.py OUTPUTS_JSON SCHEMATHESIS DICTIONARIES_FOLDER
"""

import json
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
# The whole run; it takes about half of this on two processors.
RUN_SECONDS = 240
IMPORT_SECONDS = 60
STORE = "Contract"
ITEMS = ["Coffee beans", "Tea"]


class Api:
    """The API as an administrator: everything is allowed, so that every operation is reached."""

    def __init__(self, outputs):
        self.url = outputs["ApiUrl"]
        self.token = None
        user = outputs["Users"]["admin"]
        self.token = self.call("POST", "/token", {"username": user["username"], "password": user["password"]})["access_token"]

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}") from None


def stocked(api):
    """A store with lines, by an import; the import's id."""
    announced = api.call("POST", "/imports", {"fileName": "contract.csv"})
    upload = announced["upload"]
    rows = "".join(f"{STORE},{item},{count}\n" for count, item in enumerate(ITEMS, 500))
    file = urllib.request.Request(
        upload["url"], f"store,item,count\n{rows}".encode(), upload["headers"], method=upload["method"]
    )
    urllib.request.urlopen(file, timeout=30).close()
    deadline = time.monotonic() + IMPORT_SECONDS
    while time.monotonic() < deadline:
        found = api.call("GET", f"/imports/{announced['importId']}")
        if found["status"] == "completed":
            return announced["importId"]
        time.sleep(0.2)
    raise SystemExit(f"the import of the contract tests has not ended in {IMPORT_SECONDS} s: {found}")


def write(folder, name, values):
    """A dictionary in the format of libFuzzer. The values are plain ASCII without quotes."""
    (folder / f"{name}.txt").write_text("".join(f'"{value}"\n' for value in values), encoding="utf-8")


def main():
    outputs, schemathesis, folder = sys.argv[1:4]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    api = Api(json.loads(pathlib.Path(outputs).read_text(encoding="utf-8")))
    write(folder, "import", [stocked(api)])
    write(folder, "store", [STORE])
    write(folder, "item", ITEMS)
    command = [schemathesis, "--config-file", str(HERE / "schemathesis.toml"), "run", f"{api.url}/openapi.json"]
    command += ["--header", f"Authorization: Bearer {api.token}", *sys.argv[4:]]
    try:
        return subprocess.run(command, timeout=RUN_SECONDS, cwd=folder).returncode
    except subprocess.TimeoutExpired:
        print(f"Schemathesis was not through in {RUN_SECONDS} s", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
