"""The four families of refusal. Every concrete error carries a stable `code`; api/errors.py knows statuses."""


class Refusal(Exception):
    """An expected answer that changes nothing. `extra` becomes members of the problem document."""

    code = "refused"

    def __init__(self, detail: str, *, code: str | None = None, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.extra = extra


class NotFound(Refusal):
    """The thing is absent, or belongs to somebody else."""

    code = "not_found"


class NotAllowed(Refusal):
    """The actor may see it but not do this."""

    code = "not_allowed"


class Conflict(Refusal):
    """Somebody else was first, or the thing has changed since it was read."""

    code = "conflict"


class Rejected(Refusal):
    """The wish itself breaks a rule."""

    code = "rejected"


class Unavailable(Refusal):
    """The system can't answer now; trying again later may work."""

    code = "unavailable"
