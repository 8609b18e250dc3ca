"""Settings: where they come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from xueji.kernel.settings import LONGEST_SOCKET_PATH, SettingError, Settings


def load(data: Path, **environ: str) -> Settings:
    return Settings.load(
        {"XUEJI_DATA": str(data), **{f"XUEJI_{name.upper()}": value for name, value in environ.items()}}
    )


@pytest.mark.parametrize(
    ("given", "secure"),
    [
        ({}, False),
        ({"XUEJI_PUBLIC_URL": "http://localhost:8000"}, False),
        ({"XUEJI_PUBLIC_URL": "https://study.example"}, True),
        ({"XUEJI_HOST": "0.0.0.0"}, True),
        ({"XUEJI_HOST": "192.168.1.9"}, True),
        ({"XUEJI_HOST": "192.168.1.9", "XUEJI_SECURE_COOKIES": "false"}, False),
        ({"XUEJI_SECURE_COOKIES": "true"}, True),
    ],
)
def test_cookies_are_secure_wherever_others_can_listen(tmp_path: Path, given: dict[str, str], secure: bool) -> None:
    assert Settings.load({"XUEJI_DATA": str(tmp_path), **given}).secure_cookies is secure


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    assert load(tmp_path).port == 8000
    (tmp_path / "settings.toml").write_text("port = 8001\n")
    assert load(tmp_path).port == 8001
    assert load(tmp_path, port="8002").port == 8002


@pytest.mark.parametrize("written", ["prot = 8001\n", 'port = "eight"\n', 'demo = "perhaps"\n'])
def test_what_cannot_be_meant_is_refused_by_name(tmp_path: Path, written: str) -> None:
    (tmp_path / "settings.toml").write_text(written)
    with pytest.raises(SettingError, match=written.split(" ")[0]):
        load(tmp_path)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("XUEJI_PROT", "XUEJI_PORT"), ("XUEJI_port", "XUEJI_PORT"), ("XUEJI_TRUSTED_PROXY", "XUEJI_TRUSTED_PROXIES")],
)
def test_a_misspelt_variable_is_refused_and_the_one_that_was_meant_is_named(
    tmp_path: Path, variable: str, meant: str
) -> None:
    with pytest.raises(SettingError, match=f"called {variable}; do you mean {meant}\\?"):
        Settings.load({"XUEJI_DATA": str(tmp_path), variable: "8001"})


def test_a_variable_like_no_other_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"called XUEJI_ZZZZZZZZZZZ$"):
        load(tmp_path, zzzzzzzzzzz="1")


def test_what_the_supervisor_tells_its_programs_is_no_setting_and_passes(tmp_path: Path) -> None:
    assert load(tmp_path, process="short", heartbeats="/dev/shm", test_database="sqlite") == load(tmp_path)


def test_what_is_left_empty_is_in_the_data_folder(tmp_path: Path) -> None:
    settings = load(tmp_path, port="8003")
    assert settings.database_url == f"sqlite:///{tmp_path}/xueji.sqlite"
    assert settings.public_url == "http://127.0.0.1:8003"
    assert settings.embedded_broker


def test_the_embedded_broker_has_a_name_for_each_of_its_users(tmp_path: Path) -> None:
    settings = load(Path("/srv/xueji"))
    assert settings.broker_url == "redis+socket:///srv/xueji/run/valkey.sock"
    assert settings.redis_url == "unix:///srv/xueji/run/valkey.sock"
    assert settings.limiter_url == "redis+unix:///srv/xueji/run/valkey.sock"


def test_a_broker_of_ones_own_is_named_the_same_to_all(tmp_path: Path) -> None:
    settings = load(tmp_path, broker_url="redis://broker:6379/0")
    assert settings.broker_url == settings.redis_url == settings.limiter_url
    assert not settings.embedded_broker


def test_a_data_folder_too_deep_for_a_sockets_name_gets_the_socket_elsewhere() -> None:
    deep = [load(Path("/srv") / ("x" * 120) / str(number)).broker_socket for number in range(2)]
    assert deep[0] != deep[1]
    for socket in deep:
        assert socket is not None and len(bytes(socket)) <= LONGEST_SOCKET_PATH
