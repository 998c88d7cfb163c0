"""The forms in a real page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

FIELDS = [
    "Profile", "Access key ID", "Secret access key", "Session token", "Region", "Distribution archive",
    "Dependencies archive", "Source bucket", "Distribution key", "Dependencies key", "Function name", "Role name",
    "Bucket name", "Memory (MB)", "Timeout (s)", "Pipeline", "Coordinates",
]  # fmt: skip
BUTTONS = [
    "Connect", "Use embedded AWS", "Build archives", "Plan", "Build", "Delete", "Run", "Cancel", "Download NetCDF",
]  # fmt: skip
CANARY = "CANARY-s3cr3t-K3y-0123456789-abcdefghijk"


def test_every_control_is_there_under_its_name(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    for name in FIELDS:
        expect(studio.field(name)).to_have_count(1)
        expect(studio.field(name)).to_be_visible()
    for name in BUTTONS:
        expect(studio.button(name)).to_have_count(1)
        expect(studio.button(name)).to_be_visible()
    for name in ("Build", "Run", "Cancel", "Download NetCDF"):
        expect(studio.button(name)).to_be_disabled()
    expect(studio.step("Results")).to_contain_text("Run a pipeline, and its result appears here.")
    assert lab.complaints == []


def test_a_secret_is_left_nowhere(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    studio.field("Secret access key").fill(CANARY)
    studio.field("Session token").fill(CANARY[::-1])
    studio.button("Connect").click()
    expect(studio.step("Connect").get_by_text("Type the access key ID")).to_be_visible()
    expect(studio.field("Secret access key")).to_have_value("")
    expect(studio.field("Session token")).to_have_value("")
    lab.run_code("%xmode Verbose\nstudio.credentials.enter('nothing', 1)")
    lab.save("studio-test.ipynb")
    lab.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    stores = "() => JSON.stringify([{...localStorage}, {...sessionStorage}]) + document.documentElement.outerHTML"
    found = [name for name in (CANARY, CANARY[::-1]) if name in lab.page.evaluate(stores)]
    for top in (lab.server.root, lab.server.state):
        for path in (path for path in Path(top).rglob("*") if path.is_file() and "dist" not in path.parts):
            content = path.read_bytes()
            found += [str(path) for name in (CANARY, CANARY[::-1]) if name.encode() in content]
    assert found == []
    saved = json.loads((lab.server.root / "studio-test.ipynb").read_text())
    assert "secret_access_key" in json.dumps(saved["metadata"]["widgets"])


def test_markup_is_shown_as_text(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    attack = "<img src=x onerror='window.attacked=1'><script>window.attacked=1</script>"
    for name in ("Access key ID", "Function name", "Bucket name", "Role name", "Memory (MB)", "Source bucket"):
        studio.type(name, attack)
        expect(studio.field(name)).to_have_attribute("aria-invalid", "true")
        expect(studio.field(name)).to_have_value(attack)
    studio.type("Pipeline", attack)
    studio.type("Coordinates", attack)
    lab.run_code(
        "from podpac_lambda_widgets.errors import AwsError\n"
        f"studio.deploy.show_error(AwsError({attack!r}, why={attack!r}, next_step={attack!r}))\n"
        f"studio.deploy.stand('failed', {attack!r})\n"
        f"studio.credentials.facts = [[{attack!r}, {attack!r}]]\n"
        f"studio.deploy.table = dict(caption={attack!r}, columns=[{attack!r}]*2, rows=[dict(tone={attack!r},"
        f" cells=[{attack!r}, [{attack!r}]])])\n"
        f"studio.deploy.set_step({attack!r}, 'working', done=1, total=2, detail={attack!r})\n"
    )
    expect(studio.root.locator(".plw-card-what")).to_have_text(attack)
    expect(studio.root.get_by_role("cell", name="<img").first).to_have_text(attack)
    expect(studio.root.locator("script, img[src='x']")).to_have_count(0)
    assert lab.page.evaluate("() => window.attacked") is None


def test_an_error_stands_beside_its_field_and_goes_when_corrected(open_studio: Any) -> None:
    studio = open_studio()
    studio.type("Memory (MB)", "64")
    message = studio.step("Deploy").get_by_text("Must be a whole number from 128 to 10,240 MB, not 64.")
    expect(message).to_be_visible()
    field, error = studio.field("Memory (MB)").bounding_box(), message.bounding_box()
    assert 0 <= error["y"] - (field["y"] + field["height"]) < 60
    assert message.evaluate("node => node.closest('p').id") in studio.field("Memory (MB)").get_attribute(
        "aria-describedby"
    )
    studio.type("Memory (MB)", "512")
    expect(message).to_have_count(0)


def test_a_click_that_leaves_a_wrong_field_is_not_lost(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    studio.type("Bucket name", "My_Bucket")
    expect(studio.field("Bucket name")).to_have_attribute("aria-invalid", "true")
    studio.field("Bucket name").fill("")
    studio.button("Mean of an array").scroll_into_view_if_needed()
    box = studio.button("Mean of an array").bounding_box()
    lab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    lab.page.mouse.down()
    # The kernel's answer to the corrected field arrives while the button is held.
    lab.run_code("print(studio.deploy.fields['function_s3_bucket'])")
    lab.page.mouse.up()
    expect(studio.button("Mean of an array")).to_have_attribute("aria-pressed", "true")
    expect(studio.field("Bucket name")).to_have_attribute("aria-invalid", "false")


def test_a_trait_set_in_code_moves_every_view(lab: Any, open_studio: Any, studio_page: Any) -> None:
    first = open_studio("studio")
    second = studio_page(lab, view=1)
    lab.run_code("studio.deploy.deployment.function_memory = 3072")
    expect(first.field("Memory (MB)")).to_have_value("3072")
    first.type("Timeout (s)", "61")
    expect(second.field("Timeout (s)")).to_have_value("61")
    assert lab.run_code("print(studio.deploy.deployment.function_timeout)").strip() == "61"


def test_a_variable_of_the_notebook_is_a_pipeline(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    lab.run_code("import podpac\nnode = podpac.algorithm.SinCoords()\nnumber = 3")
    studio.type("Pipeline", "number")
    expect(studio.step("Run").get_by_text("The variable number holds no podpac node.")).to_be_visible()
    studio.type("Pipeline", "node")
    expect(studio.field("Pipeline")).to_have_attribute("aria-invalid", "false")
    assert "SinCoords" in lab.run_code("print(studio.pipeline.read_pipeline().json)")


def test_the_page_comes_back_as_it_was_after_a_reload(lab: Any, open_studio: Any, studio_page: Any) -> None:
    studio = open_studio()
    studio.type("Function name", "soil-moisture")
    studio.type("Memory (MB)", "64")
    expect(studio.field("Memory (MB)")).to_have_attribute("aria-invalid", "true")
    lab.save("studio-test.ipynb")
    lab.open("studio-test.ipynb")
    again = studio_page(lab)
    expect(again.field("Function name")).to_have_value("soil-moisture")
    expect(again.field("Memory (MB)")).to_have_value("64")
    expect(again.step("Deploy").get_by_text("not 64.")).to_be_visible()
    again.type("Memory (MB)", "640")
    expect(again.field("Memory (MB)")).to_have_attribute("aria-invalid", "false")
    assert lab.run_code("print(studio.deploy.deployment.function_memory)").strip() == "640"


def test_a_page_whose_kernel_has_gone_says_so_and_comes_back(lab: Any, open_studio: Any, studio_page: Any) -> None:
    studio = open_studio("studio")
    second = studio_page(lab, view=1)
    notices = lab.page.get_by_text("The kernel was restarted: nothing here is connected any more.")
    studio.button("Plan").click()
    expect(studio.step("Deploy").get_by_text("Not connected to AWS").first).to_be_visible()
    studio.type("Function name", "soil-moisture")
    studio.type("Memory (MB)", "64")
    expect(studio.field("Memory (MB)")).to_have_attribute("aria-invalid", "true")
    expect(notices).to_have_count(0)
    lab.restart_kernel()
    expect(notices).to_have_count(2)
    expect(notices.first).to_be_visible()
    # Neither the pointer nor the keyboard reaches what is not true any more.
    expect(studio.root.locator(".plw-body")).to_have_js_property("inert", True)
    buttons = lab.page.get_by_role("button", name="Reconnect")
    buttons.first.click()
    expect(buttons).to_have_count(0, timeout=30_000)
    for view in (studio, second):
        expect(view.field("Function name")).to_have_value("soil-moisture")
        expect(view.field("Memory (MB)")).to_have_attribute("aria-invalid", "true")
    assert lab.run_code("print(studio.deploy.deployment.function_name)").strip() == "soil-moisture"
    lab.run_code("studio.deploy.deployment.function_memory = 3000")
    for view in (studio, second):
        expect(view.field("Memory (MB)")).to_have_value("3000")
    assert lab.complaints == []


def test_a_page_that_is_opened_without_its_kernel_says_so_and_comes_back(
    lab: Any, open_studio: Any, studio_page: Any
) -> None:
    studio = open_studio()
    studio.type("Function name", "soil-moisture")
    studio.type("Memory (MB)", "64")
    expect(studio.field("Memory (MB)")).to_have_attribute("aria-invalid", "true")
    lab.save("studio-test.ipynb")
    lab.restart_kernel()
    lab.open("studio-test.ipynb")
    button = lab.page.get_by_role("button", name="Reconnect")
    expect(lab.page.get_by_text("The kernel was restarted")).to_be_visible(timeout=20_000)
    button.press("Enter")
    again = studio_page(lab)
    expect(again.field("Function name")).to_have_value("soil-moisture")
    assert lab.run_code("print(studio.deploy.deployment.function_name)").strip() == "soil-moisture"


def test_typing_is_not_taken_for_shortcuts(lab: Any, open_studio: Any) -> None:
    studio = open_studio("1 + 1")
    studio.field("Function name").fill("")
    studio.field("Function name").press_sequentially("ddaabbx")
    expect(studio.field("Function name")).to_have_value("ddaabbx")
    assert lab.page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets.length") == 2


def test_the_keyboard_reaches_every_control_in_the_order_of_the_page(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    studio.field("Profile").focus()
    reached = []
    for _ in range(60):
        name = lab.page.evaluate(
            "() => document.activeElement.closest('.plw') && (document.activeElement.labels?.[0]?.textContent"
            " || document.activeElement.textContent)"
        )
        if name is None:
            break
        reached.append(name)
        lab.page.keyboard.press("Tab")
    wanted = [*FIELDS[:1], "Region", "Access key ID", "Secret access key", "Session token", "Connect"]
    assert reached[:6] == wanted
    assert set(FIELDS + BUTTONS) <= set(reached)


_STAND_IN = """
from podpac_lambda_widgets.plan.changes import Delete, Plan
from podpac_lambda_widgets.plan.resources import LogGroup
class Stack:
    deleted = 0
    def plan_delete(self):
        return Plan("x", "delete", (Delete(LogGroup(name="/aws/lambda/x", retention=30, tags={})),))
    def delete(self, *, confirm, listener, cancelled, expected):
        Stack.deleted += 1
        return self.plan_delete()
studio.deploy._stack = Stack
"""


def test_the_question_before_deleting_is_announced_and_answered_by_keyboard(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    lab.run_code(_STAND_IN)
    question = studio.root.get_by_role("alertdialog", name="Please confirm")
    expect(question).to_have_count(0)
    for answer in ("Escape", "Enter"):
        studio.button("Delete").press("Enter")
        expect(question).to_have_accessible_description("Delete 1 resource of podpac-lambda-autogen?")
        expect(studio.button("Keep it")).to_be_focused()
        lab.page.keyboard.press(answer)
        expect(question).to_have_count(0)
        expect(studio.button("Delete")).to_be_focused()
    assert lab.run_code("print(Stack.deleted)").strip() == "0"
    studio.button("Delete").press("Enter")
    expect(studio.button("Keep it")).to_be_focused()
    lab.page.keyboard.press("Shift+Tab")
    expect(studio.button("Really delete")).to_be_focused()
    lab.page.keyboard.press("Enter")
    expect(studio.step("Deploy").get_by_text("Deleted: nothing of it is left")).to_be_visible()
    assert lab.run_code("print(Stack.deleted)").strip() == "1"


_LOSING = (
    _STAND_IN
    + """
from podpac_lambda_widgets.plan.resources import BucketContents
class Losing(Stack):
    def plan_delete(self):
        return Plan("x", "delete", (Delete(BucketContents(name="b", own_objects=2, results=2)),))
    def delete(self, *, confirm, listener, cancelled, expected):
        assert confirm == "podpac-lambda-autogen"
        return super().delete(confirm=confirm, listener=listener, cancelled=cancelled, expected=expected)
studio.deploy._stack = Losing
"""
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_losing_results_takes_the_functions_name_typed_by_keyboard(lab: Any, open_studio: Any, theme: str) -> None:
    studio = open_studio(theme=theme)
    lab.run_code(_LOSING)
    studio.button("Delete").press("Enter")
    name = studio.field("Type the function's name to delete it")
    expect(name).to_be_focused()
    expect(studio.root.get_by_role("alertdialog", name="Please confirm")).to_have_accessible_description(
        "Delete 1 resource of podpac-lambda-autogen? 2 results are in its bucket and nowhere else, and would be lost."
    )
    lab.page.keyboard.type("podpac")
    lab.page.keyboard.press("Tab")
    expect(studio.button("Really delete")).to_be_focused()
    lab.page.keyboard.press("Enter")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_accessible_description("This is not the function's name: type podpac-lambda-autogen.")
    assert studio.root.evaluate(_CONTRAST) == []
    assert lab.run_code("print(Stack.deleted)").strip() == "0"
    name.fill("podpac-lambda-autogen")
    # A click out of the field: what was typed arrives before the press.
    studio.button("Really delete").click()
    expect(studio.step("Deploy").get_by_text("Deleted: nothing of it is left")).to_be_visible()
    assert lab.run_code("print(Stack.deleted)").strip() == "1"
    expect(name).to_be_hidden()


def test_escape_keeps_the_results(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    lab.run_code(_LOSING)
    studio.button("Delete").press("Enter")
    expect(studio.field("Type the function's name to delete it")).to_be_focused()
    lab.page.keyboard.type("podpac-lambda-autogen")
    lab.page.keyboard.press("Escape")
    expect(studio.step("Deploy").get_by_text("Nothing was deleted")).to_be_visible()
    assert lab.run_code("print(Stack.deleted)").strip() == "0"


def test_the_folded_part_is_used_by_keyboard(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    expect(studio.field("Calls at once")).to_be_hidden()
    studio.field("Timeout (s)").focus()
    lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Enter")
    triggers = studio.root.get_by_role("group", name="Triggers", exact=True)
    direct = triggers.get_by_role("checkbox", name="Direct call (always on)")
    expect(direct).to_be_checked()
    expect(direct).to_be_disabled()
    expect(studio.field("Public endpoint")).to_be_disabled()
    expect(studio.field("Input folder")).to_be_hidden()
    lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Space")
    expect(studio.field("Objects in the bucket (S3)")).to_be_checked()
    expect(studio.field("Input folder")).to_have_value("input")
    lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Space")
    expect(studio.field("Public endpoint")).to_be_enabled()
    for _ in range(2):
        lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Space")
    expect(studio.field("Public endpoint")).to_have_accessible_description(
        re.compile("Anybody who knows the address can run the function, and you pay for it")
    )
    studio.type("Calls at once", "5")
    studio.type("Tags", "project=soil\nterm=a=b")
    studio.field("Keep logs (days)").select_option("365")
    line = studio.step("Deploy").get_by_text("Direct call, objects in S3, web API · public")
    expect(line).to_be_visible()
    studio.field("Web API (API Gateway)").uncheck()
    expect(studio.field("Public endpoint")).not_to_be_checked()
    expect(studio.field("Public endpoint")).to_be_disabled()
    # The kernel has had all before it, for the messages of one form keep their order.
    wish = "w = studio.deploy.deployment\nprint(w.function_triggers, w.function_public_endpoint,"
    wish += " w.function_reserved_concurrency, w.function_tags, w.function_log_retention)"
    said = "('eval', 'S3') False 5 {'project': 'soil', 'term': 'a=b'} 365"
    assert lab.run_code(wish).strip() == said


def test_the_folded_part_opens_for_an_error_and_may_be_folded_again(lab: Any, open_studio: Any) -> None:
    studio = open_studio("studio")
    lab.run_code("studio.deploy.enter('function_budget_email', 'nobody')")
    expect(studio.field("Budget e-mail")).to_be_visible()
    expect(studio.step("Deploy").get_by_text("An address such as you@example.org.")).to_be_visible()
    studio.step("Deploy").locator("summary").first.click()
    expect(studio.field("Budget e-mail")).to_be_hidden()
    lab.run_code("studio.deploy.enter('function_memory', '512')")
    expect(studio.field("Memory (MB)")).to_have_value("512")
    expect(studio.field("Budget e-mail")).to_be_hidden()


def test_a_trait_of_the_folded_part_moves_every_view(lab: Any, open_studio: Any, studio_page: Any) -> None:
    first = open_studio("studio")
    second = studio_page(lab, view=1)
    for view in (first, second):
        view.step("Deploy").locator("summary").first.click()
    lab.run_code("studio.deploy.deployment.function_triggers = ('URL',)")
    for view in (first, second):
        expect(view.field("Own URL")).to_be_checked()
        expect(view.field("Direct call (always on)")).to_be_checked()
    second.field("Objects in the bucket (S3)").check()
    expect(first.field("Objects in the bucket (S3)")).to_be_checked()


def test_the_policy_to_ask_for_can_be_copied(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lab.run_code(
        "from podpac_lambda_widgets.errors import PermissionsMissingError\n"
        'studio.deploy._policy.text = \'{"Statement": "<b>"}\'\n'
        "studio.deploy.show_error(PermissionsMissingError('1 is missing', missing=['iam:PassRole on arn:x']))"
    )
    step = studio.step("Deploy")
    step.get_by_text("Details", exact=True).click()
    expect(step.get_by_text("iam:PassRole on arn:x")).to_be_visible()
    step.get_by_text("Policy for an administrator").press("Enter")
    studio.button("Copy").click()
    expect(step.get_by_text("Copied")).to_be_visible()
    assert lab.page.evaluate("() => navigator.clipboard.readText()") == '{"Statement": "<b>"}'
    lab.keep = False
    lab.page.evaluate("() => { Object.defineProperty(navigator, 'clipboard', { value: undefined }); }")
    studio.button("Copy").click()
    assert lab.page.evaluate("() => getSelection().toString()") == '{"Statement": "<b>"}'


def test_what_a_form_does_is_copied_as_code_and_follows_the_form(lab: Any, open_studio: Any, studio_page: Any) -> None:
    studio = open_studio("studio")
    other = studio_page(lab, view=1)
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    studio.type("Memory (MB)", "1024")
    button = studio.step("Deploy").get_by_role("button", name="Copy as code")
    button.press("Enter")
    code = studio.step("Deploy").locator(".plw-code pre")
    expect(code).to_contain_text("function_memory=1024")
    expect(studio.step("Deploy").get_by_text("Copied")).to_be_visible()
    assert lab.page.evaluate("() => navigator.clipboard.readText()") == code.text_content()
    expect(other.step("Deploy").locator(".plw-code")).to_be_hidden()
    lab.run_code("studio.deploy.deployment.function_memory = 3000")
    expect(code).to_contain_text("function_memory=3000")
    expect(studio.step("Deploy").get_by_text("Copied")).to_have_count(0)
    studio.type("Memory (MB)", "1")
    expect(code).to_have_text("Correct what is marked: Memory (MB).")
    button.press("Enter")
    expect(code).to_be_hidden()
    studio.type("Memory (MB)", "2048")
    studio.root.locator(".plw-head").get_by_role("button", name="Copy as code").click()
    expect(studio.root.locator(".plw-head .plw-code pre")).to_contain_text("session = plw.connect()")
    assert "plw.connect" not in lab.save("studio-test.ipynb")


def test_root_keys_take_a_second_press(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    lab.run_code(
        "from podpac_lambda_widgets.plan.account import Identity\n"
        "from podpac_lambda_widgets.widgets.backend import Connection\n"
        "root = Identity('123456789012', 'arn:aws:iam::123456789012:root', 'eu-west-1', 'aws', is_root=True)\n"
        "studio.credentials._backend.connect = lambda **given: Connection(None, root)"
    )
    studio.button("Connect").press("Enter")
    question = studio.root.get_by_role("alertdialog", name="Please confirm")
    expect(question).to_have_accessible_description(re.compile("These are the account's root keys"))
    expect(studio.button("Leave them")).to_be_focused()
    lab.page.keyboard.press("Shift+Tab")
    lab.page.keyboard.press("Enter")
    expect(studio.step("Connect").get_by_text("Connected to account 123456789012")).to_be_visible()
    expect(question).to_have_count(0)


def test_the_page_counts_down_to_the_end_of_the_credentials(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    lab.run_code(
        "from datetime import UTC, datetime, timedelta\n"
        "from podpac_lambda_widgets.plan.account import Identity\n"
        "from podpac_lambda_widgets.widgets.backend import Connection\n"
        "ends = datetime.now(UTC) + timedelta(minutes=50, seconds=30)\n"
        "who = Identity('123456789012', 'arn:aws:iam::1:user/<b>ada</b>', 'eu-west-1', 'aws', expires=ends)\n"
        "studio.credentials._backend.connect = lambda **given: Connection(None, who)\n"
        "studio.credentials._backend.identity = lambda connection: who\n"
        "studio.credentials.permissions.stack = None"
    )
    studio.button("Connect").click()
    step = studio.step("Connect")
    expect(step.get_by_text("Expire in 50 min")).to_be_visible()
    expect(step.get_by_text("user/<b>ada</b>")).to_be_visible()
    # As if the time had passed: the page asks the kernel, which asks AWS.
    lab.run_code(
        "from dataclasses import replace\n"
        "who = replace(who, expires=datetime.now(UTC) - timedelta(seconds=1))\n"
        "studio.credentials.expires = who.expires.timestamp() * 1000"
    )
    expect(step.get_by_text("The credentials have expired: connect again")).to_be_visible(timeout=20_000)
    expect(studio.button("Connect")).to_have_attribute("aria-disabled", "false")


_SIGNS_IN = """
import time
from datetime import UTC, datetime, timedelta
from podpac_lambda_widgets.errors import CancelledError, ExpiredCredentialsError
from podpac_lambda_widgets.plan.account import Identity, SignIn
from podpac_lambda_widgets.widgets.backend import Connection
signed_in = False
def connect(*, sign_in, cancelled, **given):
    if sign_in is None:
        error = ExpiredCredentialsError("The sign-in has expired", next_step="Press Sign in.")
        error.sign_in = True
        raise error
    until = datetime.now(UTC) + timedelta(minutes=9, seconds=59)
    sign_in(SignIn("https://device.example/<b>", "https://device.example/?code=ABCD-EFGH", "ABCD-EFGH", until))
    while not signed_in:
        if cancelled():
            raise CancelledError("The sign-in was cancelled")
        time.sleep(0.05)
    return Connection(None, Identity("123456789012", "arn:aws:iam::1:user/ada", "eu-west-1", "aws"))
studio.credentials._backend.connect = connect
studio.credentials.permissions.stack = None
"""


def test_a_person_signs_in_by_a_browser(lab: Any, open_studio: Any) -> None:
    studio = open_studio()
    assert lab.run_code(_SIGNS_IN) == ""
    step, place = studio.step("Connect"), studio.step("Connect").get_by_role("group", name="Sign in by a browser")
    expect(studio.button("Sign in")).to_be_hidden()
    studio.button("Connect").click()
    studio.button("Sign in").click()
    link = place.get_by_role("link", name="https://device.example/<b>")
    expect(link).to_have_attribute("href", "https://device.example/?code=ABCD-EFGH")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(link).to_be_focused()
    expect(place.get_by_text("ABCD-EFGH")).to_be_visible()
    expect(place.get_by_role("timer")).to_have_text(re.compile(r"9 min [1-5]\d s left"))
    shown = place.get_by_role("timer").text_content()
    expect(place.get_by_role("timer")).not_to_have_text(str(shown))
    # The kernel is free meanwhile.
    assert lab.run_code("print(6 * 7)") == "42\n"
    place.get_by_role("button", name="Cancel").click()
    expect(place).to_be_hidden()
    studio.button("Sign in").click()
    expect(place).to_be_visible()
    lab.run_code("signed_in = True")
    expect(step.get_by_text("Connected to account 123456789012")).to_be_visible()
    expect(place).to_be_hidden()
    expect(studio.button("Sign in")).to_be_hidden()
    # An address comes from outside: what leads to no page is text.
    odd = "javascript:window.attacked=1"
    lab.run_code(f"studio.credentials._signing_in.show(SignIn({odd!r}, {odd!r}, 'X', datetime.now(UTC)))")
    expect(place.get_by_text(odd)).to_be_visible()
    expect(place.get_by_text("The code has run out")).to_be_visible()
    expect(place.get_by_role("link")).to_have_count(0)


def test_the_question_takes_no_focus_out_of_a_field_or_another_view(
    lab: Any, open_studio: Any, studio_page: Any
) -> None:
    first = open_studio("studio")
    second = studio_page(lab, view=1)
    first.field("Function name").focus()
    lab.run_code("studio.deploy.question = 'Delete it?'")
    expect(second.root.get_by_role("alertdialog")).to_be_visible()
    expect(first.field("Function name")).to_be_focused()
    lab.run_code("studio.deploy.question = ''")
    lab.run_code(_STAND_IN)
    second.button("Delete").press("Enter")
    expect(first.root.get_by_role("alertdialog")).to_be_visible()
    expect(second.button("Keep it")).to_be_focused()


@pytest.mark.parametrize("width", [640, 1000])
def test_nothing_is_cut_off_when_narrow(lab: Any, open_studio: Any, width: int) -> None:
    lab.page.set_viewport_size({"width": width, "height": 1200})
    studio = open_studio()
    studio.step("Deploy").locator("summary").first.click()
    expect(studio.field("Calls at once")).to_be_visible()
    # A picture shows a part of what is in it.
    too_wide = studio.root.evaluate(
        "root => [...root.querySelectorAll('*:not(svg *)')].filter(node => node.getBoundingClientRect().right >"
        " root.getBoundingClientRect().right + 1).map(node => node.outerHTML.slice(0, 80))"
    )
    assert too_wide == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_ground(lab: Any, open_studio: Any, theme: str) -> None:
    """WCAG 2.1, 1.4.3: a contrast of at least 4.5."""
    studio = open_studio(theme=theme)
    studio.type("Memory (MB)", "64")
    expect(studio.field("Memory (MB)")).to_have_attribute("aria-invalid", "true")
    studio.step("Deploy").locator("summary").first.click()
    studio.field("Own URL").check()
    studio.field("Public endpoint").check()
    expect(studio.step("Deploy").get_by_text("you pay for it")).to_be_visible()
    studio.button("Build").hover()
    pale = studio.root.evaluate(_CONTRAST)
    assert pale == []


_CONTRAST = """root => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const paint = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => {
        const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const pale = [];
    const texts = 'label, p, h2, h3, button, input, select, textarea, legend, dt, dd, span, summary, li, pre';
    for (const node of root.querySelectorAll(texts)) {
        const text = [...node.childNodes].some(c => c.nodeType === 3 && c.textContent.trim()) || node.value;
        if (!text || !node.checkVisibility() || node.closest('.plw-sr')) continue;
        const grounds = [];
        for (let at = node; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
        const ground = paint(['#fff', ...grounds]);
        const ink = paint([`rgb(${ground})`, getComputedStyle(node).color]);
        const [high, low] = [light(ink), light(ground)].sort((a, b) => b - a);
        const contrast = (high + 0.05) / (low + 0.05);
        if (contrast < 4.5) pale.push([node.className, node.textContent.slice(0, 30), contrast.toFixed(2)]);
    }
    return pale;
}"""
