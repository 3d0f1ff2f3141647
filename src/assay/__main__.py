"""`python -m assay` is `assay`, for an interpreter whose scripts are not on the path."""

from __future__ import annotations

from assay.cli.main import main

if __name__ == "__main__":
    main()
