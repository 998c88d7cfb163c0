"""The forms, alone or joined on one page: the only room that joins them with AWS, the embedded AWS and the builder."""

from podpac_lambda_widgets.studio.joined import Studio

__all__ = ["Studio"]
