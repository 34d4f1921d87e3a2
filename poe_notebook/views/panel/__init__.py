"""The chat panel on the screen: what goes to its page and comes from it, and its saved form. Pure but for ``widget``.

The page is ``static/panel``: hand-written modules, joined to one by ``scripts``. It inserts no HTML but what our
renderer has cleaned, and fetches nothing. ``view`` is the door: the panel's control tells it what has happened.
"""
