"""What keeps a call from being answered."""


class CrashedError(Exception):
    """The helper process ended, or was ended, before it answered; its argument says how."""


class NotImportableError(Exception):
    """The helper process knows no such function."""
