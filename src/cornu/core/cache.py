"""The persistent compilation cache: a program compiled once is read back the next time.

Compiling a small network takes longer than training it, so the cache is on by default. It lies in
`$CORNU_CACHE_DIR`, or `cornu` in the user's cache folder; `CORNU_CACHE=0` turns it off. A cache
that the user set up in JAX itself is left as it is.
"""

from __future__ import annotations

import os
from pathlib import Path

import jax

_enabled = False


def cache_directory() -> Path:
    """The folder where Cornu keeps what it can fetch or make again.

    `$CORNU_CACHE_DIR` where that is set, else `$XDG_CACHE_HOME/cornu`, else `~/.cache/cornu`. The
    folder is not created.

    >>> cache_directory().name  # doctest: +SKIP
    'cornu'
    """
    if own := os.environ.get("CORNU_CACHE_DIR"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    # The XDG specification says that a relative path there is to be ignored.
    folder = Path(base) if base and os.path.isabs(base) else Path.home() / ".cache"
    return folder / "cornu"


def compilation_cache_directory() -> Path | None:
    """Where compiled programs are kept, or None where they are not."""
    if os.environ.get("CORNU_CACHE", "1").lower() in ("0", "off", "false", "no"):
        return None
    return cache_directory() / "compiled"


def enable_compilation_cache() -> None:
    """Switches the cache on, once; a folder that cannot be written leaves it off."""
    global _enabled
    if _enabled:
        return
    _enabled = True
    folder = compilation_cache_directory()
    if folder is None or getattr(jax.config, "jax_compilation_cache_dir", None):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK):
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    # JAX keeps only what took a second; the programs here take a tenth of one and are many
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.02)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
