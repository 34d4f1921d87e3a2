"""The stand-in for the ngrok agent, driven by pyngrok as it comes: an agent other tests can lean on."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyngrok import conf, ngrok, process

STANDIN = Path(__file__).with_name("standin_ngrok.py")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in is started as a program of its own")


@pytest.mark.parametrize("version", ["2", "3"])
def test_both_versions_of_the_api_open_list_and_close(version: str, tmp_path: Path) -> None:
    config_path = tmp_path / "plain.yml"
    config_path.write_text(f'version: "{version}"\n')
    config = conf.PyngrokConfig(ngrok_path=str(STANDIN), config_path=str(config_path), config_version=version)
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(5)
            url = str(ngrok.connect(str(listener.getsockname()[1]), pyngrok_config=config).public_url)
            address = (urlsplit(url).hostname, urlsplit(url).port)
            with socket.create_connection(address, 5) as visitor, listener.accept()[0] as local:
                visitor.sendall(b"in")
                assert local.recv(2) == b"in"
                local.sendall(b"out")
                assert visitor.recv(3) == b"out"
        assert [found.public_url for found in ngrok.get_tunnels(config)] == [url]
        ngrok.disconnect(url, config)
        assert ngrok.get_tunnels(config) == []
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 5)
    finally:
        process.kill_process(str(STANDIN))
    assert ngrok.get_version(config)[0].endswith("standin")


def test_a_domain_asked_for_is_the_public_address_and_the_relay_stands_beside_it(tmp_path: Path) -> None:
    (tmp_path / "plain.yml").write_text('version: "3"\n')
    config = conf.PyngrokConfig(ngrok_path=str(STANDIN), config_path=str(tmp_path / "plain.yml"))
    try:
        opened = ngrok.connect("1", url="https://bot.example.test", pyngrok_config=config)
        assert opened.public_url == "https://bot.example.test"
        assert opened.data["relay"].startswith("http://127.0.0.1:")
    finally:
        process.kill_process(str(STANDIN))
