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
# Schemathesis takes a minute and a half on two processors that have nothing else to do; this ends one that hangs.
RUN_SECONDS = 400
IMPORT_SECONDS = 60
STORE = "Contract"
ITEMS = ["Coffee beans", "Tea"]
PRODUCTS = 5
# Pages of new products that are looked through when tidying up.
PAGES = 20


class Api:
    """The API as an administrator: everything is allowed, so that every operation is reached."""

    def __init__(self, outputs):
        self.url = outputs["ApiUrl"]
        self.token = None
        user = outputs["Users"]["admin"]
        self.token = self.call("POST", "/token", {"username": user["username"], "password": user["password"]})["access_token"]

    def call(self, method, path, body=None, accept=()):
        """The answer's JSON. An answer of a status in `accept` is no failure, and None."""
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
            if error.code in accept:
                return None
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


def products(api):
    """Ids of a few products without stock, which the requests may change and delete."""
    category = api.call("GET", "/categorias")["datos"]
    category = category[0]["id"] if category else api.call("POST", "/categorias", {"nombre": "Contract"})["id"]
    new = {"descripcion": "For the contract tests.", "precio": 9.99, "categoriaId": category}
    return [api.call("POST", "/productos", {"nombre": f"Contract {n}", **new})["id"] for n in range(PRODUCTS)]


def newest(api, until=()):
    """Ids of the newest products, a page of them, or all that are newer than those of `until`."""
    found = []
    for page in range(1, PAGES + 1):
        ids = [product["id"] for product in api.call("GET", f"/productos?orden=recientes&pagina={page}")["datos"]]
        found += [one for one in ids if one not in until]
        if not until or not ids or set(ids) & set(until):
            break
    return found


def tasks(api):
    """Ids of all to-dos."""
    found, cursor = [], None
    while True:
        page = api.call("GET", "/tasks" + (f"?cursor={urllib.parse.quote(cursor)}" if cursor else ""))
        found += [task["id"] for task in page["tasks"]]
        cursor = page.get("next")
        if not cursor:
            return found


def tidy_up(api, made, known, before):
    """What the requests left behind, and what they were given."""
    for product in {*made, *newest(api, known)}:
        api.call("DELETE", f"/carrito/items/{product}", accept=(404,))
        api.call("DELETE", f"/productos/{product}", accept=(404,))
    for item in ITEMS:
        api.call("PATCH", f"/items/{STORE}/{urllib.parse.quote(item)}", {"count": 500, "threshold": None})
    for task in set(tasks(api)) - before:
        api.call("DELETE", f"/tasks/{task}", accept=(404,))


def main():
    outputs, schemathesis, folder = sys.argv[1:4]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    api = Api(json.loads(pathlib.Path(outputs).read_text(encoding="utf-8")))
    before, known = set(tasks(api)), newest(api)
    made = products(api)
    try:
        todo = [api.call("POST", "/tasks", {"title": f"Contract {n}"})["id"] for n in range(PRODUCTS)]
        for name, values in [
            ("store", [STORE]),
            ("item", ITEMS),
            ("import", [stocked(api)]),
            ("product", made),
            ("task", todo),
        ]:
            write(folder, name, values)
        command = [schemathesis, "--config-file", str(HERE / "schemathesis.toml"), "run", f"{api.url}/openapi.json"]
        # Whatever more is said here is said to Schemathesis: --include-operation-id …
        command += ["--header", f"Authorization: Bearer {api.token}", *sys.argv[4:]]
        return subprocess.run(command, timeout=RUN_SECONDS, cwd=folder).returncode
    except subprocess.TimeoutExpired:
        print(f"Schemathesis was not through in {RUN_SECONDS} s", file=sys.stderr)
        return 1
    finally:
        tidy_up(api, made, known, before)


if __name__ == "__main__":
    sys.exit(main())
