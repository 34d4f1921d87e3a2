#!/usr/bin/env python3
"""A stand-in for the ngrok agent: the parts of its command line, log and local API that a tunnel meets, no account.

Run as ``standin_ngrok.py start --none --log stdout --config FILE``. The API speaks ``/api/endpoints`` (config version
3) and ``/api/tunnels`` (version 2). What is exposed is reached through a real TCP relay on this machine, whose address
is the public one, or stands beside it as ``relay`` if a domain was asked for. Standard library only.

The environment steers it:

``STANDIN_NGROK``         one of the failures below, a comma between several; empty: all goes well
    ``refuse-token``      the token is quoted and refused (ERR_NGROK_107), on stdout and stderr as the real agent does
    ``mistyped-token``    the same with ERR_NGROK_105, and the token cut short
    ``sessions``          too many agents (ERR_NGROK_108)
    ``old``               too old for this account (ERR_NGROK_121)
    ``old-config``        too old for config files of version 3
    ``offline``           ngrok's servers cannot be reached: tries for ever
    ``silent``            says nothing and does nothing
    ``taken``             a domain asked for is in use (ERR_NGROK_334); ``reserved``: by another account (ERR_NGROK_320)
    ``plain``             gives a public address that is not https
    ``deaf``              ignores SIGTERM
    ``chatty``            logs without end
    ``troubled``          loses its session after the first endpoint, quoting the token
``STANDIN_NGROK_LIFE_S``  dies that long after start
``STANDIN_NGROK_REPORT``  a file to write what it was started with to, as JSON
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODES = set(filter(None, os.environ.get("STANDIN_NGROK", "").split(",")))
ENDPOINTS: dict[str, dict] = {}
RELAYS: dict[str, socket.socket] = {}


def log(level: str, message: str, **fields: str) -> None:
    said = [f"t={time.strftime('%Y-%m-%dT%H:%M:%S%z')}", f"lvl={level}", f'msg="{message}"']
    said += [f'{name}="{text}"' if " " in text else f"{name}={text}" for name, text in fields.items()]
    sys.stdout.write(" ".join(said) + "\n")
    sys.stdout.flush()


def give_up(text: str) -> None:
    """End as the agent does: the reason in the log with escapes, and in full on stderr."""
    log("eror", "terminating with error", obj="app", err=text.replace("\n", "\\n"))
    log("crit", "command failed", err=text.replace("\n", "\\n"))
    sys.stderr.write("".join(f"ERROR:  {line}\n" for line in text.splitlines()))
    sys.exit(1)


def read_token(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        found = re.search(r'authtoken"?\s*:\s*"?([^\s",}]+)', file.read())
    return found[1] if found else ""


def report(config: str) -> None:
    path = os.environ.get("STANDIN_NGROK_REPORT")
    if path:
        facts = {
            "pid": os.getpid(),
            "session": os.getsid(0),
            "argv": sys.argv,
            "config": config,
            "token": read_token(config),
            "config_mode": stat.S_IMODE(os.stat(config).st_mode),
            "folder_mode": stat.S_IMODE(os.stat(os.path.dirname(config)).st_mode),
            "environment": sorted(name for name in os.environ if name.startswith(("NGROK", "POE"))),
        }
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(facts, file)
        os.replace(path + ".new", path)


def fail_if_told(config: str) -> None:
    token = read_token(config)
    if "silent" in MODES:
        threading.Event().wait()
    if "old-config" in MODES:
        sys.stderr.write(f"ERROR:  Error reading configuration file '{config}': unknown version '3'. valid: [1 2]\n")
        sys.exit(1)
    if "refuse-token" in MODES:
        give_up(f"authentication failed: this token is not valid any more.\nYour authtoken: {token}\n\nERR_NGROK_107")
    if "mistyped-token" in MODES:
        give_up(f"authentication failed: no token looks like this.\nYour authtoken: {token[:9]}...\n\nERR_NGROK_105")
    if "sessions" in MODES:
        give_up("authentication failed: the account has its one agent session.\n\nERR_NGROK_108")
    if "old" in MODES:
        give_up('authentication failed: agent version \\"3.1.0\\" is below the minimum.\n\nERR_NGROK_121')
    while "offline" in MODES:
        trouble = "failed to dial ngrok server: dial tcp: lookup connect.ngrok-agent.com: no such host"
        log("eror", "failed to reconnect session", obj="tunnels.session", err=trouble)
        time.sleep(0.05)


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        target.close()


def join(visitor: socket.socket, port: int) -> None:
    try:
        local = socket.create_connection(("127.0.0.1", port), 5)
    except OSError:
        visitor.close()
        return
    for pair in ((visitor, local), (local, visitor)):
        threading.Thread(target=pump, args=pair, daemon=True).start()


def relay(listener: socket.socket, port: int) -> None:
    while True:
        try:
            visitor, _ = listener.accept()
        except OSError:
            return
        join(visitor, port)


class Refused(Exception):
    """The servers did not want this endpoint."""


def open_endpoint(asked: dict) -> dict:
    upstream = str((asked.get("upstream") or {}).get("url") or asked.get("addr") or "80")
    port = int(re.search(r"(\d+)/?$", upstream)[1])
    domain = asked.get("url") or asked.get("domain") or asked.get("hostname") or ""
    for mode, code in (("taken", 334), ("reserved", 320)):
        if domain and mode in MODES:
            raise Refused(f"failed to start tunnel: '{domain}' cannot be had.\r\n\r\nERR_NGROK_{code}\r\n")
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=relay, args=(listener, port), daemon=True).start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    public = address if not domain else domain if "://" in domain else f"https://{domain}"
    public = "http://bot.example.test" if "plain" in MODES else public
    name = str(asked["name"])
    RELAYS[name] = listener
    ENDPOINTS[name] = {"name": name, "upstream": upstream, "public": public, "relay": address}
    log("info", "started tunnel", obj="tunnels", name=name, addr=upstream, url=public)
    return ENDPOINTS[name]


def close_endpoint(name: str) -> bool:
    listener = RELAYS.pop(name, None)
    if listener is None:
        return False
    del ENDPOINTS[name]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    return True


def show(endpoint: dict, kind: str) -> dict:
    shown = {"name": endpoint["name"], "uri": f"/api/{kind}/{endpoint['name']}", "relay": endpoint["relay"]}
    if kind == "endpoints":
        return shown | {"url": endpoint["public"], "upstream": {"url": endpoint["upstream"]}}
    proto = endpoint["public"].partition(":")[0]
    return shown | {"public_url": endpoint["public"], "proto": proto, "config": {"addr": endpoint["upstream"]}}


class Api(BaseHTTPRequestHandler):
    """The agent's local API."""

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: dict | None = None) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def route(self) -> tuple[str, str]:
        _, api, kind, *rest = [*self.path.split("?")[0].rstrip("/").split("/"), "", ""]
        known = api == "api" and kind in ("endpoints", "tunnels")
        return (kind, rest[0]) if known else ("", "")

    def do_GET(self) -> None:
        kind, name = self.route()
        if kind and not name:
            self.answer(200, {kind: [show(endpoint, kind) for endpoint in ENDPOINTS.values()], "uri": f"/api/{kind}"})
        elif kind and name in ENDPOINTS:
            self.answer(200, show(ENDPOINTS[name], kind))
        else:
            self.answer(404, {"status_code": 404, "msg": "no such resource"})

    def do_POST(self) -> None:
        kind, _ = self.route()
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            self.answer(201, show(open_endpoint(asked), kind))
        except Refused as refused:
            details = {"err": str(refused)}
            self.answer(502, {"error_code": 103, "status_code": 502, "msg": "no endpoint", "details": details})
            return
        threading.Thread(target=misbehave, daemon=True).start()

    def do_DELETE(self) -> None:
        kind, name = self.route()
        self.answer(204) if kind and close_endpoint(name) else self.answer(404, {"status_code": 404})


def misbehave() -> None:
    """What some agents do once an endpoint is open."""
    if "troubled" in MODES:
        trouble = f"heartbeat timeout for {read_token(sys.argv[sys.argv.index('--config') + 1])}"
        log("eror", "session closed, starting reconnect loop", obj="csess", err=trouble)
    while "chatty" in MODES:
        log("info", "join connections" + " and more" * 50, obj="join", id="0")


def serve() -> None:
    api = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    api.daemon_threads = True
    log("info", "starting web service", obj="web", addr=f"127.0.0.1:{api.server_port}")
    log("info", "tunnel session started", obj="tunnels.session")
    log("info", "client session established", obj="csess", id="standin")
    api.serve_forever(poll_interval=0.05)


def main(arguments: list[str]) -> None:
    if "--version" in arguments or arguments[:1] == ["version"]:
        sys.stdout.write("ngrok version 3.99.0-standin\n")
    elif arguments[:2] == ["config", "add-authtoken"]:
        sys.stdout.write("Authtoken saved to configuration file: nowhere\n")
    elif arguments[:1] == ["start"]:
        config = arguments[arguments.index("--config") + 1]
        report(config)
        if "deaf" in MODES:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        fail_if_told(config)
        life_s = os.environ.get("STANDIN_NGROK_LIFE_S")
        if life_s:
            threading.Timer(float(life_s), os._exit, (3,)).start()
        serve()
    else:
        sys.exit("the stand-in knows: start, version, config add-authtoken")


if __name__ == "__main__":
    main(sys.argv[1:])
