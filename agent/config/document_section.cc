// `document` of an output: what its documents are made of.

#include <array>
#include <string>
#include <string_view>

#include "agent/config/sections.h"

namespace agent {
namespace {

void CheckFields(FieldReader& fields, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::size_t colon = name.rfind(':');
    if (name.empty() || colon == 0) fields.Error("fields", "a field needs a name");
    if (colon == std::string::npos) continue;
    const std::string type = name.substr(colon + 1);
    if (type == "int" || type == "float" || type == "bool" || type == "string") continue;
    fields.Error("fields", "'" + type + "' is no type",
                 "NAME:TYPE with int, float, bool or string");
  }
}

std::optional<DocumentJsonConfig> ReadJson(FieldReader& parent) {
  const ConfigNode* const node = parent.Node("json");
  if (node == nullptr) return std::nullopt;
  DocumentJsonConfig json;
  if (node->is_null()) return json;
  FieldReader fields(*node, parent.PathOf("json"), parent.problems());
  json.keys_under_root = fields.Bool("keys_under_root", false);
  json.overwrite_keys = fields.Bool("overwrite_keys", false);
  json.add_error_key = fields.Bool("add_error_key", false);
  json.drop_line = fields.Bool("drop_line", false);
  fields.Finish();
  return json;
}

}  // namespace

DocumentConfig ReadDocument(FieldReader& parent) {
  DocumentConfig document;
  const ConfigNode* const node = parent.Node("document");
  if (node == nullptr || node->is_null()) return document;
  FieldReader fields(*node, parent.PathOf("document"), parent.problems());
  document.layout = fields.Choice("layout", "ecs", {"ecs", "flat", "raw"});
  document.fields = fields.StringList("fields");
  CheckFields(fields, document.fields);
  document.fields_target = fields.String("fields_target");
  document.metadata_target = fields.String("metadata_target", document.metadata_target);
  document.json = ReadJson(fields);
  if (document.json && document.layout == "raw") {
    fields.Error("json", "the raw layout sends JSON lines as they are", "use layout: flat");
  }
  document.tags = fields.StringList("tags");
  document.add = fields.StringMap("add", /*null_as_empty=*/true);
  document.remove = fields.StringList("remove");
  document.rename = fields.StringMap("rename", /*null_as_empty=*/true);
  document.de_dot = fields.String("de_dot");
  if (document.de_dot.size() > 1 || document.de_dot == ".") {
    fields.Error("de_dot", "one character, and no dot", "de_dot: _");
  }
  document.max_message_bytes = fields.Size("max_message_size", 0);
  fields.Finish();
  return document;
}

}  // namespace agent
