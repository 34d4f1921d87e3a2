"""``asyncio.run`` in cells: the hint, ``%poe nest``, and the package beside an applied patch."""

from __future__ import annotations

from kernels import Kernel

SHOUT = "%%poebot Shout\nasync def get_response(request):\n    yield request.query[-1].content.upper()\n"
PASTED = "import asyncio\nasync def main():\n    await asyncio.sleep(0.05)\n    print('main ran')\nasyncio.run(main())"


def test_a_pasted_asyncio_run_gets_a_hint_and_works_after_nest_with_cells_queued(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    failed = k.run(PASTED)
    assert failed.status == "error"
    assert "%poe nest" in failed.text
    assert "%poe nest" not in k.run("raise RuntimeError('another')").text
    assert "works in the cells" in k.run("%poe nest").text
    k.run(SHOUT)
    cells = [k.send(PASTED), k.send("%poe chat Shout queued"), k.send(PASTED), k.send("print('last')")]
    k.wait(*cells)
    assert "main ran" in cells[0].stdout
    assert "QUEUED" in cells[1].text
    assert "main ran" in cells[2].stdout
    assert "last" in cells[3].stdout


def test_the_package_works_where_nesting_was_applied_before(fresh_kernel: Kernel) -> None:
    k = fresh_kernel
    k.run("import nest_asyncio2; nest_asyncio2.apply()")
    k.run(SHOUT)
    assert "HELLO" in k.run("%poe chat Shout hello").text
    k.run("import poe_notebook as fp")
    assert k.value("__import__('asyncio').run(fp.aask('Shout', 'again')).text") == "AGAIN"
    ran = k.send("import asyncio, time\n%poe chat Shout once\nasyncio.run(asyncio.sleep(30))")
    k.settle(0.8)
    k.interrupt()
    k.wait(ran, timeout=5)
