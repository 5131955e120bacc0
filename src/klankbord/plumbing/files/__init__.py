"""Files that people send and receive: stored under random names, told apart by their bytes, named safely, cleaned."""

from .content import may_show_inline, sniff
from .images import clean_image
from .names import display_name
from .store import FileStore, FileTooLargeError, LocalFiles, NoSuchFileError, StoredFile

__all__ = [
    "FileStore",
    "FileTooLargeError",
    "LocalFiles",
    "NoSuchFileError",
    "StoredFile",
    "clean_image",
    "display_name",
    "may_show_inline",
    "sniff",
]
