"""A time-stamp authority (RFC 3161), on this machine, for as long as a test needs it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(number) for number in dotted.split("."))
    content = bytearray([40 * first + second])
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return _der(6, bytes(content))


def _integer(number: int) -> bytes:
    return _der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


SHA256 = _der(0x30, _oid("2.16.840.1.101.3.4.2.1"), _der(5))


@dataclass
class Authority:
    """Stamps what it is asked to. ``now`` can be set to let it tell a time of the test's choosing."""

    key: Key
    certificate: x509.Certificate
    root: x509.Certificate
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    down: bool = False

    between: tuple[x509.Certificate, ...] = ()
    """Certificates between its own and the root, sent along with a token."""

    @classmethod
    def below(cls, issuer: x509.Certificate, issuer_key: Key, **changes: object) -> Authority:
        """Certified by any key, whether or not that may certify anybody; ``changes`` are those of `_certificate`."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(key, "Time below", issuer.subject, issuer_key, time=True, **changes)  # type: ignore[arg-type]
        return cls(key, certificate, issuer)

    @classmethod
    def new(cls, *, elliptic: bool = False, for_time: bool = True) -> Authority:
        key: Key = (
            ec.generate_private_key(ec.SECP256R1())
            if elliptic
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )
        root_key: Key = (
            ec.generate_private_key(ec.SECP384R1())
            if elliptic
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )
        root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test root")])
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test time")])
        began, ends = datetime.now(UTC) - timedelta(days=3650), datetime.now(UTC) + timedelta(days=3650)
        root = (
            x509.CertificateBuilder(root_name, root_name, root_key.public_key(), 1, began, ends)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
            .sign(root_key, hashes.SHA384())
        )
        usage = ExtendedKeyUsageOID.TIME_STAMPING if for_time else ExtendedKeyUsageOID.SERVER_AUTH
        certificate = (
            x509.CertificateBuilder(root_name, name, key.public_key(), 2, began, ends)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        return cls(key, certificate, root)

    @property
    def pem(self) -> bytes:
        return self.root.public_bytes(serialization.Encoding.PEM)

    def token(self, digest: bytes, nonce: int | None) -> bytes:
        """A token over a SHA-256 digest."""
        written = self.now().strftime("%Y%m%d%H%M%SZ").encode()
        info = _der(
            0x30,
            _integer(1),
            _oid("1.2.3.4.1"),
            _der(0x30, SHA256, _der(4, digest)),
            _integer(7),
            _der(0x18, written),
            b"" if nonce is None else _integer(nonce),
        )
        whole = self.certificate.public_bytes(serialization.Encoding.DER)
        attributes = sorted(
            [
                _der(0x30, _oid("1.2.840.113549.1.9.3"), _der(0x31, _oid("1.2.840.113549.1.9.16.1.4"))),
                _der(0x30, _oid("1.2.840.113549.1.9.4"), _der(0x31, _der(4, hashlib.sha256(info).digest()))),
                _der(
                    0x30,
                    _oid("1.2.840.113549.1.9.16.2.47"),
                    _der(0x31, _der(0x30, _der(0x30, _der(0x30, _der(4, hashlib.sha256(whole).digest()))))),
                ),
            ]
        )
        signed = _der(0x31, *attributes)
        if isinstance(self.key, rsa.RSAPrivateKey):
            algorithm = _der(0x30, _oid("1.2.840.113549.1.1.1"), _der(5))
            signature = self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            algorithm = _der(0x30, _oid("1.2.840.10045.4.3.2"))
            signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        issuer = self.certificate.issuer.public_bytes()
        signer = _der(
            0x30,
            _integer(1),
            _der(0x30, issuer, _integer(self.certificate.serial_number)),
            SHA256,
            b"\xa0" + signed[1:],
            algorithm,
            _der(4, signature),
        )
        return _der(
            0x30,
            _oid("1.2.840.113549.1.7.2"),
            _der(
                0xA0,
                _der(
                    0x30,
                    _integer(3),
                    _der(0x31, SHA256),
                    _der(0x30, _oid("1.2.840.113549.1.9.16.1.4"), _der(0xA0, _der(4, info))),
                    _der(0xA0, whole, *(each.public_bytes(serialization.Encoding.DER) for each in self.between)),
                    _der(0x31, signer),
                ),
            ),
        )

    def stamp(self, data: bytes) -> bytes:
        """A token over data, without a request."""
        return self.token(hashlib.sha256(data).digest(), None)

    def answer(self, query: bytes) -> bytes:
        """A TimeStampResp to a TimeStampReq."""
        digest, nonce = _read_query(query)
        return _der(0x30, _der(0x30, _integer(0)), self.token(digest, nonce))


def _certificate(
    key: Key,
    name: str,
    issuer: x509.Name,
    issuer_key: Key,
    *,
    time: bool = False,
    authority: bool | None = None,
    path_length: int | None = None,
    usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
    critical: bool = True,
    ends: timedelta = timedelta(days=3650),
) -> x509.Certificate:
    """A certificate of any shape: ``authority`` None writes no basic constraints at all."""
    today = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), today - timedelta(days=3650), today + ends
    )
    if authority is not None:
        limits = x509.BasicConstraints(ca=authority, path_length=path_length)
        built = built.add_extension(limits, critical=True)
    if time:
        built = built.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=critical)
    return built.sign(issuer_key, hashes.SHA256())


@dataclass
class Root:
    """A trusted root that certifies whatever a test wants."""

    key: Key
    certificate: x509.Certificate

    @classmethod
    def new(cls, **changes: object) -> Root:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root")])
        return cls(key, _certificate(key, "Root", name, key, **{"authority": True, **changes}))  # type: ignore[arg-type]

    def issuer(self, **changes: object) -> Root:
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(key, "Between", self.certificate.subject, self.key, **changes)  # type: ignore[arg-type]
        return Root(key, made)

    def authority(self, between: Sequence[Root] = (), **changes: object) -> Authority:
        """A time-stamp authority certified by the last of ``between``, else by the root."""
        above = (self, *between)[-1]
        made = Authority.below(above.certificate, above.key, **changes)
        made.root = self.certificate
        made.between = tuple(each.certificate for each in between)
        return made


def _read_query(query: bytes) -> tuple[bytes, int | None]:
    """The digest and nonce, found by asking the library that wrote the request what such a request looks like."""
    from xueji.trace import der

    fields = der.parse(query).children()
    numbers = [field.integer() for field in fields[1:] if field.tag == der.INTEGER]
    return fields[1].children()[1].content, numbers[0] if numbers else None


@contextmanager
def serving(answer: Callable[[str, bytes], tuple[int, str, bytes]]) -> Iterator[str]:
    """A web server on this machine; ``answer(path, body)`` gives status, content type and body. Yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, content_type, content = answer(self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, *_args: object) -> None:
            """Tests are quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving_time(authority: Authority) -> Iterator[str]:
    def answer(_path: str, query: bytes) -> tuple[int, str, bytes]:
        if authority.down:
            return 503, "text/plain", b"down"
        return 200, "application/timestamp-reply", authority.answer(query)

    with serving(answer) as address:
        yield address
