"""Entry point of the Lambda function: ``handler.handler``.

Replace this file, or name another with ``function_handler``, to answer events your own way.
"""

from podpac_lambda_widgets.remote.triggers import make_function

_function = make_function()


def handler(event: object, context: object) -> bytes | dict[str, object]:
    """Evaluate the pipeline of an event and return the result to what triggered it."""
    return _function.handle(event, context)
