"""GDAL reads the embedded S3, also when podpac tells it to use HTTPS."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from podpac_lambda_widgets.local import gdal
from podpac_lambda_widgets.local.session import LocalSession

READ = """
import rasterio
with rasterio.Env(AWS_HTTPS=True), rasterio.open("s3://rasters/x.tif") as raster:
    print(raster.read(1).tolist())
"""


@pytest.mark.local_aws
def test_gdal_finds_the_embedded_s3_although_the_program_asks_for_https(aws: LocalSession, tmp_path: Path) -> None:
    if importlib.util.find_spec("rasterio") is None:
        pytest.skip("rasterio is not installed")
    import numpy as np
    import rasterio

    with rasterio.open(
        tmp_path / "x.tif", "w", driver="GTiff", width=2, height=2, count=1, dtype="float64",
        transform=rasterio.Affine(1, 0, 0, 0, -1, 2), crs="EPSG:4326",
    ) as made:  # fmt: skip
        made.write(np.arange(4.0).reshape(1, 2, 2))
    s3, key = aws.client("s3"), aws.get_credentials()
    s3.create_bucket(Bucket="rasters")
    s3.upload_file(str(tmp_path / "x.tif"), "rasters", "x.tif")
    gdal.write_configuration(tmp_path, aws.endpoint_url)
    environment = {
        **os.environ,
        gdal.VARIABLE: str(tmp_path / gdal.FILE_NAME),
        "AWS_ACCESS_KEY_ID": key.access_key,
        "AWS_SECRET_ACCESS_KEY": key.secret_key,
        "AWS_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split("\n")[0] == "[[0.0, 1.0], [2.0, 3.0]]", done.stderr
