"""What goes wrong, in a real page against an AWS: it is said where the person looks, and the way on is open."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from podpac_lambda_widgets.model.examples import EXAMPLES

pytestmark = [pytest.mark.local_aws, pytest.mark.archive, pytest.mark.timeout(600)]

STUDIO = "from podpac_lambda_widgets import Studio\nstudio = Studio()\nstudio"
#: Makes a user who may say who they are, and nothing else, and prints their key.
NEWCOMER = """
import boto3, json
iam = boto3.client("iam")
name = "newcomer"
iam.create_user(UserName=name)
iam.put_user_policy(UserName=name, PolicyName="little", PolicyDocument=json.dumps({"Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["sts:GetCallerIdentity", "iam:GetRole"], "Resource": "*"}]}))
key = iam.create_access_key(UserName=name)["AccessKey"]
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"""


@pytest.fixture
def studio(lab: Any, deployed: str, studio_page: Any) -> Any:
    """A Studio whose environment leads to an AWS where its function is built."""
    lab.write("troubles.ipynb", deployed, STUDIO)
    lab.open("troubles.ipynb")
    assert lab.run_all()
    return studio_page(lab)


def test_wrong_credentials_then_a_user_who_may_do_too_little(lab: Any, package: Any, studio: Any) -> None:
    key_id, secret = json.loads(lab.run_code(NEWCOMER))
    connect, deploy = studio.step("Connect"), studio.step("Deploy")
    studio.type("Access key ID", key_id)
    studio.type("Secret access key", "x" * 40)
    studio.button("Connect").click()
    expect(connect).to_have_attribute("data-standing", "failed", timeout=60_000)
    card = connect.locator("[aria-live=assertive]").filter(has_text="secret")
    expect(card).to_have_count(1)
    expect(connect.get_by_text("Connected to")).to_have_count(0)
    expect(studio.field("Secret access key")).to_have_value("")

    studio.field("Secret access key").fill(secret)
    studio.field("Secret access key").press("Enter")
    studio.button("Connect").click()
    # The old card goes as soon as it is tried again: waiting ends at a card.
    expect(card).to_have_count(0)
    studio.wait_for("Connect")
    expect(connect.get_by_text("user/newcomer")).to_be_visible()

    studio.type("Distribution archive", str(package.dist.path))
    studio.type("Dependencies archive", str(package.dependencies.path))
    studio.button("Plan").click()
    expect(deploy).to_have_attribute("data-standing", "failed", timeout=60_000)
    card = deploy.locator("[aria-live=assertive]")
    expect(card).to_contain_text("s3:")
    card.get_by_text("Policy for an administrator").click()
    policy = json.loads(card.locator("pre").last.inner_text())
    assert {each["Effect"] for each in policy["Statement"]} == {"Allow"}
    lab.run_code("iam.delete_access_key(UserName=name, AccessKeyId=key['AccessKeyId'])")
    lab.run_code("iam.delete_user_policy(UserName=name, PolicyName='little'); iam.delete_user(UserName=name)")
    assert lab.complaints == []


def test_a_pipeline_that_fails_one_that_is_stopped_and_one_that_goes_well(lab: Any, studio: Any) -> None:
    run, results = studio.step("Run"), studio.step("Results")
    studio.button("Connect").click()
    studio.wait_for("Connect")
    definition = {"A": {"node": "core.algorithm.generic.Arithmetic", "attrs": {"eqn": "1/nothing"}}}
    studio.type("Pipeline", json.dumps(definition))
    studio.button("Run").click()
    expect(run.get_by_role("cell", name="Failed").first).to_be_visible(timeout=120_000)
    expect(run.get_by_text("nothing").last).to_be_visible()
    expect(results.get_by_role("img")).to_have_count(0)

    studio.type("Pipeline", EXAMPLES[0].name)
    studio.type("Latitude, points", "1500")
    studio.type("Longitude, points", "1500")
    studio.button("Run").click()
    studio.button("Cancel").click(timeout=60_000)
    expect(run.get_by_role("cell", name="Cancelled").first).to_be_visible(timeout=60_000)
    expect(results.get_by_role("img")).to_have_count(0)

    studio.type("Latitude, points", "20")
    studio.type("Longitude, points", "30")
    studio.button("Run").click()
    studio.wait_for("Results")
    studio.wait_for_colours(studio.picture("Map of SinCoords"))
    assert lab.run_code("print(studio.result.shape)").strip() == "(20, 30, 1)"
    assert lab.complaints == []


def test_a_kernel_that_is_restarted_is_found_again_and_runs(lab: Any, deployed: str, studio: Any) -> None:
    studio.type("Latitude, points", "20")
    studio.button("Connect").click()
    studio.wait_for("Connect")
    lab.restart_kernel()
    lab.run_code(deployed)
    reconnect = lab.page.get_by_role("button", name="Reconnect")
    reconnect.click()
    expect(reconnect).to_have_count(0, timeout=30_000)
    # What was typed is there; the way into AWS is not, and nothing says that it were.
    expect(studio.field("Latitude, points")).to_have_value("20")
    expect(studio.root.get_by_text("Connected to")).to_have_count(0)
    studio.button("Connect").click()
    studio.wait_for("Connect")
    studio.button("Run").click()
    studio.wait_for("Results")
    assert lab.run_code("print(studio.result.shape)").strip() == "(20, 180, 1)"
    assert lab.complaints == []


def test_forms_of_their_own_are_found_again_once_what_they_were_given_is_there(lab: Any, deployed: str) -> None:
    lab.write(
        "alone.ipynb",
        f"{deployed}\nimport podpac_lambda_widgets as plw",
        "who = plw.CredentialsForm()\nwho",
        "deploy = plw.DeployForm(session=who)\ndeploy",
        "view = plw.ResultView()\nview",
        "run = plw.PipelineForm(session=who, results=view)\nrun",
    )
    lab.open("alone.ipynb")
    assert lab.run_all()
    who, deploy, view, run = (
        lab.page.get_by_role("region", name=name, exact=True) for name in ("Connect", "Deploy", "Results", "Run")
    )
    memory, points = deploy.get_by_label("Memory (MB)"), run.get_by_label("Latitude, points")
    for field, number in ((memory, "3000"), (points, "20")):
        field.fill(number)
        field.blur()
    lab.crash_kernel()
    lab.run_code(deployed)
    buttons = lab.page.get_by_role("button", name="Reconnect")
    expect(buttons).to_have_count(4, timeout=30_000)
    buttons.nth(1).click()
    expect(lab.page.get_by_text("there is no who yet: run the cell that makes it")).to_be_visible()
    for left in (3, 2, 1, 0):
        buttons.first.click()
        expect(buttons).to_have_count(left, timeout=30_000)
    expect(memory).to_have_value("3000")
    expect(points).to_have_value("20")
    who.get_by_role("button", name="Connect").click()
    expect(who.get_by_text("Connected to").first).to_be_visible(timeout=60_000)
    expect(deploy.get_by_text("In AWS: ")).to_be_visible(timeout=60_000)
    assert lab.run_code("print(deploy.worker is who.worker, deploy.deployment.function_memory)").strip() == "True 3000"
    run.get_by_role("button", name="Run", exact=True).click()
    expect(view.get_by_text("SinCoords is here").first).to_be_visible(timeout=60_000)
    assert lab.run_code("print(run.result.shape, view.result.array.shape)").strip() == "(20, 180, 1) (20, 180, 1)"
    assert lab.complaints == []
