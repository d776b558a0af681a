"""Settings in variables, and what may stand in their values."""
import os
import re
from pathlib import Path


def setting(name):
    """The value of a variable; `$__file{PATH}` in it is what that file holds, without white space around it."""
    value = os.environ.get(name, "")
    return re.sub(r"\$__file\{([^}]+)\}", lambda match: Path(match[1]).read_text(encoding="utf-8").strip(), value)
