import importlib
import pathlib

import harness

modules = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("test_*.py"))
harness.main([importlib.import_module(name) for name in modules])
