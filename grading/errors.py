"""What the grading kernel refuses."""


class GradingError(ValueError):
    """Evidence or policy that cannot be used; one fault per line of the message."""
