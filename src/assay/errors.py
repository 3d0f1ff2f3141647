"""Every error assay raises on purpose.

AssayError                      exit code 2 on the command line
├── InputError                  a file, a folder, a row: what was read is not usable
│   └── EmptyBatchError         a computation over nothing
├── ConfigError                 an option or a YAML file says something impossible
├── SplitError                  the split asked for does not exist for these groups
├── ModelError                  a base model cannot be had or used
│   ├── ModelNotFoundError      no such name, folder or hub id, or no network to fetch it
│   ├── ChecksumError           the bytes fetched are not the bytes pinned
│   ├── ForeignCodeError        the model's files would have code run that is not transformers' own
│   └── TemplateError           the chat template cannot be used for rewards (date, broken prefix)
├── ArtifactError               a run folder is missing, torn, of another version, or of other inputs
├── TrainingError               training cannot go on (loss not finite, self-check failed)
├── GateError                   the criteria cannot be read (a gate that reads them and fails is no error)
└── StudyError                  a blind study cannot be created, served or analysed as asked

A message says where, what was found, and the way out.
"""


class AssayError(Exception):
    """Base of every error assay raises on purpose; its text is meant for the user."""


class InputError(AssayError):
    """What was read cannot be used."""


class EmptyBatchError(InputError):
    """A computation was asked for over no items."""


class ConfigError(AssayError):
    """An option or a configuration file says something impossible."""


class SplitError(AssayError):
    """The split asked for does not exist for these groups."""


class ModelError(AssayError):
    """A base model cannot be had or used."""


class ModelNotFoundError(ModelError):
    """No such catalogue name, folder or hub id, or no network to fetch it."""


class ChecksumError(ModelError):
    """The bytes fetched are not the bytes pinned."""


class ForeignCodeError(ModelError):
    """The model's files would have code run that is not transformers' own."""


class TemplateError(ModelError):
    """The chat template cannot be used for rewards."""


class ArtifactError(AssayError):
    """A run folder is missing, torn, of another version, or of other inputs."""


class TrainingError(AssayError):
    """Training cannot go on."""


class GateError(AssayError):
    """The criteria cannot be read."""


class StudyError(AssayError):
    """A blind study cannot be created, served or analysed as asked."""


def first_line(error: BaseException) -> str:
    """An error in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
