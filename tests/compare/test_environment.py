"""Machine, versions, commit, and sizes on disk."""

import datetime
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata

import pytest

from cornu.compare.environment import (
    commit_of,
    cores,
    environment,
    marker_holds,
    memory_gb,
    package_size_mb,
    processor,
    required,
    versions,
)


def test_everything_is_there_and_is_json():
    found = environment(["cornu", "sklearn", "of-nobody"], "cornu compare moons", (0, 1))
    assert list(found) == [
        *("date", "command", "python", "platform", "processor", "cores", "memory_gb"),
        *("packages", "commit", "seeds"),
    ]
    assert json.loads(json.dumps(found)) == found
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(found["date"])
    assert abs(age.total_seconds()) < 60
    assert found["packages"]["cornu"] == metadata.version("cornu")
    assert found["packages"]["scikit-learn"] == metadata.version("scikit-learn")
    assert found["cores"] >= 1
    assert found["processor"]


def test_nothing_is_imported():
    code = (
        "import sys; from cornu.compare.environment import environment, package_size_mb;"
        "environment(['sklearn'], '', []); package_size_mb('scikit-learn');"
        "print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_processors_name(tmp_path):
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nmodel\t\t: 1\nmodel name\t: Some  CPU @ 2 GHz\n")
    assert processor(file) == "Some CPU @ 2 GHz"
    assert processor(tmp_path / "none")


def test_the_machine():
    assert 1 <= cores() <= (os.cpu_count() or 1)
    memory = memory_gb()
    assert memory is None or 0.1 < memory < 1e5


def test_parts_of_a_frameworks_name():
    found = versions(["keras-numpy", "numpy"])
    assert found["numpy"] == metadata.version("numpy")


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "moons.py").write_text("x = 1\n")
    settings = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "One"]):
        subprocess.run(["git", "-C", str(folder), *settings, *command], check=True)
    return folder


@needs_git
def test_the_commit(checkout):
    told = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    found = commit_of(checkout / "moons.py")
    assert found is not None
    assert len(found) >= 7
    assert told.startswith(found)
    assert commit_of(checkout) == found
    (checkout / "moons.py").write_text("x = 2\n")
    assert commit_of(checkout) == f"{found}-dirty"
    assert environment([], "", [], checkout=checkout)["commit"] == f"{found}-dirty"


@needs_git
def test_what_only_lies_in_a_checkout_has_no_commit(checkout, tmp_path):
    packages = checkout / ".venv" / "lib"
    packages.mkdir(parents=True)
    (packages / "module.py").write_text("")
    assert commit_of(packages / "module.py") is None
    assert commit_of(packages) is None
    assert commit_of(checkout / "none" / "of" / "this") is None


def test_no_git(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(tmp_path) is None


# -- sizes -----------------------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A place for distributions, and a function that puts one there."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name, size, *requirements, **more):
        package = tmp_path / name.lower().replace("-", "_")
        package.mkdir()
        (package / "__init__.py").write_bytes(b" " * size)
        info = tmp_path / f"{package.name}-1.0.dist-info"
        info.mkdir()
        lines = [f"Name: {name}", "Version: 1.0", "Metadata-Version: 2.1"]
        lines += [f"Requires-Dist: {one}" for one in requirements]
        (info / "METADATA").write_text("\n".join(lines))
        # without METADATA itself, so that sizes are those that are given
        (info / "RECORD").write_text(f"{package.name}/__init__.py,,\nlost.py,,\n")
        for file, text in more.items():
            (info / file.replace("_json", ".json")).write_text(text)

    return install


def test_each_requirement_counts_once(installed):
    installed("One-A", 1_000_000, "two.b>=1", "Three_C", "four-d; extra == 'all'", "not-there")
    installed("Two-B", 2_000_000, "Three_C (>=1)", "one-a")
    installed("three-c", 4_000_000)
    installed("four-d", 8_000_000)
    assert required("One_A") == ["one-a", "two-b", "three-c"]
    assert package_size_mb("one-a") == pytest.approx(7.0)
    assert package_size_mb("three-c") == pytest.approx(4.0)
    assert package_size_mb("two-b", "four-d", "three-c") == pytest.approx(15.0)


def test_an_extra_that_is_asked_for(installed):
    installed("one-a", 1_000_000, "two-b[Fast, other]")
    installed("two-b", 2_000_000, "three-c ; extra == 'fast'", "four-d; extra == 'slow'")
    installed("three-c", 4_000_000)
    installed("four-d", 8_000_000)
    assert package_size_mb("one-a") == pytest.approx(7.0)
    assert package_size_mb("two-b") == pytest.approx(2.0)


def test_what_is_edited_where_it_is(installed, tmp_path):
    url = json.dumps({"url": tmp_path.as_uri(), "dir_info": {"editable": True}})
    installed("one-a", 1_000_000, direct_url_json=url)
    (tmp_path / "one_a" / "more.py").write_bytes(b" " * 500_000)
    assert package_size_mb("one-a") == pytest.approx(1.5)


def test_what_is_not_installed():
    with pytest.raises(metadata.PackageNotFoundError):
        package_size_mb("of-nobody-at-all")


MARKERS = {
    "": True,
    'python_version >= "3.11"': True,
    "python_version < '3.9'": False,
    'python_version > "3.9"': True,  # not as text, in which "3.11" comes first
    'python_full_version >= "3.11.0"': True,
    'python_version ~= "3.0"': True,
    'python_version == "3.*"': True,
    'python_version != "3.*"': False,
    f'sys_platform == "{sys.platform}"': True,
    f'"{sys.platform}" != sys_platform': False,
    'sys_platform in "linux darwin win32 freebsd14"': True,
    'sys_platform not in "amiga atari"': True,
    'extra == "test"': False,
    'extra == "test" or python_version > "3"': True,
    'python_version > "3" and (extra == "a" or extra == "b")': False,
    'extra != "test"': True,
    '(os_name == "amiga" and python_version > "3") or implementation_name != "none"': True,
    "what is this?": True,
    'unknown_word == "x"': True,
}


@pytest.mark.parametrize("marker", MARKERS)
def test_markers(marker):
    assert marker_holds(marker) is MARKERS[marker]


def test_markers_as_packaging_reads_them():
    requirements = pytest.importorskip("packaging.requirements")
    count = 0
    for name in required("cornu") + required("scikit-learn"):
        for text in metadata.distribution(name).requires or []:
            marker = requirements.Requirement(text).marker
            for extra in ("", "test", "all"):
                wanted = marker is None or marker.evaluate({"extra": extra})
                assert marker_holds(text.partition(";")[2], extra) == wanted, text
                count += 1
    assert count
