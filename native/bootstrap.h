/// Python source that the addon runs before `_isopy` is there.
#pragma once

namespace isopy {

/// Defines `load(directory, flags, isolated, cache)`, run once per interpreter, and `prepare(setup)`, run for
/// each engine.
///
/// The package's byte code is kept in one file in the folder `cache` (null: nowhere): compiling it took 55 of
/// the 110 ms of a start wherever Python may write no `__pycache__` beside it. The file is believed while the
/// package's files are the same; see `_isopy/bytecode.py`, which writes it.
///
/// `_isopy` becomes importable without its directory on sys.path, where it could shadow the user's
/// modules or be shadowed. `setup` is a pickle made by our own JS half: (paths, env, args).
constexpr const char* kBootstrap = R"(
import importlib.util, marshal, os, sys

class Compiled:
    """Finds and loads the modules of a package from its byte code."""
    def __init__(self, package, code):
        self.package, self.code = package, code
    def find_spec(self, name, target=None):
        if name not in self.code:
            return None
        file = os.path.join(self.package, name.rpartition(".")[2] + ".py")
        return importlib.util.spec_from_file_location(name, file, loader=self)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        exec(marshal.loads(self.code[module.__name__]), module.__dict__)

def stamp(package):
    with os.scandir(package) as entries:
        files = sorted((e.name, e.stat().st_size, e.stat().st_mtime_ns) for e in entries if e.name.endswith(".py"))
    return repr((package, importlib.util.MAGIC_NUMBER, sys.flags.optimize, files))

def kept(file, wanted):
    try:
        with open(file, "rb") as opened:
            data = opened.read()
        if importlib.util.source_hash(data[8:]) != data[:8]:
            return None
        of, code = marshal.loads(data[8:])
        return code if of == wanted else None
    except (OSError, ValueError, EOFError, TypeError):
        return None

def compiled(package, cache):
    place = importlib.util.source_hash(os.fsencode(package)).hex()
    file = os.path.join(cache, f"isopy-{sys.implementation.cache_tag}-{place}.code")
    wanted = stamp(package)
    code = kept(file, wanted)
    if code is None:
        from _isopy.bytecode import keep
        code = keep(package, file, wanted)
    if code is not None:
        sys.path_importer_cache[package] = Compiled(package, code)

def load(directory, flags, isolated, cache):
    if isolated and sys.version_info < (3, 12):
        sys.modules["_asyncio"] = None  # see STATIC_STATE in _isopy/isolated.py
    if flags is not None:
        sys.setdlopenflags(flags)
    import threading  # here and now: its main thread is the one that imports it
    package = os.path.join(directory, "_isopy")
    spec = importlib.util.spec_from_file_location(
        "_isopy", os.path.join(package, "__init__.py"), submodule_search_locations=[package])
    module = importlib.util.module_from_spec(spec)
    sys.modules["_isopy"] = module
    try:
        spec.loader.exec_module(module)
        if cache is not None:
            compiled(package, cache)
        from _isopy import variables
        variables.install()  # before anybody sets one
    except BaseException:
        del sys.modules["_isopy"]
        raise

def prepare(setup):
    import pickle
    paths, env, args = pickle.loads(setup)
    sys.path[:] = paths + [path for path in sys.path if path not in paths]
    os.environ.update(env)
    if args:
        sys.argv[1:] = args
)";

}  // namespace isopy
