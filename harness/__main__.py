"""``python -m harness``: the same program as ``bakeoff``, from a plain checkout."""

from harness.cli import main

if __name__ == "__main__":
    main()
