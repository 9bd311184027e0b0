"""The player of a movie in a real browser."""

import numpy as np
import pytest

from cornu.plot.player import save_player

from .sample_results import encoded, moons_movie


@pytest.fixture
def movie():
    return moons_movie(np.random.default_rng(0), ["cornu", "torch"], frames=8)


def label(page):
    return page.find(".player-bar .now").text


def test_slider_shows_another_frame(browser, movie, tmp_path):
    from selenium.webdriver.common.keys import Keys

    page = browser(save_player(movie, tmp_path / "moons.html"))
    page.until(lambda: len(page.find_all(".player-frames canvas")) == 2)
    last, pixels = label(page), page.pixels()
    assert last == "Epoch 200 of 200"
    assert pixels[0] != pixels[1]

    slider = page.find(".player-bar input[type=range]")
    slider.send_keys(Keys.ARROW_LEFT)
    assert label(page) == f"Epoch {movie['epochs'][-2]} of 200"
    assert slider.get_attribute("aria-valuetext") == label(page)
    assert all(now != before for now, before in zip(page.pixels(), pixels, strict=True))

    script = "arguments[0].value = 0; arguments[0].dispatchEvent(new Event('input'))"
    page.run(script, slider)
    assert label(page) == "Epoch 1 of 200"
    assert "loss 0." in page.find(".player-frames .values").text
    page.assert_quiet()


def test_plays_and_stops_at_the_end(browser, movie, tmp_path):
    from selenium.webdriver.common.keys import Keys

    page = browser(save_player(movie, tmp_path / "moons.html"))
    play = page.find(".play")
    page.run("document.querySelector('select').value = '4'")
    page.find("body").send_keys(Keys.SPACE)
    assert play.text == "Pause"
    seen = {page.until(lambda: label(page) != "Epoch 200 of 200" and label(page))}
    page.until(lambda: seen.add(label(page)) or play.text == "Play")
    assert label(page) == "Epoch 200 of 200"
    assert len(seen) > 3

    page.find("body").send_keys(Keys.HOME)
    assert label(page) == "Epoch 1 of 200"
    page.find("body").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert label(page) == f"Epoch {movie['epochs'][2]} of 200"
    page.assert_quiet()


def test_draws_what_the_frames_say(browser, tmp_path):
    """Left half class 0, right half class 1, the lowest row unsure: the picture, upside up."""
    grid = np.zeros((4, 4))
    grid[:, 2:] = 255
    grid[0] = 127
    movie = {
        "kind": "boundary", "title": "halves", "extent": [0, 4, 0, 4], "shape": [4, 4],
        "epochs": [1], "classes": ["a", "b"], "axes": ["x", "y"], "points": [],
        "series": [{"name": "cornu", "title": "Cornu", "frames": [encoded(grid)]}],
    }  # fmt: skip
    page = browser(save_player(movie, tmp_path / "halves.html"))
    script = """
    const canvas = document.querySelector(".player-frames canvas");
    const { width, height } = canvas;
    const all = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    const at = (x, y) => {
      const from = 4 * (Math.floor(y * height) * width + Math.floor(x * width));
      return [...all.slice(from, from + 3)];
    };
    return [at(0.1, 0.1), at(0.9, 0.1), at(0.1, 0.97), at(0.9, 0.97)];"""
    page.until(lambda: page.run("return document.querySelector('canvas').width > 300"))
    class_0, class_1, low_left, low_right = page.run(script)
    assert class_0[2] > class_0[0] + 30, "class 0 is blue"
    assert class_1[0] > class_1[2] + 30, "class 1 is orange"
    for corner in (low_left, low_right):
        assert max(corner) - min(corner) < 25, "one half is the paper's colour"
    page.assert_quiet()


@pytest.mark.parametrize("kind", ["classes", "images"])
def test_other_kinds(browser, kind, tmp_path):
    random = np.random.default_rng(0)
    frames = [encoded(random.integers(0, 3, (6, 8))) for _ in range(3)]
    series = {"name": "cornu", "title": "Cornu", "frames": frames, "curves": {"loss": [3, 2, None]}}
    movie = {"kind": kind, "title": "kernels", "shape": [6, 8], "epochs": [1, 2, 3]}
    if kind == "classes":
        series["confidence"] = [encoded(random.integers(80, 255, (6, 8))) for _ in range(3)]
        movie |= {"extent": [0, 8, 0, 6], "classes": ["a", "b", "c"], "points": [[1, 1, 2]]}
    page = browser(save_player({**movie, "series": [series]}, tmp_path / "other.html"))
    page.until(lambda: page.run("return document.querySelector('canvas').width > 300"))
    before = page.pixels()
    page.run(
        "const slider = document.querySelector('input'); slider.value = 0;"
        "slider.dispatchEvent(new Event('input'))"
    )
    assert page.pixels() != before
    page.assert_quiet()


def test_theme_and_phone(browser, movie, tmp_path):
    page = browser(save_player(movie, tmp_path / "moons.html"), width=360)
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    before, paper = page.pixels(), page.color("body", "backgroundColor")
    page.find("button.theme").click()
    assert page.color("body", "backgroundColor") != paper
    assert page.pixels() != before
    page.assert_quiet()
