"""The file of keys that sign assertions: how it is made, read and refused."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from users_service.cli import main
from users_service.settings import SettingsError, load

INI = {
    "users_service.database_url": "sqlite:////nowhere/users.sqlite3",
    "users_service.assertion_issuer": "https://users.example.com",
}


def keys_of(path: Path):
    return load(INI | {"users_service.assertion_key": str(path)}, {}).assertion_key


def fault_of(path: Path | str) -> str:
    with pytest.raises(SettingsError) as error:
        load(INI | {"users_service.assertion_key": str(path)}, {})
    (fault,) = error.value.faults
    return fault.removeprefix("users_service.assertion_key (USERS_SERVICE_ASSERTION_KEY) ")


def run(*arguments: str) -> subprocess.CompletedProcess:
    script = Path(sys.executable).parent / "users-service"
    return subprocess.run([script, "assertion-key", *arguments], capture_output=True, text=True)


def pem(private, encryption=None) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        encryption or serialization.NoEncryption(),
    )


ED25519 = pem(ed25519.Ed25519PrivateKey.generate())


def written(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_command_makes_a_file_for_its_owner_alone(tmp_path):
    path = tmp_path / "keys.pem"
    done = run("new", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (key,) = keys_of(path)
    assert key.kid in done.stdout
    assert path.read_text().splitlines()[1] not in done.stdout


def test_a_file_that_is_there_is_left_as_it_is(tmp_path):
    path = written(tmp_path / "keys.pem", b"precious")
    done = run("new", str(path))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{path} is there already, and is left as it is. --append adds a key to it."
    ]
    assert path.read_bytes() == b"precious"


def test_a_link_to_nowhere_is_not_followed(tmp_path):
    path = tmp_path / "keys.pem"
    path.symlink_to(tmp_path / "elsewhere")
    assert run("new", str(path)).returncode == 1
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("end", [b"", b"\n", b"\n# the old one\n"])
def test_a_key_is_added_behind_those_that_are_there(tmp_path, capsys, end):
    path = written(tmp_path / "keys.pem", ED25519.rstrip() + end, 0o640)
    before = keys_of(path)
    main(["assertion-key", "new", str(path), "--append"])
    first, second = keys_of(path)
    assert [first.kid] == [key.kid for key in before]
    assert second.kid in capsys.readouterr().out
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_bytes().count(b"\n-----BEGIN") == 1  # on a line of its own


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"precious", "is a file that has no Ed25519 key in PEM."),
    ],
)
def test_what_is_no_file_of_keys_gets_none_added(tmp_path, content, reason):
    path = tmp_path / "keys.pem"
    if content is not None:
        written(path, content)
    done = run("new", str(path), "--append")
    assert (done.returncode, done.stderr) == (1, f"{path} {reason}\n")
    assert not path.exists() or path.read_bytes() == content


def test_a_folder_that_is_not_there_is_told(tmp_path):
    done = run("new", str(tmp_path / "none" / "keys.pem"))
    assert done.returncode == 1
    assert done.stderr.endswith("keys.pem cannot be written: No such file or directory.\n")


@pytest.mark.parametrize("arguments", [(), ("new",), ("new", "x", "--key", "y"), ("old", "x")])
def test_wrong_usage_is_told(tmp_path, arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert "usage:" in done.stderr


def test_keys_are_many_and_in_order(tmp_path):
    made = [ed25519.Ed25519PrivateKey.generate() for _ in range(3)]
    path = written(tmp_path / "keys.pem", b"the newest\n" + b"and\n".join(map(pem, made)))
    keys = keys_of(path)
    assert [key.private.private_bytes_raw() for key in keys] == [
        each.private_bytes_raw() for each in made
    ]
    assert "private" not in repr(keys)


def test_the_id_of_a_key_is_its_thumbprint(tmp_path):
    # The key of RFC 8037 §A.1, with its thumbprint of §A.3.
    private = ed25519.Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    (key,) = keys_of(written(tmp_path / "keys.pem", pem(private)))
    assert key.x == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is a file that has no Ed25519 key in PEM"),
        (b"\x00\xff" * 50, "is a file that has no Ed25519 key in PEM"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "has no Ed25519 key in its PEM block 1"),
        (pem(ed448.Ed448PrivateKey.generate()), "has no Ed25519 key in its PEM block 1"),
        (
            ED25519 + pem(rsa.generate_private_key(65537, 2048)),
            "has no Ed25519 key in its PEM block 2",
        ),
        (
            pem(
                ed25519.Ed25519PrivateKey.generate(),
                serialization.BestAvailableEncryption(b"secret"),
            ),
            "has no PRIVATE KEY in its PEM block 1",
        ),
        (ED25519.replace(b"MC4C", b"MC5C"), "has no Ed25519 key in its PEM block 1"),
        (ED25519 + ED25519, "has in its PEM block 2 a key that it had before"),
        (b"x" * 70_000, "is a file of more than 65536 bytes"),
        (
            b"".join(pem(ed25519.Ed25519PrivateKey.generate()) for _ in range(17)),
            "has more than 16 keys",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_with_anything_else_is_a_fault(tmp_path, content, reason):
    assert fault_of(written(tmp_path / "keys.pem", content)) == reason


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o666, 0o644])
def test_a_file_for_everyone_is_a_fault(tmp_path, mode):
    path = written(tmp_path / "keys.pem", ED25519, mode)
    assert fault_of(path) == "is a file that everyone may read or change; chmod o= makes it safe"


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o640])
def test_a_file_for_its_group_is_fine(tmp_path, mode):
    assert len(keys_of(written(tmp_path / "keys.pem", ED25519, mode))) == 1


def test_a_key_in_place_of_a_file_is_not_repeated():
    secret = ED25519.decode()
    assert fault_of(secret) == "must be the path of a file of keys, and no key"


def test_a_folder_and_no_file_are_faults(tmp_path):
    assert fault_of(tmp_path) == "cannot be read: Is a directory"
    assert fault_of(tmp_path / "none") == "cannot be read: No such file or directory"


def test_faults_of_keys_are_told_with_all_others(tmp_path):
    ini = {"users_service.assertion_key": os.devnull, "users_service.page_size": "x"}
    with pytest.raises(SettingsError) as error:
        load(ini, {})
    assert [fault.split(" ")[0] for fault in error.value.faults] == [
        "users_service.assertion_key",
        "users_service.database_url",
        "users_service.page_size",
    ]


@pytest.mark.parametrize(
    "issuer", ["users", "ftp://users.example.com", "https://", "https://x/?a=b", "https://x/#a"]
)
def test_an_issuer_is_a_url(issuer):
    ini = INI | {"users_service.assertion_issuer": issuer}
    with pytest.raises(SettingsError) as error:
        load(ini, {})
    assert error.value.faults[0].endswith("must be an https URL without query and fragment")


def test_keys_need_an_issuer(tmp_path):
    path = written(tmp_path / "keys.pem", ED25519)
    ini = INI | {"users_service.assertion_issuer": "", "users_service.assertion_key": str(path)}
    with pytest.raises(SettingsError) as error:
        load(ini, {})
    assert error.value.faults == [
        "users_service.assertion_key needs users_service.assertion_issuer"
    ]
