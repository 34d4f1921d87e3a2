"""All rules, over one exchange. A rule is a function from evidence to findings; its docstring says what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from poe_notebook.checks.call_rules import CALL_RULES
from poe_notebook.checks.evidence import Evidence
from poe_notebook.checks.field_rules import FIELD_RULES
from poe_notebook.checks.finding import Finding, by_severity
from poe_notebook.checks.handler_rules import HANDLER_RULES
from poe_notebook.checks.limit_rules import LIMIT_RULES
from poe_notebook.checks.order_rules import ORDER_RULES
from poe_notebook.checks.request_rules import REQUEST_RULES
from poe_notebook.checks.text_rules import TEXT_RULES
from poe_notebook.tracing.exchange import Exchange

__all__ = ["RULES", "Rule", "findings_of"]

Rule = Callable[[Evidence], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    *HANDLER_RULES,
    *CALL_RULES,
    *REQUEST_RULES,
    *ORDER_RULES,
    *FIELD_RULES,
    *TEXT_RULES,
    *LIMIT_RULES,
)


def findings_of(
    exchange: Exchange, *, calls: Sequence[Exchange] = (), settings: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Say which rules an exchange broke, the gravest first.

    ``calls`` are the exchanges that its handler began, ``settings`` what the bot last answered to Poe, if it is known.
    """
    evidence = Evidence(exchange, calls=calls, settings=settings)
    return by_severity(finding for rule in RULES for finding in rule(evidence))
