"""In each of the functions that are compared: what they do not tell of themselves."""

import resource
import tempfile
import time
from pathlib import Path

_first: list[float] = []
_answers: list[float] = []


def note_answer(began: float) -> None:
    """Remember an answer's processor time; of the first all until now, with that of programs that were run."""
    if not _first:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        _first.append(sum(each.ru_utime + each.ru_stime for each in used))
    else:
        _answers.append(time.process_time() - began)


def tell(event: dict) -> dict:
    """What the function does not tell, in seconds and bytes."""
    wall, processor = bare_evaluation(event, event["measure"])
    return {
        "cold_processor": _first[0],
        "warm_processor": min(_answers),
        "tmp": bytes_in_tmp(),
        "bare": wall,
        "bare_processor": processor,
    }


def bytes_in_tmp() -> int:
    """What lies in the function's temporary folder; not what the embedded AWS shows there of the machine's."""
    folder = Path(tempfile.gettempdir())
    found = [path.lstat() for path in folder.rglob("*") if not path.is_dir()]
    return sum(status.st_size for status in found if status.st_dev == folder.lstat().st_dev)


def bare_evaluation(event: dict, repeats: int) -> tuple[float, float]:
    """Least seconds of ``node.eval`` alone, and of processor time.

    Of a new node each time, because podpac keeps what a node computed.
    """
    if not repeats:
        return 0.0, 0.0
    import podpac

    walls, processors = [], []
    for _ in range(repeats):
        node = podpac.Node.from_definition(dict(event["pipeline"]))
        coordinates = podpac.Coordinates.from_definition(dict(event["coordinates"]))
        began, began_processor = time.perf_counter(), time.process_time()
        node.eval(coordinates)
        walls.append(time.perf_counter() - began)
        processors.append(time.process_time() - began_processor)
    return min(walls), min(processors)
