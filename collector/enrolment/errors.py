"""Errors of enrolment: what an operator or a caller did that cannot be done. The message says what to do."""


class EnrolmentError(Exception):
    """Cannot be done; the message names the remedy."""
