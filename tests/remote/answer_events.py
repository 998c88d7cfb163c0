"""Run in a process of its own with only the function's code on the path: what the archive answers to events.

Usage: ``python -I -S answer_events.py CODE [FOLDER...]``. Reads events from standard input, one as JSON in each line,
and writes each answer to standard output, behind its length in 8 bytes.
"""

import json
import os
import sys

code, *folders = sys.argv[1:]
sys.path[:0] = [code, *folders]
out = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # What the function writes into its log.
os.environ.update(LAMBDA_TASK_ROOT=code, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="2048")

import handler  # noqa: E402

for line in sys.stdin:
    answer = handler.handler(json.loads(line), None)
    out.write(len(answer).to_bytes(8, "big") + answer)
    out.flush()
