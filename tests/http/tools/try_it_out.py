"""Opens /docs in Chromium, authorises with a token, and executes every list by "Try it out", as a reader of the page does.

usage: try_it_out.py URL CHROMIUM CHROMEDRIVER, with the tokens of the readers below and the id of an account (ACCOUNT) in the
environment.
"""

import json
import os
import sys
import urllib.request

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions as seen
from selenium.webdriver.support.ui import WebDriverWait

# Who reads which list. A new list is added here.
READERS = {
    "/v1/admin/departments": "SECURITY_ADMIN",
    "/v1/admin/principals": "SECURITY_ADMIN",
    "/v1/admin/principals/find": "SECURITY_ADMIN",
    "/v1/admin/principals/{id}/tokens": "SECURITY_ADMIN",
    "/v1/approvals": "AUDITOR",
    "/v1/approvals/mine": "AUDITOR",
    "/v1/audit/events": "AUDITOR",
    "/v1/audit/follow": "AUDITOR",
    "/v1/audit/roles": "AUDITOR",
    "/v1/callers/{ref}/statement": "DPO",
    "/v1/departments": "DISPATCHER",
    "/v1/holds": "AUDITOR",
    "/v1/lists": "HANDLER",
    "/v1/reference": "HANDLER",
    "/v1/retention/preview": "DPO",
    "/v1/tickets": "HANDLER",
}
# What a reader fills in: parameters that have to be there, by name.
FILLED = {"id": os.environ["ACCOUNT"], "from": "0", "principal": os.environ["ACCOUNT"], "ref": os.environ["CALLER"]}
SECONDS = 60

url, chromium, chromedriver = sys.argv[1:4]


def resolved(document: dict, schema: dict) -> dict:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def is_list(document: dict, operation: dict) -> bool:
    """Whether it is paged, by a parameter or in its body, or answers with the city's lists."""
    parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = resolved(document, content.get("schema", {})).get("properties", {})
    return "limit" in parameters | set(body) or operation["tags"] == ["lists"]


def lists(document: dict) -> list[tuple[str, dict]]:
    found = [
        (path, operation)
        for path, item in document["paths"].items()
        for operation in item.values()
        if isinstance(operation, dict) and is_list(document, operation)
    ]
    missing = {path for path, _ in found} ^ READERS.keys()
    assert not missing, f"lists that READERS has not, or that are none: {missing}"
    return found


def wait(page: webdriver.Chrome, css: str):
    return WebDriverWait(page, SECONDS).until(seen.element_to_be_clickable((By.CSS_SELECTOR, css)))


def click(page: webdriver.Chrome, css: str) -> None:
    element = wait(page, css)
    page.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", element)


def authorise(page: webdriver.Chrome, token: str) -> None:
    page.get(f"{url}/docs/")
    click(page, ".scheme-container .authorize")
    wait(page, ".modal-ux input").send_keys(token)
    click(page, ".modal-ux .modal-btn.authorize")
    click(page, ".modal-ux .btn-done")


def execute(page: webdriver.Chrome, operation: dict) -> tuple[str, str]:
    """Status and body that the page shows."""
    block = f"#operations-{operation['tags'][0]}-{operation['operationId']}"
    click(page, f"{block} .opblock-summary-control")
    click(page, f"{block} .try-out__btn")
    for parameter in operation.get("parameters", []):
        if parameter.get("required"):
            name = parameter["name"]
            # The page takes a value over when its field is left.
            wait(page, f"{block} tr[data-param-name='{name}'] input").send_keys(FILLED[name], Keys.TAB)
    click(page, f"{block} .execute")
    answer = f"{block} .live-responses-table .response"
    status = wait(page, f"{answer} .response-col_status").text.split()[0]
    body = page.find_elements(By.CSS_SELECTOR, f"{answer} .response-col_description pre")
    return status, body[0].text if body else ""


def main() -> None:
    with urllib.request.urlopen(f"{url}/openapi.json") as answer:
        document = json.load(answer)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1400,2000"):
        options.add_argument(argument)
    page = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    try:
        failed, reader = [], None
        for path, operation in sorted(lists(document), key=lambda one: READERS[one[0]]):
            if reader != READERS[path]:
                reader = READERS[path]
                authorise(page, os.environ[reader])
            status, body = execute(page, operation)
            print(status, path)
            if status != "200":
                failed.append(f"{path}: {status} {body}")
        assert not failed, "\n".join(failed)
        loud = [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]
        assert not loud, loud
    finally:
        page.quit()


main()
