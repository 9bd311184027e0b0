"""A movie of training as one HTML file that plays in any browser, with no network."""

from cornu.plot.player.player import player_html, save_player

__all__ = ["player_html", "save_player"]
