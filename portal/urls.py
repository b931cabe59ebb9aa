"""Every address of the portal, who may open it, and by which methods."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import (
    assets,
    desk,
    documents,
    dossiers,
    errors,
    handing,
    health,
    login,
    operations,
    publication,
    repairs,
    tasks,
    verify,
)
from portal.api import api
from portal.pages import for_anyone, for_people

_ask_or_do = require_http_methods(["GET", "POST"])

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("healthz", require_GET(health.healthz)),
    path("readyz", require_GET(health.readyz)),
    path("static/<str:name>", require_GET(for_anyone(assets.serve))),
    path("login", _ask_or_do(for_anyone(login.log_in))),
    path("logout", require_POST(for_anyone(login.log_out))),
    path("language", require_POST(for_anyone(login.choose_language))),
    path("verify", _ask_or_do(for_anyone(verify.verify))),
    path("", require_GET(for_people(desk.start))),
    path("desk", require_GET(for_people(desk.show))),
    path("dossiers", require_GET(for_people(dossiers.find))),
    path("dossiers/new", _ask_or_do(for_people(dossiers.new))),
    path("dossiers/<uuid:dossier>", require_GET(for_people(dossiers.show))),
    path("dossiers/<uuid:dossier>/documents", require_POST(for_people(documents.add))),
    path("dossiers/<uuid:dossier>/repair", _ask_or_do(for_people(repairs.show))),
    path("repairs", require_GET(for_people(repairs.find))),
    path("dossiers/<uuid:dossier>/evidence", require_GET(for_people(dossiers.take_evidence))),
    path("documents/<uuid:document>", require_GET(for_people(documents.take))),
    path("tasks/<uuid:task>", require_GET(for_people(tasks.show))),
    path("tasks/<uuid:task>/claim", require_POST(for_people(tasks.claim))),
    path("tasks/<uuid:task>/release", require_POST(for_people(tasks.release))),
    path("tasks/<uuid:task>/complete", require_POST(for_people(tasks.complete))),
    path("tasks/<uuid:task>/delegate", require_POST(for_people(handing.delegate))),
    path("tasks/<uuid:task>/escalate", require_POST(for_people(handing.escalate))),
    path("notices/<int:notice>/dismiss", require_POST(for_people(handing.dismiss))),
    path("absences", _ask_or_do(for_people(handing.show_absences))),
    path("absences/<int:absence>/end", require_POST(for_people(handing.end_absence))),
    path("incidents", require_GET(for_people(operations.show_incidents))),
    path("incidents/retry", require_POST(for_people(operations.retry_all))),
    path("incidents/<uuid:incident>/resend", require_POST(for_people(operations.resend))),
    path("incidents/<uuid:incident>/reissue", require_POST(for_people(operations.reissue))),
    path("incidents/<uuid:incident>/redirect", require_POST(for_people(operations.redirect))),
    path("incidents/<uuid:incident>/retry", require_POST(for_people(operations.retry))),
    path("procedures", require_GET(for_people(publication.show_all))),
    path("procedures/proposals/<uuid:proposal>", require_GET(for_people(publication.show))),
    path(
        "procedures/proposals/<uuid:proposal>/confirm",
        require_POST(for_people(publication.confirm)),
    ),
    path(
        "procedures/proposals/<uuid:proposal>/refuse", require_POST(for_people(publication.refuse))
    ),
    path("partners", require_GET(for_people(operations.show_partners))),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.failed
