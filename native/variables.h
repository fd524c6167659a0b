/// Environment variables that are set while other threads read them.
#pragma once

#include <string>
#include <vector>

namespace isopy {

class Gil;

/// As setenv with overwriting. The C library's moves and frees the array that a `getenv` on another thread
/// (Node reads `process.env` with it) may be walking; here an array that was seen once stays for ever, and so
/// do texts. What Node adds at the same moment is kept in nearly all cases, what Python adds always. False:
/// out of memory, or a name with `=`.
bool put_variable(const std::string& name, const std::string& value);
/// As unsetenv.
void unset_variable(const std::string& name);

/// The variables of this process. On a JS thread, where Node does not change them meanwhile.
std::vector<std::string> copy_variables();

/// `_isopy_native.put_variable` and `unset_variable`, which `_isopy.variables` puts under `os.environ`; where
/// the platform's array of variables is not ours to write, none. False with an error set.
bool install_variables(const Gil& gil);

}  // namespace isopy
