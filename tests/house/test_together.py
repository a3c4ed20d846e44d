"""What shares something costly runs in one process: a release of pytest once lost that silently."""

import os

import pytest


@pytest.mark.xdist_group("together")
def test_xdist_knows_a_group_by_its_mark(request):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("all tests run in one process")
    assert request.node.nodeid.endswith("@together")
