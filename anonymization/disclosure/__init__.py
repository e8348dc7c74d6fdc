"""Disclosure control before release: how well a table hides the people in it, and what is withheld until it does.

`risk` measures microdata, `microdata` recodes and suppresses cells of them; `cells` lays out tables of counts with
their totals, `tables` suppresses in them, `audit` proves by linear programming what an attacker can still work out.
Pure functions on frames; where they come from, and who may release, is not decided here.
"""

from anonymization.disclosure.audit import intervals, unprotected
from anonymization.disclosure.cells import TOTAL, Cells, cube, lay_out
from anonymization.disclosure.decisions import Decisions
from anonymization.disclosure.microdata import Goal, Protected, protect
from anonymization.disclosure.releases import Previous
from anonymization.disclosure.risk import Risk, closeness, diversity, individual_risk, measure, sharing
from anonymization.disclosure.tables import Suppressed, suppress

__all__ = [
    "TOTAL", "Cells", "Decisions", "Goal", "Previous", "Protected", "Risk", "Suppressed", "closeness", "cube",
    "diversity", "individual_risk", "intervals", "lay_out", "measure", "protect", "sharing", "suppress", "unprotected",
]  # fmt: skip
