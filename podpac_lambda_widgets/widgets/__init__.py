"""Forms for a notebook: thin, described by the traits of the models, and drawn by one page."""
