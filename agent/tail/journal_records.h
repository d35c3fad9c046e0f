// What stands in the journal: see journal.h. Each of these appends one record.

#pragma once

#include <cstdint>
#include <string>

#include "agent/tail/journal.h"

namespace agent {

void EncodeSource(const SourceRecord& record, std::string& out);
// Only where its outputs have got to.
void EncodeSettled(const SourceRecord& record, std::string& out);
void EncodeForget(const SourceKey& key, std::string& out);
void EncodeWritten(const std::string& path, const WrittenPosition& written, std::string& out);
void EncodeForgetWritten(const std::string& path, std::string& out);
void EncodeCursor(const std::string& key, const std::string& value, std::string& out);
void EncodeCursorWritten(const std::string& key, const CursorRecord& record, std::string& out);
void EncodeForgetCursor(const std::string& key, std::string& out);

}  // namespace agent
