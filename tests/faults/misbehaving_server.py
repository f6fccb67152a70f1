"""A web server on the loopback interface that answers as a row of `cases/downloads.toml` says.

An answer is a table; without any key it is the file, with its length. Keys:

``status``      the code; 200
``body``        ``file``, ``page``, ``changed`` (a byte differs), ``longer`` (by a byte), ``empty``,
                ``nothing but zeros`` (of 64 MiB), ``endless``
``share``       what part of the body is sent before the connection ends; 1
``length``      ``told``, ``not told``, ``in chunks``, ``in chunks of a byte``, or any other text as
                the value of the header; ``{length}`` in it is the right one
``encoding``    ``Content-Encoding``; the body is compressed once for each ``gzip`` in it
``location``    where it redirects to; ``{own}`` in it is the path that was asked for, ``{host}``
                the server, ``{right}`` an address that answers well; more are in `places`
``headers``     more of them, as text
``instead``     what comes in place of status and headers, as text
``drip``        ``head`` or ``body``: a byte at a time, with 20 ms between
``pause``       seconds before each 8 KiB of the body
``reset``       whether the connection is reset in the end
``gate``        ``request``, ``head``, ``half`` or ``end``: it waits there until the gate is opened
"""

import contextlib
import gzip
import hashlib
import io
import socket
import socketserver
import struct
import threading
import time
import zlib

PAGE = b"<!DOCTYPE html>\n<html><body>This file has moved.</body></html>\n"
PIECE = 2**13
DRIP_SECONDS = 0.02
# A test that waits for the end of a drip is to fail, not to hang.
MOST_SECONDS = 15.0
TLS_HELLO = b"\x16"


class MisbehavingServer(socketserver.ThreadingTCPServer):
    """Serves `content` at any path; `answers` has a list for paths where it does not do so well.

    Each request gets the next of them, and the last again. With a TLS context, it is encrypted.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 32

    def __init__(self, content, *, tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.tls = content, tls
        self.answers, self.asked = {}, []
        self.reached, self.gate, self.stopped = (threading.Event() for _ in range(3))
        self.host = f"127.0.0.1:{self.server_address[1]}"
        self.address = f"http{'s' if tls else ''}://{self.host}"
        self.places = {"host": self.host, "right": f"{self.address}/right"}
        self.bodies = {
            "file": content,
            "page": PAGE,
            "changed": content[:-1] + bytes([content[-1] ^ 1]),
            "longer": content + b"\0",
            "empty": b"",
        }
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self.thread.start()

    def sha256(self, body):
        return hashlib.sha256(self.bodies[body]).hexdigest()

    def finish_request(self, request, client_address):
        # Whoever asks may hang up.
        with contextlib.suppress(OSError):
            if self.tls:
                request = self.tls.wrap_socket(request, server_side=True)
            with request:
                super().finish_request(request, client_address)

    def close(self):
        self.stopped.set()
        self.gate.set()
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        # Whoever wants encryption does not end a line.
        line = self.rfile.read(1)
        line += b"" if line == TLS_HELLO else self.rfile.readline()
        while line not in (b"", TLS_HELLO) and self.rfile.readline() not in (b"\r\n", b""):
            pass
        if not line:
            return  # a probe
        if line == TLS_HELLO:
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return
        path = line.split()[1].decode()
        answers = self.server.answers.get(path, [{}])
        answer = answers[min(self.server.asked.count(path), len(answers) - 1)]
        self.server.asked.append(path)
        self.gate = answer.get("gate")
        self.end = time.monotonic() + MOST_SECONDS
        self.wait("request")
        body = self.body(answer)
        self.send(self.head(answer, path, body), drip=answer.get("drip") == "head")
        self.wait("head")
        if body is None:
            while not self.server.stopped.is_set():
                self.wfile.write(b"spam" * PIECE)
            return
        body = body[: round(len(body) * answer.get("share", 1))]
        drip, pause = answer.get("drip") == "body", answer.get("pause", 0)
        for begin in (0, len(body) // 2):
            part = body[begin : len(body) if begin else len(body) // 2]
            if answer.get("length", "").startswith("in chunks"):
                size = 1 if answer["length"] == "in chunks of a byte" else PIECE
                for place in range(0, len(part), size):
                    chunk = part[place : place + size]
                    self.send(b"%x\r\n%s\r\n" % (len(chunk), chunk), drip=drip, whole=True)
            else:
                self.send(part, drip=drip, pause=pause)
            if not begin:
                self.wait("half")
        if answer.get("length", "").startswith("in chunks") and "share" not in answer:
            self.wfile.write(b"0\r\n\r\n")
        self.wait("end")
        if answer.get("reset"):
            linger = struct.pack("ii", 1, 0)
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def wait(self, place):
        if self.gate == place:
            self.server.reached.set()
            self.server.gate.wait(60)

    def send(self, content, *, drip=False, whole=False, pause=0.0):
        step = 1 if drip and not whole else PIECE
        for place in range(0, len(content), step):
            if self.server.stopped.is_set() or time.monotonic() > self.end:
                raise ConnectionAbortedError
            time.sleep(DRIP_SECONDS if drip else pause)
            self.wfile.write(content[place : place + step])

    def head(self, answer, path, body):
        if "instead" in answer:
            return answer["instead"].encode()
        lines = [f"HTTP/1.1 {answer.get('status', 200)} So it is", "Connection: close"]
        length = answer.get("length", "told" if body is not None else "not told")
        if length.startswith("in chunks"):
            lines.append("Transfer-Encoding: chunked")
        elif length == "told":
            lines.append(f"Content-Length: {len(body)}")
        elif length != "not told":
            size = len(body or b"")
            told = length.format(length=size, longer=size + 1000, shorter=size - 1000)
            lines.append(f"Content-Length: {told}")
        if "encoding" in answer:
            lines.append(f"Content-Encoding: {answer['encoding']}")
        if "location" in answer:
            lines.append("Location: " + answer["location"].format(own=path, **self.server.places))
        lines += answer.get("headers", [])
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def body(self, answer):
        name = answer.get("body", "file")
        if name == "endless":
            return None
        times = answer.get("encoding", "").count("gzip")
        if name == "nothing but zeros":
            return compress(zlib_zeros(2**26), times - 1)
        return compress(self.server.bodies[name], times)


def compress(content, times):
    for _ in range(times):
        content = gzip.compress(content, 1)
    return content


def zlib_zeros(number):
    """Return that many zeros in gzip, made piece by piece."""
    packed = io.BytesIO()
    packer = zlib.compressobj(wbits=31)
    for _ in range(number // 2**20):
        packed.write(packer.compress(bytes(2**20)))
    packed.write(packer.flush())
    return packed.getvalue()
