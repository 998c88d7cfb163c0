"""The seam between ministack and the execution environments."""

from __future__ import annotations

import pytest

from podpac_lambda_widgets.local import ministack_seam


def test_the_installed_ministack_is_as_the_seam_relies_on():
    faults = ministack_seam.find_seam_faults()
    assert not faults, "adapt podpac_lambda_widgets/local/ministack_seam.py: " + "; ".join(faults)


def test_a_changed_ministack_is_named_and_refused(monkeypatch):
    from ministack.services import lambda_svc

    monkeypatch.setattr(ministack_seam, "MINISTACK_VERSION", "0.0.1")
    monkeypatch.delattr(lambda_svc, "_resolve_layer_zip")
    monkeypatch.setattr(lambda_svc, "_execute_function_warm", lambda func, event: None)
    with pytest.raises(RuntimeError) as caught:
        ministack_seam.install(None)
    assert "the seam was made for 0.0.1" in str(caught.value)
    assert "lambda_svc._resolve_layer_zip is gone" in str(caught.value)
    assert "lambda_svc._execute_function_warm(func, event) should take (func, event, request_id)" in str(caught.value)


def test_the_pin_of_the_package_is_the_version_the_seam_was_made_for():
    from importlib.metadata import requires

    pins = [need for need in requires("podpac-lambda-widgets") or () if need.startswith("ministack")]
    assert [pin.partition(";")[0].strip() for pin in pins] == [f"ministack=={ministack_seam.MINISTACK_VERSION}"]
