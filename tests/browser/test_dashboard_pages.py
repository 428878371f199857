"""What a person at the page sees and does, in Chromium."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from probable_cause.clock import wall_clock
from probable_cause.state.application import load_events
from probable_cause.state.moments import to_text
from probable_cause.state.tables import Write
from tests.browser.conftest import Open, Serve
from tests.unit.dashboard.dashboard_scenes import (
    HOSTILE,
    NOON,
    Scene,
    add_incident,
    change,
    deferral,
    errors,
    incident,
    many,
    recovered,
    refused,
)

REVOKE = "network#RevokeSecurityGroupIngress on sg-0a1b2c3d#1"
REBOOT = "cloudsystem#RebootInstances on i-0abc12def#1"
SHOP = 'li.app[data-app="shop"]'


def expect(locator: Any) -> Any:
    from playwright.sync_api import expect as playwright_expect

    return playwright_expect(locator)


def all_scenes() -> Scene:
    return recovered(deferral(incident()))


# --- each scenario's verdict ---------------------------------------------------------------------------------------


def test_the_overview_shows_each_verdict_what_hurts_most_first(serve: Serve, page: Open) -> None:
    shown = page(serve(all_scenes()))
    expect(shown.locator("li.app .name")).to_have_text(["shop", "checkout", "search"])
    shop = shown.locator(SHOP)
    expect(shop.locator(".health")).to_have_text("failing")
    expect(shop.locator(".cause .summary")).to_have_text("RevokeSecurityGroupIngress on sg-0a1b2c3d")
    expect(shop.locator(".cause .actor")).to_have_text("dana")
    expect(shop.locator(".layer").nth(2).locator(".summary")).to_contain_text("RebootInstances on i-0abc12def")
    checkout = shown.locator('li.app[data-app="checkout"]')
    expect(checkout.locator(".layer.deferred")).to_contain_text("defers to cloud system")
    expect(checkout.locator(".acked")).to_have_text("acknowledged by robin")
    expect(shown.locator('li.app[data-app="search"] .health')).to_have_text("healthy")


def test_the_application_page_tells_why(serve: Serve, page: Open) -> None:
    shown = page(serve(incident()), "/app/shop")
    expect(shown.locator(".sentence")).to_have_text(
        "Very likely: RevokeSecurityGroupIngress on sg-0a1b2c3d by dana, 60 s before the first symptom."
    )
    why = shown.locator("section.panel", has=shown.get_by_role("heading", name="Why"))
    expect(why.locator("ol.evidence > li")).to_have_count(3)
    line = why.locator("details.line").nth(1)
    line.locator("summary").click()
    expect(line.locator("pre")).to_contain_text("eni-0a1b2c3d 10.0.1.10 10.0.2.20 49152 5432 6")
    expect(shown.locator(".rivals li").first).to_contain_text("RebootInstances on i-0abc12def")
    expect(shown.locator(".gaps li").first).to_contain_text("CloudTrail may deliver calls up to 15 minutes late")
    expect(shown.get_by_label("AWS CLI command")).to_contain_text("aws ec2 authorize-security-group-ingress")
    expect(shown.locator(".ledger tr")).to_have_text(
        [re.compile("It happened"), re.compile(r"delivered.*\+1\.2 s"), re.compile("Kinesis"), re.compile("Read"),
         re.compile("Verdict written")]
    )  # fmt: skip
    expect(shown.locator(".past").first).to_contain_text("failing")


def test_the_timeline_has_marks_density_deferral_and_lifecycle(serve: Serve, page: Open) -> None:
    shown = page(serve(all_scenes()), "/app/checkout")
    expect(shown.locator("svg.lanes .item.cause.cloudsystem .shape")).to_have_count(1)
    expect(shown.locator("svg.lanes .item.symptom.network .density")).to_have_count(1)
    expect(shown.locator("svg.lanes path.deferral")).to_have_count(1)
    expect(shown.locator("svg.lanes .handled.acknowledged title")).to_have_text(re.compile("acknowledged by robin"))
    expect(shown.locator("svg.lanes .shown.deferred")).to_have_count(1)


def test_the_timeline_zooms_brushes_and_selects(serve: Serve, page: Open) -> None:
    shown = page(serve(incident()), "/app/shop")
    shown.locator("svg.lanes .item.root").wait_for()
    items = shown.locator("svg.lanes .item")
    assert items.count() == 5
    box = shown.locator("svg.brush").bounding_box()
    assert box is not None
    right = box["x"] + box["width"] - 12
    shown.mouse.move(right - 120, box["y"] + 15)
    shown.mouse.down()
    shown.mouse.move(right, box["y"] + 15, steps=4)
    shown.mouse.up()
    expect(shown.locator(f'svg.lanes .item[data-event="{REBOOT}"]')).to_have_count(0)
    shown.get_by_role("button", name="Show all").click()
    expect(items).to_have_count(5)
    shown.locator(".drawing").focus()
    shown.keyboard.press("+")
    shown.keyboard.press("+")
    assert items.count() < 5
    shown.keyboard.press("0")
    expect(items).to_have_count(5)
    shown.locator(f'svg.lanes .item[data-event="{REBOOT}"] .shape').click()
    expect(shown.locator(".event[aria-current]")).to_contain_text("RebootInstances")
    assert "event=cloudsystem" in shown.url


def test_an_application_without_a_cause_says_so(serve: Serve, page: Open) -> None:
    shown = page(serve(all_scenes()), "/app/search")
    expect(shown.locator(".verdict.none-named")).to_contain_text("No symptom is going on")
    expect(shown.locator("li.event", has_text="StopInstances").locator(".meta")).to_contain_text("ended")
    expect(shown.locator("li.event", has_text="database").locator(".meta")).to_contain_text("resolved")
    expect(shown.locator("svg.lanes .handled.resolved title")).to_have_text(re.compile("resolved by robin"))


def test_who_is_said_once_and_by_the_name_that_people_know(serve: Serve, page: Open) -> None:
    scene = Scene()
    role = "AWSReservedSSO_Operators_0123456789abcdef/kim"
    at = NOON - timedelta(minutes=9)
    reboot = change("shop", "cloudsystem", "RebootInstances", "i-1", at, actor=role, summary=f"{role} rebooted i-1")
    scene.see("shop", reboot)
    scene.see("shop", errors("shop", at + timedelta(seconds=40), 9))
    shown = page(serve(scene), "/app/shop")
    expect(shown.locator(".sentence")).to_have_text("Very likely: kim rebooted i-1, 40 s before the first symptom.")
    shown.locator("li.event summary").first.click()
    expect(shown.locator(".event-body dd").get_by_text(role)).to_be_visible()  # whole, where it may be needed


# --- acting --------------------------------------------------------------------------------------------------------


def test_acknowledging_in_the_page_changes_the_table_and_the_next_verdict(serve: Serve, page: Open) -> None:
    scene = incident()
    shown = page(serve(scene), "/app/shop")
    shown.get_by_role("button", name="Acknowledge").first.click()
    dialog = shown.get_by_role("dialog")
    expect(dialog).to_contain_text("as robin")
    dialog.get_by_label("Reason").fill("rolling it back")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_have_count(0)
    event = load_events(scene.tables, "shop")[REVOKE].event
    assert (event.status, event.status_by, event.status_reason) == ("acknowledged", "robin", "rolling it back")
    # The reboot is open and explains the symptoms too: it takes the first place.
    expect(shown.locator(".sentence strong")).to_have_text("RebootInstances on i-0abc12def")
    expect(shown.locator(".card.network")).to_contain_text("acknowledged")
    taken = shown.locator(".verdict .status.acknowledged")
    expect(taken).to_contain_text("RevokeSecurityGroupIngress on sg-0a1b2c3d explains more of it")
    expect(taken).to_contain_text("acknowledged by robin: rolling it back")


def test_two_people_at_once_the_second_sees_the_first(serve: Serve, page: Open) -> None:
    scene = incident()
    first, second = page(serve(scene, "dana"), "/app/shop"), page(serve(scene, "robin"), "/app/shop", faulty=True)
    for one, button in ((first, "Acknowledge"), (second, "Resolve")):
        one.get_by_role("button", name=button).first.click()
        one.get_by_label("Reason").fill(f"reason of {button}")
    first.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(first.get_by_role("dialog")).to_have_count(0)
    second.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    failure = second.get_by_role("dialog").get_by_role("alert")
    expect(failure).to_contain_text("dana acknowledged this")
    expect(failure).to_contain_text("reason of Acknowledge")
    expect(second.get_by_role("dialog").get_by_role("button", name="Resolve")).to_have_count(0)
    event = load_events(scene.tables, "shop")[REVOKE].event
    assert (event.status, event.status_by) == ("acknowledged", "dana")
    second.get_by_role("button", name="Close").click()
    expect(second.locator(".card.network")).to_contain_text("acknowledged")


def test_resolve_and_reopen_from_the_overview_by_keyboard(serve: Serve, page: Open) -> None:
    scene = all_scenes()
    shown = page(serve(scene))
    shown.locator(SHOP).wait_for()
    shown.keyboard.press("j")
    expect(shown.locator(f"{SHOP} .name")).to_be_focused()
    shown.keyboard.press("j")
    shown.keyboard.press("k")
    shown.keyboard.press("r")
    shown.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    # What ended together with a resolved cause is history: no other change is blamed for it.
    expect(shown.locator(f"{SHOP} .health")).to_have_text("healthy")
    assert load_events(scene.tables, "shop")[REVOKE].event.status == "resolved"
    expect(shown.locator(f"{SHOP} .name")).to_be_focused()
    shown.keyboard.press("Enter")
    expect(shown.locator("h1")).to_have_text("shop")
    row = shown.locator("li.event", has_text="RevokeSecurityGroupIngress")
    row.locator("summary").click()
    row.get_by_role("button", name="Reopen").click()
    shown.get_by_role("dialog").get_by_role("button", name="Reopen").click()
    expect(shown.locator(".sentence strong")).to_have_text("RevokeSecurityGroupIngress on sg-0a1b2c3d")


def test_keys(serve: Serve, page: Open) -> None:
    shown = page(serve(all_scenes()))
    shown.locator(SHOP).wait_for()
    shown.keyboard.press("/")
    expect(shown.locator("#search")).to_be_focused()
    shown.keyboard.type("jka")  # letters in a field are letters
    expect(shown.locator("#search")).to_have_value("jka")
    shown.locator("#search").fill("")
    shown.keyboard.press("Escape")
    shown.keyboard.press("?")
    expect(shown.get_by_role("dialog")).to_contain_text("acknowledge: you are on it")
    shown.keyboard.press("Escape")
    expect(shown.get_by_role("dialog")).to_have_count(0)
    shown.keyboard.press("j")
    shown.keyboard.press("Enter")
    expect(shown.locator("li.event")).to_have_count(5)
    shown.keyboard.press("j")
    shown.keyboard.press("j")
    expect(shown.locator("li.event").nth(1)).to_have_attribute("aria-current", "true")
    shown.keyboard.press("Enter")
    expect(shown.locator("li.event").nth(1).locator("pre")).to_be_visible()
    shown.keyboard.press("a")
    expect(shown.get_by_role("dialog")).to_contain_text("Acknowledge RebootInstances on i-0abc12def")
    shown.keyboard.press("Escape")
    shown.keyboard.press("u")
    expect(shown.locator("li.app")).to_have_count(3)


# --- live ----------------------------------------------------------------------------------------------------------


def test_a_change_of_the_table_shows_without_reload_and_open_parts_stay_open(serve: Serve, page: Open) -> None:
    scene = incident()
    shown = page(serve(scene), "/app/shop")
    line = shown.locator("li.event").nth(3)
    line.locator("summary").click()
    before = shown.locator("li.event", has_text="REJECT").locator(".meta").inner_text()
    scene.now += timedelta(seconds=20)
    scene.see("shop", refused("shop", scene.now - timedelta(seconds=5), 100, spread=1))
    meta = shown.locator("li.event", has_text="REJECT").locator(".meta")
    expect(meta).not_to_have_text(before)
    expect(meta).to_contain_text("×313")
    expect(shown.locator("li.event details[open]")).to_have_count(1)


def test_the_api_down_and_back(serve: Serve, page: Open) -> None:
    scene = incident()
    server = serve(scene)
    shown = page(server, faulty=True)
    expect(shown.locator("#live")).to_have_attribute("data-state", "live")
    server.close()
    expect(shown.locator("#banner")).to_contain_text("The API can't be reached. What you see was true")
    expect(shown.locator(SHOP)).to_be_visible()
    add_incident(scene, "second-shop")
    serve(scene, port=server.port)
    expect(shown.locator("li.app")).to_have_count(2, timeout=15000)
    expect(shown.locator("#banner")).to_be_hidden()


def test_acting_while_the_api_is_down_says_that_nothing_was_sent(serve: Serve, page: Open) -> None:
    server = serve(incident())
    shown = page(server, "/app/shop", faulty=True)
    shown.get_by_role("button", name="Acknowledge").first.click()
    server.close()
    shown.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(shown.get_by_role("dialog").get_by_role("alert")).to_contain_text("nothing was sent")
    expect(shown.get_by_role("dialog").get_by_role("button", name="Acknowledge")).to_be_enabled()


def test_a_silent_job_is_seen_and_a_working_one_is_not(serve: Serve, page: Open) -> None:
    scene = incident()

    def beat(age: int) -> None:
        # The job tells its life by the machine's clock, whatever the clock that verdicts are judged by.
        seen_at = to_text(wall_clock() - timedelta(seconds=age))
        key = {"ApplicationId": "(job)", "StateKey": "heartbeat"}
        content = {"JobSeenAt": seen_at, "Lag": {"shardId-0": 1500}, "Rejects": {"vpc_flow/bad_field_count": 5}}
        scene.tables.states.apply(Write(key, content))

    beat(2)
    shown = page(serve(scene))
    expect(shown.locator("#live-text")).to_have_text("Live")
    beat(95)
    expect(shown.locator("#live-text")).to_have_text(re.compile(r"Job silent for 9\d s"))
    expect(shown.locator("#banner")).to_contain_text("nothing new can appear")
    shown.get_by_role("link", name="Operations", exact=True).click()
    expect(shown.locator("main")).to_contain_text("shardId-0")
    expect(shown.locator('time[data-kind="wall"]')).to_have_text(re.compile(r"9\d s ago|10\d s ago"))
    expect(shown.locator("main")).to_contain_text("bad_field_count")


def test_a_hidden_page_asks_nothing(serve: Serve, page: Open) -> None:
    shown = page(serve(incident()))
    shown.locator(SHOP).wait_for()
    asked: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    hide = (
        "Object.defineProperty(document, 'hidden', {value: %s, configurable: true}); "
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    shown.evaluate(hide % "true")
    shown.wait_for_timeout(1300)  # a look that was under way may end
    asked.clear()
    shown.wait_for_timeout(2500)
    assert asked == []
    shown.evaluate(hide % "false")
    shown.wait_for_timeout(700)
    assert len(asked) >= 1


# --- finding, links, times -----------------------------------------------------------------------------------------


def test_search_and_filters_live_in_the_link(serve: Serve, page: Open) -> None:
    server = serve(all_scenes())
    shown = page(server)
    rows = shown.locator("li.app .name")
    expect(rows).to_have_count(3)
    cases = {"revoke sg-0a1b": ["shop"], "nobody": [], "123456789012": ["shop"], "CHECK sam": ["checkout"]}
    for text, found in cases.items():
        shown.locator("#search").fill(text)
        expect(rows).to_have_text(found)
    shown.locator("#search").fill("")
    shown.get_by_role("button", name="1 healthy").click()
    expect(rows).to_have_text(["search"])
    shown.get_by_role("button", name="1 healthy").click()
    shown.get_by_label("Filter by layer").select_option("network")
    expect(rows).to_have_text(["shop", "checkout"])
    shown.get_by_label("Filter by actor").select_option("sam")
    expect(rows).to_have_text(["checkout"])
    link = shown.url
    assert "token" not in link
    again = page(server, link.split("#")[1].replace("&", "%26"))
    expect(again.locator("li.app .name")).to_have_text(["checkout"])
    shown.locator("#search").fill("nothing like this")
    expect(shown.locator(".note")).to_have_text("No application fits the search and filters.")


def test_a_link_to_an_event_opens_it(serve: Serve, page: Open) -> None:
    to = "/app/shop?event=cloudsystem%2523RebootInstances%2520on%2520i-0abc12def%25231"
    shown = page(serve(incident()), to)
    expect(shown.locator(".event[aria-current] .summary")).to_have_text("RebootInstances on i-0abc12def")
    assert "token" not in shown.url


def test_times_are_local_and_utc(serve: Serve, page: Open) -> None:
    shown = page(serve(incident()), "/app/shop")
    at = shown.locator('.verdict time[data-kind="clock"]').first
    expect(at).to_have_text("12:48:00")  # Paris
    expect(at).to_have_attribute("title", re.compile(r"12:48:00 local · .*11:48:00 UTC"))
    shown.keyboard.press("t")
    expect(at).to_have_text("11:48:00")
    expect(shown.locator("#zone")).to_have_text("UTC")


def test_times_of_another_day_carry_their_day(serve: Serve, page: Open) -> None:
    scene = Scene()
    scene.see("shop", change("shop", "network", "CreateRoute", "rtb-1", NOON - timedelta(hours=40)))
    shown = page(serve(scene))
    expect(shown.locator(".range time").first).to_have_text("27 Feb 21:00")


# --- states for people ---------------------------------------------------------------------------------------------


def test_no_application_yet(serve: Serve, page: Open) -> None:
    shown = page(serve(Scene()))
    expect(shown.locator(".note")).to_contain_text("No application has had an event of interest yet")


def test_an_unknown_application_and_an_unknown_page(serve: Serve, page: Open) -> None:
    server = serve(incident())
    shown = page(server, "/app/none", faulty=True)
    expect(shown.locator("main")).to_contain_text("Nothing is known of an application 'none'")
    shown.goto(f"http://127.0.0.1:{server.port}/#/nowhere")
    expect(shown.locator("main")).to_contain_text("There is no such page")


def test_without_a_token_the_page_says_what_to_do(serve: Serve, page: Open) -> None:
    server = serve(incident())
    shown = page(server, "/app/shop", faulty=True)
    shown.locator(".sentence").wait_for()
    assert shown.evaluate("[location.href.includes('token'), localStorage.getItem('token'), document.cookie]") == [
        False, None, "",
    ]  # fmt: skip
    shown.evaluate("sessionStorage.setItem('token', 'wrong')")
    expect(shown.get_by_role("heading", name="Sign in")).to_be_visible()
    shown.get_by_label("Or paste the token").fill(server.token)
    shown.get_by_role("button", name="Open").click()
    expect(shown.locator(".sentence")).to_be_visible()


def sign_in_page(shown: Any, origin: str, token: str, state: Callable[[str], str]) -> list[dict[str, str]]:
    """A user pool's answers at the page's own address; returns what the token endpoint was asked."""
    asked: list[dict[str, str]] = []
    challenges: list[str] = []

    def authorize(route: Any) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()}
        challenges.append(query["code_challenge"])
        back = f"{query['redirect_uri']}?{urlencode({'code': 'c0de', 'state': state(query['state'])})}"
        route.fulfill(status=302, headers={"Location": back})

    def exchange(route: Any) -> None:
        body = {name: values[0] for name, values in parse_qs(route.request.post_data).items()}
        digest = hashlib.sha256(body["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenges[-1]
        asked.append(body)
        route.fulfill(status=200, json={"id_token": token})

    pool = f"{origin}/pool"
    conf = {"authorize": f"{pool}/authorize", "token": f"{pool}/token", "client_id": "me", "scope": "openid"}
    shown.route("**/auth.json", lambda route: route.fulfill(status=200, json=conf))
    shown.route("**/pool/authorize*", authorize)
    shown.route("**/pool/token", exchange)
    return asked


@pytest.mark.parametrize("honest", [True, False])
def test_signing_in_at_a_user_pool(serve: Serve, page: Open, honest: bool) -> None:
    server = serve(incident())
    origin = f"http://127.0.0.1:{server.port}"
    shown = page(server, "/operations", faulty=True)
    shown.locator("section.panel").first.wait_for()
    asked = sign_in_page(shown, origin, server.token, lambda state: state if honest else "forged")
    shown.evaluate("sessionStorage.clear()")
    shown.goto(f"{origin}/?again#/app/shop")
    shown.get_by_role("button", name="Sign in").click()
    if honest:
        expect(shown.locator(".sentence")).to_be_visible()
        assert shown.url == f"{origin}/#/app/shop"
        assert asked[0]["code"] == "c0de" and asked[0]["grant_type"] == "authorization_code"
    else:
        expect(shown.get_by_role("button", name="Sign in")).to_be_visible()
        assert asked == [] and shown.evaluate("sessionStorage.getItem('token')") is None


def test_a_fault_of_the_page_is_reported_not_swallowed(serve: Serve, page: Open) -> None:
    shown = page(serve(incident()), faulty=True)
    shown.locator(SHOP).wait_for()
    for _ in range(2):
        shown.evaluate("setTimeout(() => { throw new Error('boom <b>') })")
    shown.evaluate("void Promise.reject(new Error('lost promise'))")
    alerts = shown.locator("#toasts [role=alert]")
    expect(alerts).to_have_count(2)
    expect(alerts.first).to_contain_text("boom <b>")
    expect(alerts.first).to_contain_text("(2 times)")
    alerts.first.get_by_role("button", name="Dismiss").click()
    expect(alerts).to_have_count(1)


# --- hostile text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lines_are_text(serve: Serve, page: Open, name: str) -> None:
    scene = Scene()
    line = HOSTILE[name]
    at = NOON - timedelta(minutes=9)
    scene.see("<img src=x onerror=alert(1)>", errors("<img src=x onerror=alert(1)>", at, 3, summary=line[:300]))
    scene.see("shop", change("shop", "network", "CreateRoute", "rtb-1", at, actor=line[:90], message=line))
    scene.see("shop", errors("shop", at + timedelta(seconds=20), 3, message=line, summary=line[:300]))
    server = serve(scene)
    shown = page(server)
    expect(shown.locator("li.app")).to_have_count(2)
    expect(shown.locator("li.app .name").filter(has_text="<img src=x")).to_have_count(1)
    shown.goto(f"http://127.0.0.1:{server.port}/#/app/shop")
    for summary in shown.locator("details > summary").all():
        summary.click()
    told = shown.locator("li.event pre").first.text_content()
    assert told is not None
    assert shown.evaluate("window.__owned") is None
    assert shown.locator("main script, main img, main iframe").count() == 0
    assert shown.title().isprintable()
    if name in ("long", "script"):
        assert told == line
    elif name == "ansi":
        assert "␛[31m" in told and "\x1b" not in told and "connection refused" in told
    elif name == "bidi":
        assert "U+202E" in told and "\u202e" not in told and "مرحبا" in told
        assert "\u202e" not in shown.locator("body").inner_text()
    elif name == "nul":
        assert told == "a␀b␍c\nd\te␡"
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")


# --- everywhere readable -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["/", "/app/shop", "/app/checkout", "/operations"])
def test_no_page_is_wider_than_the_screen(serve: Serve, page: Open, to: str) -> None:
    shown = page(serve(all_scenes()), to, viewport={"width": 1920, "height": 800})
    shown.locator(".panel, li.app").first.wait_for()
    for width in (1920, 1100, 768, 390, 320):
        shown.set_viewport_size({"width": width, "height": 800})
        shown.wait_for_timeout(150)
        assert not wider_than_the_screen(shown), f"at {width} px"


def wider_than_the_screen(shown: Any) -> list[str]:
    """Classes of elements that stick out to the right, when the page can be scrolled sideways."""
    if shown.evaluate("document.documentElement.scrollWidth <= innerWidth"):
        return []
    found: list[str] = shown.evaluate(
        "[...document.querySelectorAll('main *, header *')].filter(e => !e.closest('svg')"
        " && e.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(e).position !== 'absolute')"
        ".map(e => e.className || e.tagName).slice(0, 5)"
    )
    return found or ["an element that could not be found"]


AXE_STATES = ["/", "/app/shop", "/app/checkout", "/app/search", "/operations", "dialog", "help", "sign-in", "empty"]


@pytest.mark.parametrize("state", AXE_STATES)
def test_axe_finds_nothing(serve: Serve, page: Open, state: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    server = serve(Scene() if state == "empty" else all_scenes())
    to = state if state.startswith("/") else "/app/shop" if state == "dialog" else "/"
    shown = page(server, to, bypass_csp=True, faulty=state == "sign-in")
    shown.locator("h1").first.wait_for(state="attached")
    if state == "dialog":
        shown.get_by_role("button", name="Acknowledge").first.click()
    elif state == "help":
        shown.keyboard.press("?")
    elif state == "sign-in":
        shown.evaluate("sessionStorage.setItem('token', 'wrong')")
        shown.get_by_role("heading", name="Sign in").wait_for()
    elif state.startswith("/app"):
        shown.locator("li.event").first.wait_for()
        for summary in shown.locator("details > summary").all():
            summary.click()
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    for theme in ("light", "dark"):
        shown.emulate_media(color_scheme=theme)
        shown.wait_for_timeout(150)
        told = [
            (theme, one["id"], [node["target"] for node in one["nodes"][:3]], one["nodes"][0]["failureSummary"])
            for one in axe.Axe().run(shown, options=options).response["violations"]
        ]
        assert not told, json.dumps(told, indent=1)


def test_the_layout_does_not_jump_while_it_lives(serve: Serve, page: Open) -> None:
    scene = many(40)
    shown = page(serve(scene))
    shown.locator("li.app").first.wait_for()
    shown.wait_for_timeout(500)
    shown.evaluate(
        "window.jumps = 0; new PerformanceObserver(l => { for (const e of l.getEntries()) jumps += e.value })"
        ".observe({type: 'layout-shift', buffered: false})"
    )
    for step in range(4):
        scene.now += timedelta(seconds=30)
        scene.see("service-000", refused("service-000", scene.now - timedelta(seconds=9), 3 + step))
        shown.wait_for_timeout(1200)
    assert shown.evaluate("window.jumps") < 0.02
