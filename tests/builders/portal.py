"""The portal of one node in this process: a client that speaks WSGI to it and reads its pages."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit
from wsgiref.types import WSGIEnvironment

from exchange.node import Node
from portal.front import Entrance, Front


@dataclass(slots=True)
class Element:
    """One start tag of a page; mutable, because its text comes later."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elements: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Body as text."""
        return self.body.decode()

    def having(self, name: str, value: str | None = None) -> list[Element]:
        """Return the elements that carry an attribute, with this value if one is given."""
        return [
            one
            for one in self.elements
            if name in one.attributes and value in (None, one.attributes[name])
        ]

    def alerts(self) -> str:
        """Return the text of what is announced as an error."""
        return " ".join(one.text for one in self.having("role", "alert"))

    def fields(self, action: str) -> dict[str, str]:
        """Return the hidden fields of the form that posts to `action`."""
        inside, found = False, {}
        for one in self.elements:
            if one.tag == "form":
                inside = one.attributes.get("action") == action
            elif inside and one.tag == "input" and one.attributes.get("type") == "hidden":
                found[one.attributes["name"]] = one.attributes.get("value", "")
        return found


class Visitor:
    """One person's browser: cookies, pages, forms; redirects are shown, not followed."""

    def __init__(self, node: Node, *, host: str = "127.0.0.1") -> None:
        self.application = Entrance(pages=Front(node), wires={})
        self.host = host
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Reply:
        """Open a page."""
        return self.send("GET", path)

    def post(
        self,
        path: str,
        values: Mapping[str, str],
        *,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        page: str = "/login",
    ) -> Reply:
        """Post a form with the token of the page it stands on."""
        token = self.get(page).having("name", "csrfmiddlewaretoken")[0].attributes["value"]
        given = {"csrfmiddlewaretoken": token, **values}
        if files is None:
            kind, body = "application/x-www-form-urlencoded", urlencode(given).encode()
        else:
            kind, body = _multipart(given, files)
        return self.send("POST", path, body=body, content_type=kind)

    def log_in(self, username: str, password: str) -> Reply:
        """Log in."""
        return self.post("/login", {"username": username, "password": password})

    def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        content_type: str = "",
        extra: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send any request; `extra` are names of the WSGI environment."""
        parts = urlsplit(path)
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "SERVER_NAME": self.host,
            "SERVER_PORT": "8028",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": self.host,
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **(extra or {}),
        }
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, found: list[tuple[str, str]], _error: object = None) -> object:
            started.append((status, found))
            return None

        result = self.application(environ, start)  # type: ignore[arg-type]  # nothing is written
        content = b"".join(result)
        close = getattr(result, "close", None)
        if close is not None:
            close()
        status, found = started[0]
        self._keep_cookies(found)
        cookies = "\n".join(value for name, value in found if name == "Set-Cookie")
        headers = {**dict(found), "Set-Cookie": cookies}
        reply = Reply(status=int(status[:3]), headers=headers, body=content)
        if reply.headers.get("Content-Type", "").startswith("text/html"):
            _Reader(reply.elements).feed(content.decode())
        return reply

    def _keep_cookies(self, headers: list[tuple[str, str]]) -> None:
        for name, value in headers:
            if name == "Set-Cookie":
                for key, morsel in SimpleCookie(value).items():
                    self.cookies[key] = morsel.value


class _Reader(HTMLParser):
    """Collects start tags, and for elements that announce something their text."""

    def __init__(self, elements: list[Element]) -> None:
        super().__init__()
        self._elements = elements
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._elements.append(element)
        if tag not in ("input", "link", "meta", "br", "use", "path"):
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


def _multipart(
    values: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]
) -> tuple[str, bytes]:
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in values.items()
    ]
    for name, (file_name, content) in files.items():
        quoted = json.dumps(file_name, ensure_ascii=False)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename={quoted}'
        parts += [f"{head}\r\nContent-Type: text/html\r\n\r\n".encode(), content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)
