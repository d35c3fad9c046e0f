// Promtail's configuration runs as it is. This gives the same one in the form that is recommended
// here, by changing the lines that need it, and says what will be different.

#pragma once

#include <string>

#include "agent/config/environment.h"
#include "agent/config/flags.h"
#include "agent/config/loader.h"
#include "agent/convert/finding.h"

namespace agent::convert {

// `file` is the text's name in messages. `flags` are those that Promtail is started with, judged as
// well; -config.expand-env says how the text is read. `check_stages` may be null.
Conversion ConvertPromtail(const std::string& file, const std::string& text, const Flags& flags,
                           const StageChecker& check_stages, const Environment& environment);

}  // namespace agent::convert
