"""The handler of the archives, and what it does not tell of itself."""

import time

import handler as shipped
import measure


def handler(event: dict, context: object) -> object:
    """Answer as the function does, or say what was asked of it."""
    if "measure" in event:
        return measure.tell(event)
    began = time.process_time()
    answer = shipped.handler(event, context)
    measure.note_answer(began)
    return answer
