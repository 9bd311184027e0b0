"""What is printed of a comparison, and while it runs."""

import io

import pytest
from rich.console import Console

from cornu.compare import watch as watching
from cornu.compare.terminal import print_results
from cornu.compare.watch import Watch


def console(width=80, is_terminal=False):
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=is_terminal,
        color_system="truecolor" if is_terminal else None,
        highlight=False,
        legacy_windows=False,
    )


def printed(results, width=80, **more):
    on = console(width)
    print_results(results, on, **more)
    return on.file.getvalue()


def verdict(kind, largest, text, **more):
    return {"same": kind == "same", "kind": kind, "largest": largest, "text": text, **more}


def run(seed, accuracy, loss):
    return {"seed": seed, "history": {}, "test": {"accuracy": accuracy, "loss": loss}}


def timing(scale):
    return {
        "import_s": 0.8 * scale,
        "first_epoch_s": 3.1 * scale,
        "epoch_ms": 1.9 * scale,
        "process_s": 8.9 * scale,
        "peak_memory_mb": 410.0 * scale,
        "package_mb": 643.0 * scale,
    }


NAMES = {
    "cornu": "Cornu",
    "torch": "PyTorch",
    "keras": "Keras",
    "numpy": "NumPy",
    "sklearn": "scikit-learn",
    "keras-torch": "Keras on PyTorch",
}


def sample():
    frameworks = [
        {"name": name, "title": title, "version": "1.0", "status": "finished", "reason": None}
        for name, title in NAMES.items()
    ]
    frameworks[3].update(
        status="failed",
        reason="the process ended with status 1",
        last_lines=["Traceback (most recent call last):", "MemoryError: [bold]no[/bold] memory"],
    )
    frameworks[5].update(status="skipped", reason="it is not installed")
    long = "parts at step 1, at the loss: the program applies softmax before a loss that applies it"
    return {
        "format": 1,
        "experiment": {
            "name": "moons",
            "title": "Two moons",
            "epochs": 200,
            "batch_size": 32,
            "rows": {"train": 900, "validation": 0, "test": 100},
            "loss": "binary_crossentropy",
            "optimizer": "SGD, learning rate 0.01",
            "parameters": 5277,
        },
        "frameworks": frameworks,
        "same_start": {
            "seed": 0,
            "dtypes": {
                "float64": {
                    "tolerance": 1e-8,
                    "steps": 5800,
                    "frameworks": {
                        "torch": {"verdict": verdict("different", 0.12, long, step=1)},
                        "cornu": {"loss": [0.7]},
                        "keras": {"verdict": verdict("same", 3.1e-15, "lies on Cornu's")},
                    },
                },
                "float32": {
                    "tolerance": 1e-4,
                    "steps": 5800,
                    "frameworks": {
                        "cornu": {"loss": [0.7]},
                        "keras": {"verdict": verdict("rounding", 2e-3, "grows by rounding")},
                    },
                },
            },
        },
        "own_habits": {
            "seeds": [0, 1, 2, 3, 4],
            "frameworks": {
                "sklearn": {"runs": [run(0, 0.97, 0.0731)], "timing": timing(1.4)},
                "cornu": {
                    "runs": [run(i, 0.96 + i / 200, 0.07 + i / 1000) for i in range(5)],
                    "timing": timing(1.0),
                },
                "torch": {
                    "runs": [run(i, 0.95 + i / 200, 0.08) for i in range(5)],
                    "timing": {**timing(10.6), "import_s": None},
                },
            },
        },
        "findings": [
            {"code": "C502", "severity": "warning", "message": "too fast", "layer": "dense"},
            {"code": "C900", "severity": "info", "message": "nothing of note", "layer": None},
        ],
    }


def test_all_of_it_fits_into_80_columns():
    text = printed(sample(), report="results/moons/report.html")
    assert all(len(line.rstrip()) <= 80 for line in text.splitlines())
    for part in (
        "Two moons",
        "5,277 parameters",
        "Same start  float64, 5,800 steps, tolerance 1e-8",
        "3.1e-15",
        "Own habits  mean and 95 % interval of 5 seeds",
        "97.0 ± 1.0 %",
        "Cost",
        "1.9 ms",
        "C502  too fast (dense)",
        "Keras on PyTorch  it is not installed",
        "NumPy failed: the process ended with status 1",
        "    MemoryError: [bold]no[/bold] memory",
        "Report: results/moons/report.html",
    ):
        assert part in text, part
    assert "nothing of note" not in text
    assert "\x1b" not in text


def lines_of(text, section):
    """The lines of one section, by the first word of each."""
    lines = text.split(section, 1)[1].split("\n\n")[0].splitlines()[1:]
    return {line.split()[0]: line for line in lines if line.strip()}


def test_frameworks_are_in_the_order_of_display():
    text = printed(sample(), 120)
    assert list(lines_of(text, "Own habits"))[1:] == ["Cornu", "PyTorch", "scikit-learn"]
    assert list(lines_of(text, "Same start"))[1:4] == ["Cornu", "PyTorch", "Keras"]


def test_verdicts():
    text = printed(sample(), 120)
    first, second = text.split("Same start")[1:3]
    found = lines_of("Same start" + first, "Same start")
    assert found["Keras"].split()[1:3] == ["same", "3.1e-15"]
    assert found["PyTorch"].split()[1:3] == ["different", "0.1200"]
    assert "parts at step 1, at the loss" in found["PyTorch"]
    assert "rounding" in lines_of("Same start" + second, "Same start")["Keras"]


def test_a_verdict_without_a_sentence():
    results = sample()
    mine = results["same_start"]["dtypes"]["float64"]["frameworks"]["torch"]["verdict"]
    mine.update(text=None, place="layer 'dense_1'", cause="another kernel", step=29)
    assert "parts at step 29, at layer 'dense_1': another kernel" in printed(results, 140)


def test_costs_are_related_to_cornus():
    lines = printed(sample(), 100).split("Cost")[1].splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("PyTorch"))
    assert "20.1 ms" in lines[place]
    assert lines[place + 1].split() == ["11\u00d7"] * 5
    assert lines[place].rstrip().endswith("6.8 GB")
    # one framework alone has nothing to be related to
    results = sample()
    del results["own_habits"]["frameworks"]["cornu"]
    text = printed(results)
    assert "Cornu's" not in text.split("Cost")[1].splitlines()[0]
    assert "11\u00d7" not in text


def test_numbers_of_seeds_where_they_differ():
    found = lines_of(printed(sample()), "Own habits")
    assert found["scikit-learn"].split() == ["scikit-learn", "97.0", "%", "0.0731", "1"]
    results = sample()
    del results["own_habits"]["frameworks"]["sklearn"]
    assert "seeds" not in printed(results).split("Own habits")[1].splitlines()[1]


@pytest.mark.parametrize(
    "missing", ["experiment", "frameworks", "same_start", "own_habits", "findings"]
)
@pytest.mark.parametrize("how", ["absent", "null"])
def test_anything_may_be_missing(missing, how):
    results = sample()
    if how == "absent":
        del results[missing]
    else:
        results[missing] = None
    assert printed(results).strip()


def test_values_may_be_null():
    results = sample()
    for one in results["own_habits"]["frameworks"].values():
        one["timing"] = dict.fromkeys(one["timing"])
        one["runs"][0]["test"] = None
    results["own_habits"]["frameworks"]["torch"] = {"runs": None, "timing": None}
    results["same_start"]["dtypes"]["float32"] = None
    text = printed(results)
    assert "Cost" not in text
    assert "Cornu" in text


def test_runs_that_diverged():
    results = sample()
    runs = [run(0, 0.9, 0.2), run(1, None, None), run(2, 0.94, 0.3)]
    results["own_habits"]["frameworks"] = {
        "cornu": {"runs": runs},
        # a run of an older kind: its predictions were counted all the same
        "torch": {"runs": [runs[0], runs[2], run(1, 0.33, float("nan"))]},
        "keras": {"runs": [run(seed, None, None) for seed in range(3)]},
        "numpy": {"runs": [run(seed, 0.9, 0.2) for seed in range(3)]},
    }
    found = lines_of(printed(results, 100), "Own habits")
    # 0.02 * 12.7
    assert "92.0 % (66.6 to 100 %)" in found["Cornu"]
    assert "0.2500 \u00b1 0.6353" in found["Cornu"]
    assert found["Cornu"].rstrip().endswith("2 of 3 (1 diverged)")
    assert found["PyTorch"].split()[1:] == found["Cornu"].split()[1:]
    assert " ".join(found["Keras"].split()) == "Keras \u2013 \u2013 0 of 3 (3 diverged)"
    assert found["NumPy"].split()[-1] == "3"


def test_losses_that_are_no_numbers():
    results = sample()
    results["own_habits"]["frameworks"] = {"cornu": {"runs": [run(0, 0.5, float("inf"))]}}
    results["same_start"]["dtypes"]["float64"]["frameworks"]["torch"]["verdict"]["largest"] = float(
        "nan"
    )
    text = printed(results)
    assert lines_of(text, "Own habits")["Cornu"].split()[:5] == ["Cornu", "\u2013", "0", "of", "1"]
    assert lines_of(text, "Same start")["PyTorch"].split()[2] == "nan"


def test_a_regression_has_no_accuracy():
    results = sample()
    for one in results["own_habits"]["frameworks"].values():
        for each in one["runs"]:
            each["test"] = {"loss": 12.5}
    text = printed(results)
    assert "accuracy" not in text
    assert "12.500" in text


def test_colours_in_a_terminal():
    on = console(is_terminal=True)
    print_results(sample(), on)
    # Cornu's #2b6cb0
    assert "\x1b[1;38;2;43;108;176mCornu" in on.file.getvalue()


# -- while it runs ---------------------------------------------------------------------------------


def test_plain_lines_where_it_is_no_terminal():
    on = console()
    with Watch(on) as watch:
        one = watch.start("PyTorch, same start, float64", total=200)
        two = watch.start("Keras, seed 0")
        one.epoch(3, loss=0.3)
        one.done("2.1 s")
        two.failed("it is out of [memory]")
        watch.note("NumPy: finished before")
        two.done("too late")
    assert on.file.getvalue().splitlines() == [
        "PyTorch, same start, float64  2.1 s",
        "Keras, seed 0  failed: it is out of [memory]",
        "NumPy: finished before",
    ]


def test_a_long_run_says_now_and_then_where_it_is(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    on = console()
    with Watch(on) as watch:
        job = watch.start("Keras, seed 0", total=10)
        for number in range(1, 11):
            now[0] += 10
            job.epoch(number, loss=0.5 / number)
        job.done()
    assert on.file.getvalue().splitlines() == [
        "Keras, seed 0  epoch 3 of 10, loss 0.1667, 30.0 s",
        "Keras, seed 0  epoch 6 of 10, loss 0.0833, 1 min 0 s",
        "Keras, seed 0  epoch 9 of 10, loss 0.0556, 1 min 30 s",
        "Keras, seed 0  1 min 40 s",
    ]


def test_what_is_interrupted_says_so():
    on = console()
    with pytest.raises(KeyboardInterrupt), Watch(on) as watch:
        watch.start("Keras, seed 0", total=10).epoch(4)
        raise KeyboardInterrupt
    assert "Keras, seed 0  stopped: epoch 4 of 10, " in on.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_moving_lines_in_a_terminal(width):
    on = console(width, is_terminal=True)
    with Watch(on) as watch:
        job = watch.start("PyTorch, same start, float64", total=200)
        watch.start("Keras, own habits, seed 3, with a title that is much longer than a line is")
        job.epoch(3, loss=0.3)
        plain = console(width)
        plain.print(watch._lines())
        job.done("2.1 s")
    lines = plain.file.getvalue().splitlines()
    assert len(lines) == 2
    assert max(map(len, lines)) <= width
    assert "epoch 3 of 200" in lines[0]
    assert "loss 0.3000" in lines[0]
    assert "starting" in lines[1]
    assert "PyTorch, same start, float64  " in on.file.getvalue()


def test_jobs_of_several_threads():
    import threading

    on = console(is_terminal=True)
    with Watch(on) as watch:

        def work(name):
            for seed in range(5):
                job = watch.start(f"{name}, seed {seed}", total=50)
                for number in range(1, 51):
                    job.epoch(number, 1 / number)
                job.done("well")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert on.file.getvalue().count("well") == 20
