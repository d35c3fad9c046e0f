// A configuration out of Filebeat's: inputs become jobs, its output an output, what their events
// have beside the line is put into `document`. Whatever has no equivalent is named.

#pragma once

#include <string>

#include "agent/convert/finding.h"

namespace agent::convert {

// `file` is the text's name in messages.
Conversion ConvertFilebeat(const std::string& file, const std::string& text);

}  // namespace agent::convert
