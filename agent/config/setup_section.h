// `setup` of an Elasticsearch output.

#pragma once

#include "agent/config/output_config.h"
#include "base/config/field_reader.h"

namespace agent {

// Reads `setup` out of the map of an `elasticsearch` output, nested or in Beats' spelling with dots
// (`setup.template.name`), into `config`, of which the rest has been read. With an alias, documents
// go to it.
void ReadSetup(FieldReader& fields, ElasticsearchConfig& config);

}  // namespace agent
