"""How PODPAC's functions started: all packages in an archive, unpacked into ``/tmp`` by the first request."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boto3
import measure

TMP = tempfile.gettempdir()
ARCHIVE = f"{TMP}/dependencies.zip"


def handler(event: dict, context: object) -> object:
    """Fetch and unpack the packages if they are not there, import all of podpac, answer with netCDF."""
    began = time.process_time()
    if not Path(TMP, "scipy").exists():
        boto3.client("s3").download_file(os.environ["BUCKET"], os.environ["KEY"], ARCHIVE)
        subprocess.run(["unzip", "-q", ARCHIVE, "-d", TMP], check=True)
        sys.path.append(TMP)
        os.environ["HOME"] = os.environ["MPLCONFIGDIR"] = TMP
    import podpac

    if "measure" in event:
        return measure.tell(event)
    node = podpac.Node.from_definition(event["pipeline"])
    result = node.eval(podpac.Coordinates.from_definition(event["coordinates"]))
    answer = bytes(result.to_format("netcdf"))
    measure.note_answer(began)
    return answer
