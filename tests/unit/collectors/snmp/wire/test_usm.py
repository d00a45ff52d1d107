"""Keys, digests and ciphers of the user-based security model, against published answers."""

import hashlib
from typing import Any

import pytest

from netvitals.collectors.snmp.protocol import AuthProtocol, PrivProtocol, SnmpCredential
from netvitals.collectors.snmp.wire import usm
from netvitals.domain.settings.secret import Secret

ENGINE = bytes.fromhex("000000000000000000000002")  # of RFC 3414, A.3
PASSPHRASE = "maplesyrup"


def user(auth: AuthProtocol | None = None, priv: PrivProtocol | None = None, **more: Any) -> SnmpCredential:
    secrets = {
        "auth_key": Secret(PASSPHRASE) if auth else None,
        "priv_key": Secret(PASSPHRASE) if priv else None,
    }
    return SnmpCredential(version="3", user="bert", auth=auth, priv=priv, **(secrets | more))


def localised(priv: str, auth: str) -> str:
    return usm._priv_key(usm.PRIV_MODELS[priv], usm.AUTH_MODELS[auth], Secret(PASSPHRASE), ENGINE).hex()


@pytest.mark.parametrize(
    ("auth", "master", "local"),
    [
        ("MD5", "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"),
        (
            "SHA1",
            "9fb5cc0381497b3793528939ff788d5d79145211",
            "6695febc9288e36282235fc7151f128497b38f3f",
        ),
    ],
)
def test_passphrases_become_the_keys_that_rfc_3414_prints(auth: str, master: str, local: str) -> None:
    model = usm.AUTH_MODELS[auth]
    assert usm._master_key(model.digest, Secret(PASSPHRASE)).hex() == master
    assert usm._auth_key(model, Secret(PASSPHRASE), ENGINE).hex() == local


@pytest.mark.parametrize("auth", usm.AUTH_MODELS)
@pytest.mark.parametrize("passphrase", ["maplesyrup", "exactly8", "x" * 64, "y" * 65, "schlüssel-mit-ü"])
def test_keys_are_the_digest_of_a_megabyte_of_passphrase_localised(auth: str, passphrase: str) -> None:
    model = usm.AUTH_MODELS[auth]
    text = passphrase.encode()
    master = hashlib.new(model.digest, (text * (2**20 // len(text) + 1))[: 2**20]).digest()
    expected = hashlib.new(model.digest, master + ENGINE + master).digest()
    assert usm._auth_key(model, Secret(passphrase), ENGINE) == expected


@pytest.mark.parametrize(
    ("auth", "priv", "key"),
    [
        ("MD5", "DES", "526f5eed9fcce26f8964c2930787d82b"),
        ("SHA1", "AES128", "6695febc9288e36282235fc7151f1284"),
        # draft-reeder-snmpv3-usm-3desede, B.1 and B.2; Cisco's AES expands alike
        ("MD5", "3DES", "526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12"),
        ("SHA1", "3DES", "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c"),
        ("SHA1", "AES256C", "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c"),
        ("SHA1", "AES192C", "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78"),
        ("SHA1", "AES192", "6695febc9288e36282235fc7151f128497b38f3f505e07eb"),
        ("SHA1", "AES256", "6695febc9288e36282235fc7151f128497b38f3f505e07eb9af25568fa1f5dbe"),
    ],
)
def test_short_keys_are_expanded_as_the_protocol_says(auth: str, priv: str, key: str) -> None:
    assert localised(priv, auth) == key


def test_the_blumenthal_expansion_appends_the_digest_of_the_key() -> None:
    key = usm._auth_key(usm.AUTH_MODELS["MD5"], Secret(PASSPHRASE), ENGINE)
    assert localised("AES256", "MD5") == (key + hashlib.md5(key, usedforsecurity=False).digest()).hex()


@pytest.mark.parametrize("priv", ["AES192", "AES256", "AES192C", "AES256C"])
def test_a_digest_as_long_as_the_cipher_key_is_not_expanded(priv: str) -> None:
    assert (
        usm._auth_key(usm.AUTH_MODELS["SHA512"], Secret(PASSPHRASE), ENGINE)
        .hex()
        .startswith(localised(priv, "SHA512"))
    )


@pytest.mark.parametrize(
    ("key", "cipher"),
    [  # NIST SP 800-38A, F.3.13, F.3.15, F.3.17
        ("2b7e151628aed2a6abf7158809cf4f3c", "3b3fd92eb72dad20333449f8e83cfb4a"),
        ("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "cdc80d6fddf18cab34c25909c99a4174"),
        (
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "dc7e84bfda79164b7ecd8486985d3860",
        ),
    ],
)
def test_aes_takes_boots_time_and_salt_as_its_iv(key: str, cipher: str) -> None:
    aes = usm.AesCfb(bytes.fromhex(key))
    salt = bytes.fromhex("08090a0b0c0d0e0f")
    plain = aes.decrypt(0x00010203, 0x04050607, salt, bytes.fromhex(cipher))
    assert plain.hex() == "6bc1bee22e409f96e93d7e117393172a"


def test_des_is_des_in_cbc_mode_with_salt_xor_the_second_half_of_the_key_as_its_iv() -> None:
    salt, pre_iv = bytes.fromhex("0000000100000002"), bytes.fromhex("1234567990abcded")
    des = usm.DesCbc(bytes.fromhex("0123456789abcdef") + pre_iv)  # FIPS 81, table C1
    plain = des.decrypt(0, 0, salt, bytes.fromhex("e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"))
    assert plain == b"Now is the time for all "


@pytest.mark.parametrize(
    ("auth", "mac"),
    [  # RFC 2202 and RFC 4231, test case 2: the key "Jefe"
        ("MD5", "750c783e6ab0b503eaa86e31"),
        ("SHA1", "effcdf6ae5eb2fa2d27416d5"),
        ("SHA224", "a30e01098bc6dbbf45690f3a7e9e6d0f"),
        ("SHA256", "5bdcc146bf60754e6a042426089575c75a003f089d273983"),
        ("SHA384", "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"),
        (
            "SHA512",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd",
        ),
    ],
)
def test_macs_are_truncated_as_rfc_3414_and_rfc_7860_say(auth: str, mac: str) -> None:
    keys = usm.LocalKeys(usm.AUTH_MODELS[auth], b"Jefe", None)
    assert keys.mac(b"what do ya want for nothing?").hex() == mac


@pytest.mark.parametrize("priv", [name for name, model in usm.PRIV_MODELS.items() if model.cipher])
@pytest.mark.parametrize("auth", usm.AUTH_MODELS)
def test_what_is_encrypted_is_decrypted(auth: AuthProtocol, priv: PrivProtocol) -> None:
    privacy = usm.local_keys(user(auth, priv), ENGINE).privacy
    assert privacy is not None
    data, salt = privacy.encrypt(2**31 - 1, 2**31 - 1, b"0123456789")
    assert data[:10] != b"0123456789"
    assert privacy.decrypt(2**31 - 1, 2**31 - 1, salt, data)[:10] == b"0123456789"


@pytest.mark.parametrize("priv", ["DES", "AES128"])
def test_no_salt_is_used_twice(priv: PrivProtocol) -> None:
    privacy = usm.local_keys(user("SHA1", priv), ENGINE).privacy
    assert privacy is not None
    assert len({privacy.encrypt(1, 1, b"x")[1] for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("priv", "salt", "data"),
    [
        ("DES", bytes(8), bytes(9)),
        ("DES", bytes(7), bytes(8)),
        ("AES128", b"", bytes(9)),
        ("AES256", bytes(9), b"x"),
    ],
)
def test_impossible_lengths_are_a_decryption_fault(priv: PrivProtocol, salt: bytes, data: bytes) -> None:
    privacy = usm.local_keys(user("SHA1", priv), ENGINE).privacy
    assert privacy is not None
    with pytest.raises(usm.DecryptionFailed):
        privacy.decrypt(1, 1, salt, data)


def test_credentials_that_share_a_user_name_share_no_key() -> None:
    message = bytes(100)
    ours = usm.local_keys(user("SHA1"), ENGINE)
    theirs = usm.local_keys(user("SHA1", auth_key=Secret("maplesyrup2")), ENGINE)
    assert ours.mac(message) != theirs.mac(message)
    assert usm.local_keys(user("SHA1"), ENGINE) is ours


def test_only_3des_is_left_to_pysnmp() -> None:
    assert [name for name in usm.PRIV_MODELS if usm.declined(user("SHA1", name))] == ["3DES"]  # type: ignore[arg-type] # keys are the names
    assert not usm.declined(user())


def test_caches_are_bounded() -> None:
    assert usm.local_keys.cache_info().maxsize == usm.KNOWN_ENGINES
    assert usm._master_key.cache_info().maxsize == usm.KNOWN_SECRETS


def test_keys_do_not_print() -> None:
    keys = usm.local_keys(user("SHA256", "AES256"), ENGINE)
    for shown in (repr(keys), repr(keys.privacy), repr(usm.local_keys.cache_info())):
        assert PASSPHRASE not in shown
        assert keys._key.hex() not in shown
        assert repr(keys._key) not in shown
