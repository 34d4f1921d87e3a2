"""Questions to bots: which lines are made calls of, and which are Python's."""

from __future__ import annotations

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from poe_notebook.questions import as_calls


def called(cell: str) -> str:
    return "".join(as_calls(cell.splitlines(keepends=True)))


def call(text: str) -> str:
    return f"get_ipython().run_line_magic('poe', {text!r})"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%poe chat Shout why?", call("chat Shout why?")),
        ("%poe chat Shout isn't it?", call("chat Shout isn't it?")),
        ("reply = %poe chat Shout why?", f"reply = {call('chat Shout why?')}"),
        ("a.b, c['d'] = %poe chat Shout why?", f"a.b, c['d'] = {call('chat Shout why?')}"),
        ("if x:\n    %poe chat Shout why?", f"if x:\n    {call('chat Shout why?')}"),
        (
            "%poe chat Shout (why?\n%poe chat Shout 'no?",
            f"{call('chat Shout (why?')}\n{call('chat Shout ' + chr(39) + 'no?')}",
        ),
        ("%poe chat Shout don't\n%poe chat Shout why?", f"%poe chat Shout don't\n{call('chat Shout why?')}"),
        ("!ls (\n%poe chat Shout why?", f"!ls (\n{call('chat Shout why?')}"),
        ("x = '''\n'''\n%poe chat Shout why?", f"x = '''\n'''\n{call('chat Shout why?')}"),
    ],
)
def test_a_statement_that_is_a_question_becomes_a_call(line: str, expected: str) -> None:
    assert called(f"{line}\n") == f"{expected}\n"


@pytest.mark.parametrize(
    "cell",
    [
        'text = """\n%poe chat Shout why?\n"""\n',
        "text = '''a\n%poe chat Shout why?'''\n",
        "f(\n%poe chat Shout why?\n)\n",
        "# %poe chat Shout why?\n",
        "'%poe chat Shout why?'\n",
        "x = 5 \\\n%poe chat Shout why?\n",
        "%poe?\n",
        "%poe chat?\n",
        "%poe chat Shout why\n",
        "x = 5 % poe\n",
        "%%poe chat Shout\nwhy?\n%poe chat Shout why?\n",
        "",
        "def broken(\n",
    ],
)
def test_what_is_no_such_statement_stays_as_it_is(cell: str) -> None:
    assert called(cell) == cell


def test_what_comes_out_of_ipython_is_python_with_the_string_untouched() -> None:
    manager = TransformerManager()
    manager.cleanup_transforms.append(as_calls)
    cell = 'x = """\n%poe chat Shout why?\n"""\nif x:\n    y = %poe chat Shout it\'s "why"?\n'
    code = manager.transform_cell(cell)
    compile(code, "cell", "exec")
    assert '"""\n%poe chat Shout why?\n"""' in code
    assert "run_line_magic" in code
