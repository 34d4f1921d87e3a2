"""The numbers of the Poe protocol, each with its unit, its source and the date of that source.

Nothing here enforces them. Poe says that it may; the numbers grew over the years, so there is a profile for each set
that was published. Sources: "spec" is the Poe protocol specification on creator.poe.com, "guides" the functional guides
there; "2025-12, second-hand" is a public paraphrase of the specification of that month, the newest that could be read.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ACCESS_KEY_CHARS",
    "API_CALLS_PER_MINUTE",
    "ATTACHMENTS_PER_RESPONSE",
    "ATTACHMENT_BYTES",
    "ATTACHMENT_URL_VALID_S",
    "BOT_CALLS_PER_MESSAGE",
    "EVENTS_PER_RESPONSE",
    "FIRST_RESPONSE_S",
    "IMAGES_PER_MESSAGE",
    "LIMITS_2025",
    "LIMITS_2026",
    "LIMITS_STRICT",
    "MESSAGES_IN_CONTEXT",
    "PROFILES",
    "PROTOCOL_VERSION",
    "RESPONSE_CHARS",
    "RESPONSE_S",
    "RESPONSE_VERSION",
    "Limits",
]

PROTOCOL_VERSION = "1.2"  # fastapi_poe 0.0.65 (2025-07-01) to 0.0.83; "<request version>.<response version>"
RESPONSE_VERSION = 2  # which defaults and features of the settings apply; fastapi_poe 0.0.65, 2025-07-01

ACCESS_KEY_CHARS = 32  # length of the secret between Poe and a bot server; spec and fastapi_poe 0.0.83
FIRST_RESPONSE_S = 5.0  # from a request to the first byte of its answer; spec 2023-05 to 2025-12, unchanged
EVENTS_PER_RESPONSE = 10_000  # spec since 2023-09 (1,000 before)
MESSAGES_IN_CONTEXT = 1_000  # earlier messages that Poe keeps in a query; spec since 2023-10
ATTACHMENTS_PER_RESPONSE = 20  # guides 2023-12 to 2026
ATTACHMENT_BYTES = 50_000_000  # "50 MB" a file; guides 2023-12 to 2026, read as decimal megabytes to stay below
ATTACHMENT_URL_VALID_S = 600.0  # how long a url sent to a bot works at least; spec since 2023-08
IMAGES_PER_MESSAGE = 1  # of a user, while enable_image_comprehension is on; spec 2025-03, guides 2026
API_CALLS_PER_MINUTE = 500  # with one user's API key; external application guide 2025-08, guides 2026


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may take and hold."""

    response_s: float
    response_chars: int
    bot_calls_per_message: int = 100  # spec 2025-03, guides 2026 (10 before)
    first_response_s: float = FIRST_RESPONSE_S
    first_event_s: float | None = None  # most servers send the head of an answer at once, and Poe then waits
    events_per_response: int = EVENTS_PER_RESPONSE
    messages_in_context: int = MESSAGES_IN_CONTEXT
    attachments_per_response: int = ATTACHMENTS_PER_RESPONSE
    attachment_bytes: int = ATTACHMENT_BYTES
    images_per_message: int = IMAGES_PER_MESSAGE


LIMITS_2025 = Limits(response_s=600.0, response_chars=100_000)  # spec 2025-03, the last official text that was read
LIMITS_2026 = Limits(response_s=3_600.0, response_chars=512_000)  # 2025-12, second-hand
LIMITS_STRICT = Limits(response_s=600.0, response_chars=100_000, first_event_s=FIRST_RESPONSE_S)  # the letter of spec
PROFILES = {"2025": LIMITS_2025, "2026": LIMITS_2026, "strict": LIMITS_STRICT}

RESPONSE_S = LIMITS_2025.response_s
RESPONSE_CHARS = LIMITS_2025.response_chars  # the sum of the texts of an answer's events
BOT_CALLS_PER_MESSAGE = LIMITS_2025.bot_calls_per_message  # calls to other bots for one user message
