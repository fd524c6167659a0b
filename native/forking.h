/// A process that Python forked: it has the forking thread only, and no JavaScript.
///
/// Python code runs on in it (`multiprocessing` with its fork method, `os.fork` and `os._exit`), but
/// whatever would wait for one of our threads fails there instead, and a child that comes back into the
/// engine ends: nobody is left who could run it. The parent is untouched.
#pragma once

namespace isopy {

/// Once per process, before Python runs.
void watch_forks();
/// Whether this process is such a child. One relaxed load.
bool in_forked_child();
/// In the child, when Python code has returned to one of our threads or to JavaScript.
[[noreturn]] void end_forked_child();

}  // namespace isopy
