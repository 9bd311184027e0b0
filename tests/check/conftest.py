"""The programs of the corpus are run by their test, not imported as tests themselves."""

collect_ignore_glob = ["corpus/*"]
