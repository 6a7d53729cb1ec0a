"""torch's own databases of operations, modules and optimisers: what torch tests itself with.

`expecttest`, which torch's test utilities import, is not needed for that; a stand-in takes its place. And they fix some of torch's
switches, which other tests set; they are kept from it.
"""

from __future__ import annotations

import sys
import types
import unittest
import warnings
from unittest import mock

sys.modules.setdefault("expecttest", types.SimpleNamespace(TestCase=unittest.TestCase))  # type: ignore[arg-type]
with warnings.catch_warnings(), mock.patch("torch.backends.disable_global_flags"):
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.common_modules import module_db
    from torch.testing._internal.common_optimizers import optim_db

__all__ = ["module_db", "op_db", "optim_db"]
