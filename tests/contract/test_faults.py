"""The faults of fastapi_poe 0.0.83, each with the test that shows that nobody meets it here.

Most are tested where the code that could have them is; those that are nobody's in particular are tested in this file,
by what a user would notice.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import endpoints
import fastapi_poe
import pytest
from endpoints import query
from recording_poe import DONE, KEY, Reply, in_json, plain, poe, sse, text

import poe_notebook
from poe_notebook.bot.base import PoeBot
from poe_notebook.client.costs import authorize_cost
from poe_notebook.client.pool import client_for_this_loop
from poe_notebook.client.settings import sync_bot_settings_async
from poe_notebook.errors import BotErrorNoRetry
from poe_notebook.protocol.requests import QueryRequest
from poe_notebook.protocol.responses import CostItem

TESTS = Path(__file__).parent.parent
HERE = "contract/test_faults"

FAULTS = {
    # Performance.
    "work for each event grows with the conversation": f"{HERE}::test_a_long_conversation_slows_no_piece_of_the_answer",
    "each event's JSON is read twice to five times": f"{HERE}::test_a_long_answer_is_read_in_half_the_librarys_time",
    "a new connection for each query, upload and cost": f"{HERE}::test_queries_uploads_and_costs_share_a_connection",
    "600 s to connect": f"{HERE}::test_an_address_that_does_not_answer_is_given_up_after_ten_seconds",
    "reports of errors hold up the answer": f"{HERE}::test_an_odd_answer_is_read_to_its_end_and_nothing_is_reported",
    "a slow file holds up the loop": "client/test_uploads::test_reading_a_slow_file_does_not_hold_up_the_loop",
    "merging many messages is quadratic": (
        "bot/test_attachments::test_merging_many_messages_takes_time_in_proportion_to_their_number"
    ),
    # Correctness: the client.
    "the HTTP status is not looked at": "client/test_query::test_a_status_is_said_with_what_came_with_it",
    "a data event is an error": (
        "contract/test_their_bots::test_a_loop_written_for_their_client_meets_nothing_odd_in_what_ours_gives"
    ),
    "an answer of files alone is reported": f"{HERE}::test_an_odd_answer_is_read_to_its_end_and_nothing_is_reported",
    "a ping hides the meta event": f"{HERE}::test_a_ping_hides_no_meta_and_need_not_be_json",
    "a ping that is no JSON ends the answer": f"{HERE}::test_a_ping_hides_no_meta_and_need_not_be_json",
    "a missing key is a KeyError, tried again": f"{HERE}::test_an_event_without_its_text_is_named_and_asked_for_once",
    "true is an index": "protocol/test_response_events::test_an_index_of_another_kind_is_no_index",
    "text comes twice after a cut": "client/test_answers::test_a_cut_answer_begins_again_after_a_replace_response",
    "an empty key makes an illegal header": "client/test_query::test_a_key_that_cannot_be_sent_is_not_shown",
    "parallel answers are mixed": "client/test_answers::test_the_final_response_is_the_whole_text",
    "a tool's chunk without delta or finish_reason fails": "client/test_tool_calls::test_no_chunk_breaks_the_answer",
    "null in a tool's chunk fails": "client/test_tool_calls::test_what_providers_leave_away_is_made_up_for",
    "the content of the last chunk is lost": "client/test_tool_calls::test_the_content_of_the_last_chunk_is_kept",
    "an empty list of functions swallows calls": "client/test_tools::test_without_functions_the_pieces_are_handed_on",
    "an unknown function or bad arguments fail": "client/test_tool_calls::test_what_goes_wrong_is_told_to_the_bot",
    "one round of tools, the second raw": (
        "client/test_tools::test_the_bot_may_call_in_as_many_rounds_as_it_likes_and_is_told_of_all_of_them"
    ),
    "keys of a tool's schema are lost": "client/test_tools::test_keys_of_a_tool_that_the_library_drops_are_sent",
    "a second try sends an empty file": "client/test_uploads::test_every_try_sends_the_whole_file",
    "an upload closes the caller's session": "client/test_uploads::test_a_session_is_used_and_stays_open",
    "a text cannot be uploaded": "client/test_uploads::test_every_kind_of_file_is_sent_in_full",
    "an empty file beside a URL is taken": (
        "client/test_uploads::test_arguments_that_do_not_go_together_are_a_value_error"
    ),
    "no result of a cost is an empty purse": "client/test_costs::test_what_is_no_success_is_an_error_with_poes_words",
    "true and negative amounts are taken": "protocol/test_responses::test_what_is_no_amount_is_refused",
    # Correctness: bots and their server.
    "a forwarded answer loses its data, calls and index": f"{HERE}::test_a_bot_that_passes_everything_on_loses_nothing",
    "an answer goes on after its error": "bot/test_answer::test_nothing_is_sent_after_an_end_and_the_handler_is_closed",
    "a file of a failed answer comes with a later one": (
        "bot/test_files::test_a_file_of_a_failed_answer_is_not_sent_with_a_later_one"
    ),
    "a bot with a constructor of its own fails": "bot/test_files::test_a_bot_with_a_constructor_of_its_own_posts_too",
    "a role that is new is a 500": f"{HERE}::test_a_query_with_what_poe_may_add_tomorrow_is_answered",
    "a malformed request is a 500": "server/test_app::test_a_malformed_request_is_refused_with_a_sentence",
    "another application's handlers are replaced": (
        "server/test_run::test_an_application_that_is_given_keeps_its_routes_and_its_handlers"
    ),
    "from_dict changes what it is given": "protocol/test_requests::test_from_dict_makes_tools_of_dictionaries",
    "deprecated calls of pydantic": f"{HERE}::test_using_it_warns_of_nothing",
    "a bad parameter control is dropped by Poe without a word": (
        "protocol/test_settings::test_a_mistake_deep_inside_is_told_once_and_with_its_place"
    ),
    "the guide's word equals is refused": (
        "protocol/test_controls::test_the_word_of_the_guide_is_sent_as_the_word_of_the_library"
    ),
    "suggested replies have two defaults": "protocol/test_responses::test_the_defaults_that_differ_from_the_library",
    "an image without stars is an IndexError": (
        "bot/test_attachments::test_concatenating_writes_the_files_below_the_text"
    ),
    # Security.
    "keys are compared character by character": "test_keys::test_secrets_are_compared_in_constant_time",
    "the scheme has to be written Bearer": "server/test_app::test_with_the_access_key_the_bot_answers",
    "a bot without a key wants a header": (
        "server/test_run::test_a_bot_without_a_key_answers_requests_without_a_header"
    ),
    "a bot that everybody can use is not warned of": "server/test_run::test_a_bot_that_everybody_can_use_is_warned_of",
    "the key is in each query's body": (
        "client/test_query::test_the_query_is_sent_with_its_headers_and_without_keys_in_its_body"
    ),
    "the key is in logged addresses": "client/test_settings::test_no_log_holds_the_key",
    "the key is in errors and representations": (
        "server/test_access::test_a_call_that_cannot_be_meant_is_an_error_that_says_why"
    ),
    "an exception's words leave the server": (
        "contract/test_their_bots::test_where_their_server_loses_or_says_too_much_ours_does_not"
    ),
    "a body may be of any size": "server/test_app::test_a_body_that_is_too_large_is_refused",
    "a bot's name is put into the address as it is": (
        "client/test_query::test_a_bots_name_stays_one_part_of_the_path_on_the_wire"
    ),
    # Notebooks and other hosts of a loop.
    "settings are not synced where a loop runs": (
        "bot/test_settings::test_where_a_loop_runs_they_are_sent_on_it_and_nothing_waits"
    ),
    "a missing key ends the process": "server/test_access::test_a_call_that_cannot_be_meant_is_an_error_that_says_why",
    "run reads the kernel's command line": (
        "server/test_run::test_called_from_elsewhere_it_leaves_the_command_line_alone"
    ),
    "run needs a loop of its own": "server/test_run::test_where_a_loop_runs_it_says_what_to_do_instead",
    "the synchronous form fails in a cell": "client/test_answers::test_the_synchronous_form_works_anywhere",
    "a closed loop is left behind": "client/test_sync::test_the_current_loop_of_the_thread_stays_what_it_was",
    "closing early prints an error": "client/test_answers::test_it_works_in_a_script_that_ends_in_the_middle",
    "syncing settings prints": "client/test_settings::test_nothing_is_printed_and_nothing_given",
    "an upload with a session leaves a coroutine behind": (
        "client/test_uploads::test_a_session_in_a_cell_is_refused_before_anything_is_begun"
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_its_test(fault: str) -> None:
    file, _, name = FAULTS[fault].partition("::")
    assert f"def {name}(" in (TESTS / f"{file}.py").read_text("utf-8")


REQUEST = QueryRequest.model_validate(query("hi"))


async def spent_s(package: Any, request: Any, url: str) -> float:
    """Ask, and give the seconds from the first piece to the last."""
    options = {"on_error": lambda *_: None, "base_url": f"{url}/bot/"}
    times = [time.perf_counter() async for _ in package.stream_request(request, "Bot", KEY, **options)]
    assert len(times) == PIECES
    return times[-1] - times[0]


PIECES = 2000
MANY = sse(*[text("word ")] * PIECES, DONE)


def test_a_long_conversation_slows_no_piece_of_the_answer() -> None:
    message = {"role": "user", "content": "x" * 1000}
    long = QueryRequest.model_validate(query(query=[message] * 300))
    with poe(MANY) as server:
        times = [[asyncio.run(spent_s(poe_notebook, each, server.url)) for each in (REQUEST, long)] for _ in range(3)]
    short_s, long_s = (min(each) for each in zip(*times, strict=True))
    assert long_s < 1.5 * short_s + 0.01


def test_a_long_answer_is_read_in_half_the_librarys_time() -> None:
    theirs = fastapi_poe.QueryRequest(**query("hi"))
    asked = [(poe_notebook, REQUEST), (fastapi_poe, theirs)]
    with poe(MANY) as server:
        times = [[asyncio.run(spent_s(*each, server.url)) for each in asked] for _ in range(3)]
    our_s, their_s = (min(each) for each in zip(*times, strict=True))
    assert our_s < their_s / 2


def test_queries_uploads_and_costs_share_a_connection() -> None:
    async def use(url: str) -> None:
        request = QueryRequest.model_validate(query(bot_query_id="b-1"))
        async for _ in poe_notebook.stream_request(request, "Bot", KEY, base_url=f"{url}/bot/"):
            pass
        await poe_notebook.upload_file(b"x", file_name="x", api_key=KEY, base_url=url)
        await authorize_cost(request, CostItem(amount_usd_milli_cents=1), access_key=KEY, base_url=url)
        await sync_bot_settings_async("Bot", KEY, base_url=url)

    uploaded = in_json({"attachment_url": "u", "mime_type": "t"})
    with poe(sse(text("a"), DONE), uploaded, sse(("result", {"status": "success"})), plain("", status=200)) as server:
        asyncio.run(use(server.url))
    assert len(server.seen) == 4
    assert len({seen.peer for seen in server.seen}) <= 2  # what follows a cost's result is not waited for


def test_an_address_that_does_not_answer_is_given_up_after_ten_seconds() -> None:
    async def timeouts() -> list[float | None]:
        return [client_for_this_loop(is_local=is_local).timeout.connect for is_local in (True, False)]

    assert asyncio.run(timeouts()) == [10, 10]


FILE = ("file", {"url": "u", "content_type": "t", "name": "n"})


@pytest.mark.parametrize(
    "events",
    [[("tomorrow", {}), text("a")], [FILE], [("json", {"a": 1})], [("data", {"metadata": "m"})], []],
    ids=["unknown", "file", "json", "data", "nothing"],
)
def test_an_odd_answer_is_read_to_its_end_and_nothing_is_reported(events: list[Any]) -> None:
    async def ask(url: str) -> list[Any]:
        return [each async for each in poe_notebook.stream_request(REQUEST, "Bot", KEY, base_url=f"{url}/bot/")]

    with poe(sse(*events, DONE)) as server:
        given = asyncio.run(ask(server.url))
    assert len(given) == len([event for event in events if event[0] != "tomorrow"])
    assert [seen.json["type"] for seen in server.seen] == ["query"]


def test_a_ping_hides_no_meta_and_need_not_be_json() -> None:
    raw = (
        b": still there\n\nevent: ping\ndata: 2025-01-01\n\nevent: meta\ndata: {}\n\nevent: ping\ndata\n\n"
        b'event: later\ndata: {\n\nevent: text\ndata: {"text": "a"}\n\nevent: done\ndata:\n\n'
    )

    async def ask(url: str) -> list[Any]:
        return [each async for each in poe_notebook.stream_request(REQUEST, "Bot", KEY, base_url=f"{url}/bot/")]

    with poe(Reply([raw])) as server:
        meta, piece = asyncio.run(ask(server.url))
    assert isinstance(meta, poe_notebook.MetaResponse)
    assert piece.text == "a"


def test_an_event_without_its_text_is_named_and_asked_for_once() -> None:
    async def ask(url: str) -> str:
        return await poe_notebook.get_final_response(REQUEST, "Bot", KEY, base_url=f"{url}/bot/")

    with poe(sse(("text", {"txt": "a"}), DONE)) as server, pytest.raises(BotErrorNoRetry, match="without 'text'"):
        asyncio.run(ask(server.url))
    assert len(server.seen) == 1


def test_a_bot_that_passes_everything_on_loses_nothing() -> None:
    class Relay(PoeBot):
        async def get_response(self, request: QueryRequest) -> AsyncIterator[Any]:
            base_url = f"{upstream.url}/bot/"
            async for piece in poe_notebook.stream_request(request, "Other", request.access_key, base_url=base_url):
                yield piece

    chunk = {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c"}]}, "finish_reason": None}]}
    meta = {"content_type": "text/plain", "refetch_settings": False, "linkify": True, "suggested_replies": True}
    events = [
        ("meta", meta),
        ("text", {"text": "a"}),
        ("text", {"text": "b", "index": 2}),
        ("replace_response", {"text": "c", "index": 2}),
        ("suggested_reply", {"text": "more", "index": 1}),
        ("json", chunk),
        ("json", {**chunk, "index": 3}),
        ("file", {"url": "u", "content_type": "t", "name": "n", "inline_ref": "r", "index": 1}),
        ("data", {"metadata": "stored"}),
    ]
    with poe(sse(*events, ("ping", {}), DONE)) as upstream, endpoints.kernel() as kernel:
        kernel.serve(Relay(), "Relay")
        answer = kernel.ask(name="Relay")
    given = [(event.type, event.data) for event in answer.events]
    beside_the_file = ("text", {"text": "", "index": 1})  # a file goes with a text, even an empty one
    given.remove(beside_the_file)
    assert given == [*events, ("done", {})]


def test_a_query_with_what_poe_may_add_tomorrow_is_answered() -> None:
    tomorrow = {
        "role": "narrator",
        "content": "hi",
        "content_type": "text/tomorrow",
        "message_type": "dream",
        "feedback": [{"type": "bored"}],
        "reactions": [{"user_id": "u", "reaction": "yawn", "strength": 3}],
        "new": {},
    }
    with endpoints.kernel() as kernel:
        kernel.serve(PoeBot())
        assert kernel.post({**query(query=[tomorrow]), "version": "7.3", "new": [1]}).text == "hello"
        body = {"version": "7.3", "type": "report_feedback", "message_id": "m", "user_id": "u", "conversation_id": "c"}
        assert kernel.post({**body, "feedback_type": "bored"}).status == 200


def test_using_it_warns_of_nothing() -> None:
    code = """
import poe_notebook as fp
body = {"version": "1", "type": "query", "query": [], "user_id": "", "conversation_id": "", "message_id": ""}
tool = {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}
request = fp.QueryRequest.from_dict({**body, "tools": [tool]})
request.model_copy(update={"query": [fp.ProtocolMessage(role="user", content="hi")]}).model_dump_json()
app = fp.make_app(fp.PoeBot(), allow_without_key=True)
fp.SettingsResponse(allow_attachments=True).model_dump()
fp.CostItem(amount_usd_milli_cents=1.5)
fp.types, fp.base, fp.client, fp.templates, fp.sync_utils
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::ImportWarning", "-c", code],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
