"""``python -m poe_notebook demo`` runs the first tutorial in a real kernel; ``lab`` opens it in JupyterLab."""

from __future__ import annotations

import argparse
import sys

from poe_notebook.errors import PoeNotebookError
from poe_notebook.tutorials import FIRST, find_tutorial, open_in_lab, run_in_terminal


def main(arguments: list[str] | None = None) -> int:
    """Run a command; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m poe_notebook", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="run the first tutorial in a kernel and stream its answers here")
    lab = commands.add_parser("lab", help="open the first tutorial in JupyterLab")
    for command in (demo, lab):
        command.add_argument("notebook", nargs="?", default=FIRST, help=f"another notebook (default: {FIRST})")
    lab.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    chosen = parser.parse_args(arguments)
    try:
        notebook = find_tutorial(chosen.notebook)
        if chosen.command == "demo":
            return run_in_terminal(notebook, out=sys.stdout)
        return open_in_lab(notebook, browser=not chosen.no_browser)
    except PoeNotebookError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
