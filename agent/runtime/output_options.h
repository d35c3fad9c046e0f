// From what the configuration says of `outputs` to what they are made from.

#pragma once

#include <string>

#include "agent/config/config.h"
#include "outputs/document/document_options.h"
#include "outputs/elasticsearch/elasticsearch_options.h"
#include "outputs/file/file_options.h"
#include "outputs/logstash/lumberjack_options.h"

namespace agent {

// `host`: of this machine, for documents.
ElasticsearchOptions ToElasticsearchOptions(const OutputConfig& output, const std::string& host);
// Of `file` or `stdout`.
FileOptions ToFileOptions(const OutputConfig& output, const std::string& host);
LumberjackOptions ToLumberjackOptions(const OutputConfig& output, const std::string& host);
DocumentOptions ToDocumentOptions(const DocumentConfig& config, const std::string& host);

}  // namespace agent
