// Documents from any line, label, metadata name and value: always JSON, with no key twice.

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "outputs/document/document_writer.h"

namespace {

bool HasKeyTwice(simdjson::dom::element element) {
  simdjson::dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) return false;
  std::set<std::string_view> keys;
  for (const auto& [key, value] : object) {
    if (!keys.insert(key).second || HasKeyTwice(value)) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= input.size() && parts.size() < 9;) {
    const std::size_t end = std::min(input.find('|', begin), input.size());
    parts.emplace_back(input.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.resize(9);
  agent::DocumentOptions options;
  options.layout = size % 2 == 0 ? agent::DocumentLayout::kEcs : agent::DocumentLayout::kFlat;
  options.fields = {{"*"}};
  if (size % 3 != 0) {
    options.json = agent::DocumentJson{
        .under_root = size % 5 != 0, .overwrite = size % 3 == 1, .add_error = true};
  }
  agent::LabelSets sets;
  agent::DocumentWriter writer(options, sets);
  agent::Labels labels;
  labels.Set(parts[1], parts[2]);
  labels.Set(parts[3], parts[4]);
  const std::vector<agent::Metadata> metadata = {{parts[5], parts[6]}};
  const std::vector<agent::Field> fields = {{parts[7], agent::Value::String(parts[8])}};
  const std::string padded = parts[0] + std::string(64, '"');
  agent::Entry entry;
  entry.line = std::string_view(padded).substr(0, parts[0].size());
  entry.labels = sets.Intern(labels);
  entry.metadata = metadata;
  entry.fields = fields;
  agent::GrowingBuffer to;
  writer.Append(to, entry, nullptr);
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(std::string(to.data(), to.size())).get(document) != simdjson::SUCCESS)
    __builtin_trap();
  if (HasKeyTwice(document)) __builtin_trap();
  return 0;
}
