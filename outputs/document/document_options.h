// What a document is made of.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace agent {

enum class DocumentLayout : uint8_t {
  kEcs,   // The Elastic Common Schema.
  kFlat,  // Labels, metadata and fields at the root.
  kRaw,   // A line that is a JSON object, with a time added; others as kFlat has them.
};

// What an extracted value becomes.
enum class FieldType : uint8_t { kAsExtracted, kInteger, kFloat, kBool, kString };

struct DocumentField {
  std::string name;  // "*": all that there are.
  FieldType type = FieldType::kAsExtracted;
};

// What becomes of a line that is a JSON object.
struct DocumentJson {
  bool under_root = false;  // Its members stand at the root; else under `json`.
  bool overwrite = false;   // Of two values for one place, the line's stays.
  bool add_error = false;   // A line that is none gets an `error.message`.
  bool drop_line = false;   // `message` is what the object says, and absent where it says nothing.
};

struct DocumentOptions {
  DocumentLayout layout = DocumentLayout::kEcs;
  std::vector<DocumentField> fields;         // Extracted values.
  std::string fields_target;                 // Where they go; empty: the root.
  std::string metadata_target = "metadata";  // Structured metadata; kEcs alone.
  std::optional<DocumentJson> json;          // Lines are decoded; not with kRaw.
  std::vector<std::string> tags;
  // Constants: path and text.
  std::vector<std::pair<std::string, std::string>> add;
  std::vector<std::string> remove;                          // Paths, with what is below them.
  std::vector<std::pair<std::string, std::string>> rename;  // From path to path.
  char de_dot =
      '\0';  // Takes the place of dots in names of metadata and fields; 0: they make objects.
  // Names that Logstash does not get along with are changed: `[` and `]`, and those that mean
  // something to it.
  bool for_logstash = false;
  std::size_t max_message_bytes = 0;  // A longer line is cut; 0: no limit.

  std::string host_name;
  std::string agent_version;
};

}  // namespace agent
