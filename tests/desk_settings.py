"""The product's settings, with a data folder of this run's own: no test touches the desk of the machine it runs on.

They are read before any conftest, so a conftest would be too late to say so.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_data = tempfile.mkdtemp(prefix="klankbord-test-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["KLANKBORD_DATA_DIR"] = _data
os.environ["KLANKBORD_ALLOW_LOOPBACK"] = "1"
for each in ("DATABASE_URL", "KLANKBORD_ROLE"):
    os.environ.pop(each, None)
# Child processes that tests start read the product's own.
os.environ["DJANGO_SETTINGS_MODULE"] = "klankbord.project.settings"

from klankbord.plumbing.look.translations import compile_all  # noqa: E402
from klankbord.project.settings import *  # noqa: E402, F403

compile_all()  # before the first sentence is asked for: what was not there then stays English in this process
