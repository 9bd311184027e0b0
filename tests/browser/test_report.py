"""The report in a real browser."""

import copy

import pytest

from cornu.compare.report import write_report

from .sample_results import digits_results, moons_results


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    results = {"moons": moons_results(), "digits": digits_results()}
    return {name: write_report(r, folder / f"{name}.html") for name, r in results.items()}


def curves(page, key):
    return len(page.find_all(f'.curve[data-key="{key}"]'))


def test_moons(browser, reports):
    from selenium.webdriver.common.keys import Keys

    page = browser(reports["moons"])
    text = page.find("main").text
    assert "Keras on PyTorch failed: the program ended with exit status 1." in text
    assert text.index("NumPy and Cornu part at step 1") < text.index("A network of 5,226")
    assert "scikit-learn was skipped: scikit-learn is not installed." in text

    # the movie: its slider by key, then the whole of it
    slider = page.find(".player-bar input[type=range]")
    before, pixels = page.find(".player-bar .now").text, page.pixels()
    assert len(pixels) == 4
    slider.send_keys(Keys.ARROW_LEFT)
    assert page.find(".player-bar .now").text != before
    assert all(now != then for now, then in zip(page.pixels(), pixels, strict=True))
    slider.send_keys(Keys.HOME)
    page.run("document.querySelector('.player-bar select').value = '4'")
    page.find(".play").click()
    page.until(lambda: int(slider.get_attribute("value")) > 2)
    page.until(lambda: page.find(".play").text == "Play")
    assert page.find(".player-bar .now").text == "Epoch 200 of 200"

    # a framework put away goes from every chart, and comes back
    assert curves(page, "torch") > 2
    button = page.find('.legend button[data-key="torch"]')
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-pressed") == "false"
    assert curves(page, "torch") == 0
    assert curves(page, "keras") > 2
    button.click()
    assert curves(page, "torch") > 2

    # the other precision
    one, two = page.find_all("[data-dtype]")
    assert one.is_displayed()
    assert not two.is_displayed()
    page.find('input[name="dtype"][value="float32"]').click()
    assert two.is_displayed()
    assert not one.is_displayed()
    page.until(lambda: two.find_elements("css selector", ".curve"))
    page.assert_quiet()


def test_charts_are_read_by_keys_and_as_tables(browser, reports):
    from selenium.webdriver.common.keys import Keys

    page = browser(reports["digits"])
    chart = page.find('[data-charts="habits"] .chart-box')
    chart.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    tip = chart.find_element("css selector", ".tip").text
    assert "epoch 2" in tip
    assert "scikit-learn" in tip
    chart.send_keys(Keys.END)
    assert "epoch 12" in chart.find_element("css selector", ".tip").text
    figure = page.find('[data-charts="habits"] .chart')
    figure.find_element("css selector", "summary").click()
    page.until(lambda: len(figure.find_elements("css selector", "tbody tr")) == 12)
    assert "±" in figure.find_element("css selector", "td").text
    page.assert_quiet()


def test_theme_holds(browser, reports):
    page = browser(reports["moons"], dark=True)
    dark = page.color("body", "backgroundColor")
    pixels = page.pixels()
    button = page.find("button.theme")
    assert button.text == "Light theme"
    button.click()
    light = page.color("body", "backgroundColor")
    assert light != dark
    assert page.pixels() != pixels
    page.driver.refresh()
    assert page.color("body", "backgroundColor") == light
    assert page.find("button.theme").text == "Dark theme"
    page.assert_quiet()


def test_pictures_and_programs(browser, reports):
    page = browser(reports["digits"])
    pictures = page.pixels("canvas[data-picture]")
    assert len(pictures) == 5 * 20
    assert len(set(pictures)) == 20

    def shown():
        cells = page.find_all(".programs .heads .cell")
        return [cell.text.split("\n")[0] for cell in cells if cell.is_displayed()]

    assert shown() == ["Cornu", "PyTorch"]
    boxes = page.find_all(".choices input")
    boxes[1].click()
    boxes[3].click()
    assert shown() == ["Cornu", "NumPy"]
    # a step's sections stand beside each other
    cells = [c for c in page.find_all(".step:nth-child(2) .cell") if c.is_displayed()]
    assert len({cell.location["y"] for cell in cells}) == 1
    assert len({cell.location["x"] for cell in cells}) == 2

    copy_button = page.find(".heads .copy")
    copy_button.click()
    page.until(lambda: copy_button.text == "Copied")
    page.assert_quiet()


@pytest.mark.parametrize("name", ["moons", "digits"])
def test_phone(browser, reports, name):
    page = browser(reports[name], width=360)
    for details in page.find_all("details"):
        page.run("arguments[0].open = true", details)
    page.run(
        "for (const box of document.querySelectorAll('.choices input:not(:checked)')) box.click()"
    )
    width, window = page.run("return [document.documentElement.scrollWidth, innerWidth]")
    assert window == 360
    assert width <= window
    page.assert_quiet()


def test_hostile_text_stays_text(browser, tmp_path):
    results = copy.deepcopy(moons_results())
    hostile = "</script><img src=x onerror=\"document.title='broken'\"><b>"
    results["experiment"] |= {"title": hostile, "description": hostile, "classes": [hostile, "1"]}
    results["movie"]["title"] = results["movie"]["series"][0]["title"] = hostile
    results["movie"]["classes"] = [hostile, "1"]
    results["frameworks"][0]["title"] = hostile
    results["programs"][0]["text"] += hostile
    results["frameworks"][5]["last_lines"] = [hostile]
    page = browser(write_report(results, tmp_path / "hostile.html"))
    assert page.find("h1").text == hostile
    assert page.find_all("img") == []
    assert page.driver.title == f"{hostile} - cornu compare"
    assert len(page.pixels()) == 4
    page.assert_quiet()


def test_long_drawing_is_not_cut_by_its_scrollbar(browser, tmp_path):
    results = moons_results()
    for place in range(30):
        node = {**results["network"][1], "name": f"more_{place}"}
        results["network"].append({**node, "inputs": [results["network"][-1]["name"]]})
    page = browser(write_report(results, tmp_path / "long.html"))
    script = "const d = document.querySelector('.drawing'); return [d.scrollWidth, d.clientWidth]"
    inside, room = page.run(script)
    assert inside <= room
    assert page.run(
        "const d = document.querySelector('.drawing'); return d.scrollHeight > d.clientHeight"
    )
    page.assert_quiet()


def test_no_results_at_all(browser, tmp_path):
    page = browser(write_report({}, tmp_path / "empty.html"))
    assert page.find("h1").text == "Comparison"
    page.assert_quiet()
