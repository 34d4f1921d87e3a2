"""A page of Poe's guides, pasted into a cell: with ``fastapi_poe`` hidden, and with it installed."""

from __future__ import annotations

from hiding import HIDE
from kernels import Kernel

PASTED = """%%poebot
from __future__ import annotations

from typing import AsyncIterable

import fastapi_poe as fp


class Pasted(fp.PoeBot):
    async def get_response(self, request: fp.QueryRequest) -> AsyncIterable[fp.PartialResponse]:
        yield fp.PartialResponse(text=request.query[-1].content[::-1])

    async def get_settings(self, setting: fp.SettingsRequest) -> fp.SettingsResponse:
        return fp.SettingsResponse(introduction_message="Hello")
"""


def test_a_pasted_bot_runs_without_fastapi_poe_and_unloading_takes_the_stand_in_away(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run(HIDE)
    ran = k.run(PASTED)
    assert ran.status == "ok", ran.text
    assert "poe_notebook stands in for it" in ran.text
    assert "stands in" not in k.run("import fastapi_poe").text
    assert "olleh" in k.run("%poe chat Pasted hello").text
    assert k.value("__import__('fastapi_poe').PoeBot is __import__('poe_notebook').PoeBot") is True
    k.run("%unload_ext poe_notebook")
    assert "ModuleNotFoundError" in k.run("import fastapi_poe").error


def test_the_real_package_is_taken_where_it_is_installed(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    ran = k.run(PASTED)
    assert ran.status == "ok", ran.text
    assert "stands in" not in ran.text
    assert "olleh" in k.run("%poe chat Pasted hello").text
    assert k.value("__import__('fastapi_poe').PoeBot is __import__('poe_notebook').PoeBot") is False


def test_the_sync_functions_work_in_a_cell(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run(PASTED.replace("fastapi_poe", "poe_notebook"))
    ran = k.run(
        "import poe_notebook as fp\n"
        "slot = __import__('poe_notebook.session').session.current_session().serving.slots.named('Pasted')\n"
        "base = fp.bots()[0].address.rsplit('/', 1)[0] + '/'\n"
        "message = fp.ProtocolMessage(role='user', content='abc')\n"
        "parts = fp.get_bot_response_sync([message], 'Pasted', slot.access_key.reveal(), base_url=base)\n"
        "''.join(part.text for part in parts)"
    )
    assert ran.result == "'cba'", ran.text
