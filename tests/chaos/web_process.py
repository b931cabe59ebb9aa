"""The node's web application with faults armed: `gunicorn tests.chaos.web_process:application`."""

from __future__ import annotations

import os
from pathlib import Path

from portal.wsgi import application
from tests.chaos.faults import RandomDeath, arm

__all__ = ["application"]

arm(RandomDeath(float(os.environ["CHAOS_PROBABILITY"]), Path(os.environ["CHAOS_BOOK"])))
