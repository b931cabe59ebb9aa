"""On a machine without any Redis the poller drives the same job, and says so."""

from __future__ import annotations

from exchange.verify import TrustFiles, judge_path
from tests.builders import demo
from tests.builders.demo import Played


def test_the_job_is_the_same(played_without_redis: Played) -> None:
    finished = played_without_redis.finished
    assert finished.code == 0, finished.output
    assert len(played_without_redis.bundles()) == 4
    trusted = TrustFiles(anchors=[played_without_redis.anchor])
    for bundle in played_without_redis.bundles():
        assert judge_path(bundle, trusted=trusted).is_passed, bundle.name


def test_each_node_says_that_it_polls(played_without_redis: Played) -> None:
    said = played_without_redis.finished.output
    assert "no redis-server found: the workers poll the database" in said
    for node in demo.NODES:
        logs = played_without_redis.home.node(node) / "logs"
        assert (
            "no redis-server found: polling the database instead" in (logs / "work.log").read_text()
        )
        assert not (logs / "redis.log").exists()
