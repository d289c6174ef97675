"""Errors of the ledger, by what to do about them.

* LedgerError
  * LedgerBusy: another writer holds the ledger. Wait for it to end, or use its door.
  * LedgerUnsafe: the file system does not give the durability we promise. The operator's: move the directory.
  * LedgerMissing: there is no ledger in that directory. The caller's: check the path.
  * LedgerUnreadable: this user may not read it. The caller's: ask as another user, or a copy.
  * LedgerCorrupt: the files contradict each other. Stop, run `seatwatch fsck`, restore a backup.
  * LedgerFailed: FATAL. A commit, or a step around it, did not complete. Nothing of it may be acknowledged and the
    process must end: after a failed fsync only a fresh start knows what is on disk.
    * LedgerFenced: another writer has taken over; this one is a zombie.
    * LedgerMoved: the files written to are not, or no longer, those that the ledger's names lead to.
    * KeyTaken: an entry came under a key that is already stored: admission let a repeat pass.
  * SigningRefused: the tree to be signed is smaller than, or no continuation of, one signed before.
  * NoteInvalid: a signed note is malformed, or no trusted key signed it.
  * ProofInvalid: a proof does not hold, or is none; the text says which part.
  * BackupFailed: the copy did not pass its check.
"""


class LedgerError(Exception):
    """Base of everything the ledger raises."""


class LedgerBusy(LedgerError):
    """Another writer holds the ledger."""


class LedgerUnsafe(LedgerError):
    """WAL with synchronous=FULL could not be had here."""


class LedgerMissing(LedgerError):
    """No ledger in that directory."""


class LedgerUnreadable(LedgerError):
    """Not readable for this user."""


class LedgerCorrupt(LedgerError):
    """What is on disk contradicts itself."""


class LedgerFailed(LedgerError):
    """Fatal: the process must end without acknowledging anything of the commit that raised this."""


class LedgerFenced(LedgerFailed):
    """Another writer opened this ledger since; this writer may not commit any more."""


class LedgerMoved(LedgerFailed):
    """A file was removed or replaced under the writer: the next start will not find what went into it."""


class KeyTaken(LedgerFailed):
    """The key (source, epoch, sequence) of a new entry is already stored."""


class SigningRefused(LedgerError):
    """The tree does not continue what was signed last."""


class NoteInvalid(LedgerError):
    """Not a note, or not signed by a key we trust."""


class ProofInvalid(LedgerError):
    """A proof document that does not show what it says."""


class BackupFailed(LedgerError):
    """The copy is not a sound ledger; the text says what its check found."""
