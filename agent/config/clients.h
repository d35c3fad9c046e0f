// The clients of a configuration as a whole: the list, the old single one, the one of the flags;
// labels for all of them; names.

#pragma once

#include <vector>

#include "agent/config/config.h"
#include "agent/config/flags.h"
#include "base/config/field_reader.h"

namespace agent {

// Reads `clients` and `client` of the file's top level, which `fields` reads.
std::vector<ClientConfig> ReadClients(const Flags& flags, FieldReader& fields);

}  // namespace agent
