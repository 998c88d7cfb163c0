"""In each of the functions that are compared: what they do not tell of themselves."""

import resource
import tempfile
import time
from pathlib import Path

_first: list[float] = []


def note_first_answer() -> None:
    """Remember how much processor time it took to get here, with that of programs that were run."""
    if not _first:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        _first.append(sum(each.ru_utime + each.ru_stime for each in used))


def tell(event: dict) -> dict:
    """What the function does not tell: seconds, bytes, seconds."""
    return {"processor": _first[0], "tmp": bytes_in_tmp(), "bare": bare_evaluation(event, event["measure"])}


def bytes_in_tmp() -> int:
    """What lies in the function's temporary folder; not what the embedded AWS shows there of the machine's."""
    folder = Path(tempfile.gettempdir())
    found = [path.lstat() for path in folder.rglob("*") if not path.is_dir()]
    return sum(status.st_size for status in found if status.st_dev == folder.lstat().st_dev)


def bare_evaluation(event: dict, repeats: int) -> float:
    """Least seconds of ``node.eval`` alone; of a new node each time, because podpac keeps what a node computed."""
    if not repeats:
        return 0.0
    import podpac

    times = []
    for _ in range(repeats):
        node = podpac.Node.from_definition(dict(event["pipeline"]))
        coordinates = podpac.Coordinates.from_definition(dict(event["coordinates"]))
        began = time.perf_counter()
        node.eval(coordinates)
        times.append(time.perf_counter() - began)
    return min(times)
