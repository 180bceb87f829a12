"""What the scheduling kernel refuses."""


class SchedulingError(ValueError):
    """A problem, load or roster that cannot be used; one fault per line of the message."""
