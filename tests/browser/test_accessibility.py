"""What a person who cannot see, or cannot point, meets in the forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

pytestmark = [pytest.mark.local_aws, pytest.mark.archive, pytest.mark.timeout(600)]

#: Also what axe-core cannot decide and leaves to a person; but for the colours of text that is drawn, see _PALE.
_AXE = """async node => {
    const found = await axe.run(node, { resultTypes: ['violations', 'incomplete'] });
    const drawn = (rule, at) => rule.id === 'color-contrast' && at.html.startsWith('<text');
    return [...found.violations, ...found.incomplete].filter(rule => ['serious', 'critical'].includes(rule.impact))
        .flatMap(rule => rule.nodes.filter(at => !drawn(rule, at))
            .map(at => `${rule.impact} ${rule.id}: ${at.html.slice(0, 160)} ${at.failureSummary}`));
}"""
#: Text of axes and colour bars that stands out from its panel by less than WCAG 2.2 asks for (1.4.3): 4.5 to 1.
_PALE = """root => {
    const luminance = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = node => {
        const colour = getComputedStyle(node).backgroundColor;
        return /, 0\\)$/.test(colour) && node.parentElement ? behind(node.parentElement) : colour;
    };
    return [...root.querySelectorAll('svg text')].flatMap(text => {
        const ground = luminance(behind(text));
        const ink = luminance(getComputedStyle(text).fill);
        const ratio = (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
        return ratio < 4.5 ? [`pale: ${text.textContent} ${ratio.toFixed(2)}`] : [];
    });
}"""
_UNFOLD = "root => root.querySelectorAll('details').forEach(details => { details.open = true; })"
_CARD = """
from datetime import UTC, datetime, timedelta
from podpac_lambda_widgets.errors import AwsError, PermissionsMissingError
from podpac_lambda_widgets.plan.account import SignIn
studio.deploy._policy.text = '{"Statement": []}'
studio.deploy.show_error(PermissionsMissingError("1 is missing", missing=["iam:PassRole on arn:x"]))
studio.pipeline.show_error(AwsError("The pipeline failed", why="KeyError: 'A'", next_step="Correct it."))
until = datetime.now(UTC) + timedelta(minutes=9)
studio.credentials._signing_in.show(SignIn("https://device.example/", "https://device.example/x", "ABCD-EFGH", until))
studio.source.set_step("Compress", "working", done=3, total=10, detail="30 %")
studio.source.set_step("Install", "done")
studio.source.set_step("Check", "failed")
studio.source.set_step("Upload", "waiting")
"""


def serious(studio: Any) -> list[str]:
    """What axe-core finds in the Studio that is serious or critical."""
    studio.page.wait_for_function("() => document.fonts.status === 'loaded'")
    if not studio.page.evaluate("() => 'axe' in globalThis"):
        studio.page.evaluate(AXE_SCRIPT)
    # axe looks at no colours of what it takes for hidden: what is out of sight, and all of JupyterLab, whose body has
    # no height.
    height = studio.root.evaluate("root => Math.ceil(root.getBoundingClientRect().height)")
    studio.page.set_viewport_size({"width": 1400, "height": height + 600})
    studio.page.evaluate("() => { document.body.style.height = '100vh'; }")
    expect(studio.root.get_by_role("region").last).to_be_in_viewport(ratio=1)
    found: list[str] = [*studio.root.evaluate(_AXE), *studio.root.evaluate(_PALE)]
    return found


def test_the_search_finds_what_it_looks_for(open_studio: Any) -> None:
    studio = open_studio()
    assert serious(studio) == []
    studio.root.evaluate(
        "root => root.insertAdjacentHTML('beforeend', `<button></button><input><img src='data:,'>"
        "<p style='color:#999;background:#aaa'>pale</p>`)"
    )
    studio.step("Results").locator(".plw-panel").evaluate(
        "panel => panel.insertAdjacentHTML('beforeend', `<svg><text style='fill: rgb(128 128 128 / 1)'>7</text></svg>"
        "<pre aria-label='no role'>x</pre>`)"
    )
    text = "\n".join(serious(studio))
    assert "pale: 7" in text and "aria-prohibited-attr" in text
    for rule in ("critical button-name", "critical label", "critical image-alt", "serious color-contrast"):
        assert rule in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_form_in_any_state(
    lab: Any, deployed: str, package: Any, studio_page: Any, theme: str
) -> None:
    lab.write("axe.ipynb", deployed, "from podpac_lambda_widgets import Studio\nstudio = Studio()\nstudio")
    lab.open("axe.ipynb", theme)
    assert lab.run_all()
    studio = studio_page(lab)
    assert serious(studio) == [], "as it begins"

    studio.type("Memory (MB)", "64")
    expect(studio.field("Memory (MB)")).to_have_attribute("aria-invalid", "true")
    studio.root.evaluate(_UNFOLD)
    assert serious(studio) == [], "with all folds open, and a field error"

    studio.type("Memory (MB)", "2048")
    studio.type("Distribution archive", str(package.dist.path))
    studio.type("Dependencies archive", str(package.dependencies.path))
    studio.button("Connect").click()
    studio.wait_for("Connect")
    studio.button("Plan").click()
    studio.step("Deploy").get_by_role("table").first.wait_for(timeout=60_000)
    studio.button("Run").click()
    studio.wait_for("Results")
    expect(studio.picture("Map of SinCoords")).to_be_visible()
    studio.root.evaluate(_UNFOLD)
    assert serious(studio) == [], "with a plan, and a result"

    assert lab.run_code(_CARD + "studio.deploy.question = 'Delete it?'") == ""
    expect(studio.root.get_by_role("alertdialog").first).to_be_visible()
    expect(studio.step("Run").get_by_text("The pipeline failed").first).to_be_visible()
    studio.root.evaluate(_UNFOLD)
    assert serious(studio) == [], "with errors, a question, and work that is under way"


def test_what_happens_is_announced_and_said_in_words(lab: Any, open_studio: Any) -> None:
    """No meaning is in a colour alone, and a screen reader hears of progress without being asked."""
    studio = open_studio()
    package = studio.step("Package")
    heard = package.get_by_role("status")
    lab.run_code("studio.source.stand('working', 'Building the archives …')")
    expect(heard.filter(has_text="Working: Building the archives …")).to_have_count(1)
    lab.run_code("studio.source.set_step('Compress', 'working', done=3, total=10)")
    expect(heard.filter(has_text="Compress: working")).to_have_count(1)
    expect(package.get_by_role("progressbar", name="Compress")).to_have_attribute("value", "3")
    lab.run_code("studio.source.set_step('Compress', 'done')")
    expect(heard.filter(has_text="Compress: done")).to_have_count(1)
    for state in ("waiting", "working", "done", "failed"):
        lab.run_code(f"studio.source.set_step('A step', {state!r})")
        item = package.get_by_role("listitem").filter(has_text="A step")
        expect(item).to_contain_text(state)
        expect(item.locator("svg").first).to_be_visible()
    for standing, word in (("done", "Done"), ("failed", "Needs attention"), ("working", "Working")):
        lab.run_code(f"studio.deploy.stand({standing!r}, 'so it is')")
        expect(studio.step("Deploy").get_by_role("status").filter(has_text=f"{word}: so it is")).to_have_count(1)
    lab.run_code("from podpac_lambda_widgets.errors import AwsError\nstudio.deploy.show_error(AwsError('It failed'))")
    card = studio.step("Deploy").locator("[aria-live=assertive]").filter(has_text="It failed")
    expect(card).to_have_count(1)
    expect(card.locator("svg").first).to_be_visible()


_LOOKS = """() => {
    const node = document.activeElement;
    if (!node.closest('.plw')) return null;
    const style = getComputedStyle(node);
    return {
        name: node.labels?.[0]?.textContent || node.getAttribute('aria-label') || node.textContent,
        role: node.tagName,
        ring: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none',
    };
}"""


def stops(page: Any, most: int = 400) -> Iterator[dict[str, Any]]:
    """Where Tab leads, one control after the other, until it leaves the Studio."""
    for _ in range(most):
        looks = page.evaluate(_LOOKS)
        if looks is None:
            return
        yield looks
        page.keyboard.press("Tab")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_focus_is_seen_wherever_it_is(lab: Any, open_studio: Any, theme: str) -> None:
    studio = open_studio(theme=theme)
    studio.field("Profile").focus()
    lab.page.keyboard.press("Shift+Tab")
    lab.page.keyboard.press("Tab")
    seen = list(stops(lab.page))
    assert len(seen) > 25
    assert [looks for looks in seen if not looks["ring"]] == []
    assert [looks for looks in seen if not looks["name"].strip()] == []


class Keyboard:
    """Somebody who has a keyboard, and nothing else.

    Parameters
    ----------
    studio : StudioPage
        What is in front of them.
    """

    def __init__(self, studio: Any) -> None:
        self.studio, self.page = studio, studio.page

    def go_to(self, control: Any) -> None:
        """Press Tab until a control has the focus."""
        for _ in range(400):
            if control.evaluate("node => node === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {control}")

    def go_back_to(self, control: Any) -> None:
        """Press Shift and Tab until a control has the focus."""
        for _ in range(400):
            if control.evaluate("node => node === document.activeElement"):
                return
            self.page.keyboard.press("Shift+Tab")
        raise AssertionError(f"Shift and Tab do not reach {control}")

    def press(self, name: str) -> None:
        """Go to a button, and press it."""
        self.go_to(self.studio.button(name))
        self.page.keyboard.press("Enter")

    def type(self, name: str, text: str) -> None:
        """Go to a field, and put a text into it."""
        self.go_to(self.studio.field(name))
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)


def test_a_whole_run_by_keyboard_alone(lab: Any, deployed: str, package: Any, studio_page: Any) -> None:
    lab.write("keys.ipynb", deployed, "from podpac_lambda_widgets import Studio\nstudio = Studio()\nstudio")
    lab.open("keys.ipynb")
    assert lab.run_all()
    studio = studio_page(lab)
    keys = Keyboard(studio)
    lab.page.evaluate("() => document.activeElement?.blur()")
    keys.go_to(studio.field("Profile"))
    keys.go_to(studio.field("Region"))
    expect(studio.field("Region").locator("option").nth(2)).to_be_attached()
    lab.page.keyboard.press("ArrowDown")
    expect(studio.field("Region")).not_to_have_value("")
    lab.page.keyboard.press("Home")
    expect(studio.field("Region")).to_have_value("")
    keys.press("Connect")
    studio.wait_for("Connect")
    keys.type("Distribution archive", str(package.dist.path))
    keys.type("Dependencies archive", str(package.dependencies.path))
    keys.type("Function name", "by-keyboard")
    keys.press("Plan")
    studio.step("Deploy").get_by_role("cell", name="+ create").first.wait_for(timeout=60_000)
    keys.press("Build")
    studio.wait_for("Deploy")
    keys.type("Latitude, points", "90")
    keys.press("Run")
    studio.wait_for("Results")
    picture = studio.picture("Map of SinCoords")
    studio.wait_for_colours(picture)
    assert lab.run_code("print(studio.result.shape)").strip() == "(90, 180, 1)"
    keys.go_back_to(studio.button("Delete"))
    lab.page.keyboard.press("Enter")
    expect(studio.button("Keep it")).to_be_focused(timeout=60_000)
    lab.page.keyboard.press("Shift+Tab")
    expect(studio.button("Really delete")).to_be_focused()
    lab.page.keyboard.press("Enter")
    studio.step("Deploy").get_by_text("Deleted: nothing of it is left").wait_for(timeout=60_000)
    assert lab.complaints == []
