"""Coverage-guided fuzz targets of the signature readers: `python -m tests.fuzz.signing_targets`.

Arguments are the target's name and those of libFuzzer. A target must give a judgement for any
bytes, raise nothing, and pass nothing that is not one of its seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

import atheris

with atheris.instrument_imports(include=["signing", "dossier.safexml"]):
    from signing.policy import Trust
    from signing.tokenfile import judge_token
    from signing.verify import judge_container, judge_xml
    from tests.builders.fuzz_seeds import AT, seeds, trust

_MEGABYTES: Final = 1024


def _container(known: frozenset[bytes], given: Trust) -> Callable[[bytes], None]:
    def target(content: bytes) -> None:
        passed = judge_container(content, trust=given, at=AT).is_passed
        if passed and content not in known:
            raise AssertionError("a changed container passed")

    return target


def _xml(known: frozenset[bytes], given: Trust) -> Callable[[bytes], None]:
    def target(content: bytes) -> None:
        # Another tool's document may change around its signature and still pass; ours may not.
        passed = judge_xml(content, trust=given, at=AT).is_passed
        if passed and b'"#lienthong-1"' in content and content not in known:
            raise AssertionError("a changed document passed")

    return target


def _token(_: frozenset[bytes], given: Trust) -> Callable[[bytes], None]:
    def target(content: bytes) -> None:
        judge_token(content, identity="t", files={}, trust=given, at=AT)

    return target


TARGETS: Final = {"container": _container, "xml": _xml, "token": _token}


def main(arguments: list[str]) -> None:
    """Fuzz one target; the process ends as libFuzzer ends."""
    name, *options = arguments
    known = frozenset(seeds(name))
    target = TARGETS[name](known, trust())
    for seed in known:
        target(seed)
    atheris.Setup(["fuzz", f"-rss_limit_mb={_MEGABYTES}", *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
