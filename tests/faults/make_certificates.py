"""Certificates for a server on the loopback interface, made by the program `openssl`."""

import datetime
import ssl
import subprocess

CONFIG = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
policy = any
[any]
commonName = supplied
[usual]
subjectAltName = {names}
"""
HERE, ELSEWHERE = "IP:127.0.0.1", "IP:192.0.2.1"
# Days from now on which each begins and ends, and whose it is.
KINDS = {
    "right": (-1, 30, HERE),
    "expired": (-30, -1, HERE),
    "of the future": (1, 30, HERE),
    "of another host": (-1, 30, ELSEWHERE),
    "self-signed": (-1, 30, HERE),
}
NOT_TRUSTED = ("self-signed",)


def make_certificates(folder):
    """Return a TLS context of a server for each kind, and a file with those to be trusted."""
    contexts, trusted = {}, []
    for number, (kind, (begin, end, names)) in enumerate(KINDS.items()):
        place = folder / str(number)
        place.mkdir()
        (place / "index.txt").touch()
        (place / "config").write_text(CONFIG.format(folder=place, names=names))
        openssl(
            place,
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
            f"-subj /CN=test-{number} -keyout key.pem -out request.pem",
        )
        openssl(
            place,
            "ca -config config -selfsign -batch -create_serial -md sha256 -extensions usual "
            f"-keyfile key.pem -in request.pem -out certificate.pem -notext "
            f"-startdate {day(begin)} -enddate {day(end)}",
        )
        contexts[kind] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[kind].load_cert_chain(place / "certificate.pem", place / "key.pem")
        if kind not in NOT_TRUSTED:
            trusted.append((place / "certificate.pem").read_text())
    (folder / "trusted.pem").write_text("".join(trusted))
    return contexts, folder / "trusted.pem"


def openssl(folder, arguments):
    command = ["openssl", *arguments.split()]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def day(number):
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=number)
    return when.strftime("%Y%m%d%H%M%SZ")
