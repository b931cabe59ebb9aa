"""A very small browser for the demo's people: cookies, pages, real forms, nothing remembered else.

It reads what the portal shows (`data-` attributes and form fields) and posts what a person would
post, so that the demo goes through the same pages, permissions and checks.
"""

from __future__ import annotations

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from lienthong.errors import PageRefused, PortalAway

_TIMEOUT_SECONDS = 60


@dataclass(kw_only=True, slots=True)
class Form:
    """Mutable while the page is read: where a form goes and what its fields hold."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Page:
    """Mutable while it is read: what the browser has understood of a page."""

    url: str
    status: int
    body: bytes
    forms: list[Form] = field(default_factory=list)
    marks: list[dict[str, str]] = field(default_factory=list)  # data-* of each element with any
    errors: list[str] = field(default_factory=list)  # text of elements with role="alert"

    def form(self, action: str) -> Form:
        """Return the form whose action ends in `action`."""
        for form in self.forms:
            if urllib.parse.urlparse(form.action).path.endswith(action):
                return form
        raise PageRefused(f"expected a form {action} on {self.url}", page=self.url)

    def marked(self, **wanted: str) -> list[dict[str, str]]:
        """Return the `data-` attributes of the elements that carry all of `wanted`."""
        return [m for m in self.marks if all(m.get(k) == v for k, v in wanted.items())]


class Browser:
    """One person's browser at one node."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

    def get(self, path: str) -> Page:
        """Open a page of the node."""
        request = urllib.request.Request(self._url(path))  # noqa: S310 - http to our own nodes only
        return self._send(request)

    def submit(
        self,
        form: Form,
        values: Mapping[str, str],
        *,
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Page:
        """Fill in a form and send it; the page that follows a redirect comes back."""
        filled = {**form.fields, **values}
        if files:
            body, kind = _multipart(filled, files)
        else:
            body = urllib.parse.urlencode(filled).encode()
            kind = "application/x-www-form-urlencoded"
        url = self._url(form.action)
        request = urllib.request.Request(url, data=body)  # noqa: S310 - http to our own nodes only
        request.add_header("Content-Type", kind)
        request.add_header("Referer", url)
        return self._send(request)

    def login(self, username: str, password: str) -> Page:
        """Log in as a person would."""
        page = self.submit(
            self.get("/login").form("/login"), {"username": username, "password": password}
        )
        if page.errors or page.url.endswith("/login"):
            raise PageRefused(f"expected {username} to be logged in", page="/login")
        return page

    def _url(self, path: str) -> str:
        return urllib.parse.urljoin(self.origin, path)

    def _send(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as reply:
                return _read(reply.geturl(), reply.status, reply.read())
        except urllib.error.HTTPError as exc:
            page = _read(request.full_url, exc.code, exc.read())
            said = " ".join(page.errors) or exc.reason
            raise PageRefused(
                f"expected a page, got {exc.code}: {said}", page=request.full_url
            ) from exc
        except (urllib.error.URLError, OSError) as exc:
            raise PortalAway(f"expected an answer of {self.origin}", page=self.origin) from exc


def _multipart(
    values: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]
) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in values.items()
    ]
    for name, (file_name, content) in files.items():
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; '
            f'filename="{file_name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        )
        parts += [head.encode(), content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _read(url: str, status: int, body: bytes) -> Page:
    page = Page(url=url, status=status, body=body)
    if body.lstrip()[:1] == b"<":
        reader = _Reader(page)
        reader.feed(body.decode(errors="replace"))
    return page


class _Reader(HTMLParser):
    """Collect forms, `data-` attributes and alerts while the page streams by."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._form: Form | None = None
        self._select = ""
        self._textarea = ""
        self._alert_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element means to a person."""
        values = {name: value or "" for name, value in attrs}
        marks = {n[5:]: v for n, v in values.items() if n.startswith("data-")}
        if marks:
            self._page.marks.append(marks)
        if self._alert_depth or values.get("role") == "alert":
            self._alert_depth += tag not in ("br", "img", "input", "hr")
        if tag == "form":
            self._form = Form(action=values.get("action") or self._page.url)
            self._page.forms.append(self._form)
        elif self._form is not None:
            self._field(tag, values)

    def _field(self, tag: str, values: Mapping[str, str]) -> None:
        if self._form is None:
            return
        name = values.get("name", "")
        if tag == "input" and name:
            kind = values.get("type", "text")
            checkable = kind in ("checkbox", "radio")
            if kind not in ("submit", "file", "button") and (not checkable or "checked" in values):
                self._form.fields[name] = values.get("value", "on" if checkable else "")
        elif tag == "textarea" and name:
            self._textarea = name
            self._form.fields[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            chosen = "selected" in values or self._select not in self._form.fields
            if chosen:
                self._form.fields[self._select] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Leave forms, fields and alerts."""
        if self._alert_depth:
            self._alert_depth -= 1
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        """Keep the text of alerts and of text areas."""
        if self._alert_depth and data.strip():
            self._page.errors.append(data.strip())
        if self._textarea and self._form is not None:
            self._form.fields[self._textarea] += data
