/// Python source that the addon runs before `_isopy` is there.
#pragma once

namespace isopy {

/// Defines `load(directory, flags, isolated)`, run once per interpreter, and `prepare(setup)`, run for each
/// engine.
///
/// `_isopy` becomes importable without its directory on sys.path, where it could shadow the user's
/// modules or be shadowed. `setup` is a pickle made by our own JS half: (paths, env, args).
constexpr const char* kBootstrap = R"(
def load(directory, flags, isolated):
    import sys
    if isolated and sys.version_info < (3, 12):
        sys.modules["_asyncio"] = None  # see STATIC_STATE in _isopy/isolated.py
    if flags is not None:
        sys.setdlopenflags(flags)
    import importlib.util, os
    import threading  # here and now: its main thread is the one that imports it
    package = os.path.join(directory, "_isopy")
    spec = importlib.util.spec_from_file_location(
        "_isopy", os.path.join(package, "__init__.py"), submodule_search_locations=[package])
    module = importlib.util.module_from_spec(spec)
    sys.modules["_isopy"] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules["_isopy"]
        raise

def prepare(setup):
    import os, pickle, sys
    paths, env, args = pickle.loads(setup)
    sys.path[:] = paths + [path for path in sys.path if path not in paths]
    os.environ.update(env)
    if args:
        sys.argv[1:] = args
)";

}  // namespace isopy
