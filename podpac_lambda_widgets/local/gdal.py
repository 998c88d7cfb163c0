"""Where GDAL finds the embedded AWS: it does not read ``AWS_ENDPOINT_URL``.

GDAL's own variables (``AWS_S3_ENDPOINT``, ``AWS_HTTPS``) do not do either: podpac's ``Rasterio`` sets ``AWS_HTTPS`` in
the program, which wins over the environment. What GDAL's configuration file says of the paths below ``/vsis3/`` wins
over both (GDAL's documentation, "Configuration options", "GDAL configuration file": the section ``[credentials]``).
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

#: The variable that names the file, and the file.
VARIABLE = "GDAL_CONFIG_FILE"
FILE_NAME = "gdal.conf"


def write_configuration(directory: Path, endpoint: str) -> None:
    """Write the file into `directory`: S3 is at `endpoint`, a URL without a path."""
    address = urlsplit(endpoint)
    lines = (
        "[credentials]",
        "[.embedded]",
        "path=/vsis3/",
        f"AWS_S3_ENDPOINT={address.netloc}",
        f"AWS_HTTPS={'YES' if address.scheme == 'https' else 'NO'}",
        # The bucket's name in the path: there is no name server for loopback.
        "AWS_VIRTUAL_HOSTING=FALSE",
    )
    (directory / FILE_NAME).write_text("\n".join(lines) + "\n")
