#include "outputs/file/entry_format.h"

#include <algorithm>
#include <string_view>

#include "outputs/document/json_text.h"

namespace agent::file {
namespace {

bool NeedsQuotes(std::string_view text) {
  return text.empty() || std::any_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte <= 0x20 || byte >= 0x7f || c == '=' || c == '"' || c == '\\';
         });
}

void AppendKey(GrowingBuffer& to, std::string_view key) {
  to.Append(" ");
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte > 0x20 && byte < 0x7f && c != '=' && c != '"';
    to.Append(plain ? std::string_view(&c, 1) : "_");
  }
  if (key.empty()) to.Append("_");
  to.Append("=");
}

void AppendPair(GrowingBuffer& to, std::string_view key, std::string_view value) {
  AppendKey(to, key);
  if (NeedsQuotes(value)) {
    AppendJsonString(to, value);
  } else {
    to.Append(value);
  }
}

}  // namespace

EntryFormat::EntryFormat(const FileOptions& options, LabelSets& sets)
    : format_(options.format), sets_(sets), writer_(options.document, sets) {}

void EntryFormat::Append(GrowingBuffer& to, const Entry& entry, const SourceProgress* source) {
  switch (format_) {
    case FileFormat::kNdjson:
      writer_.Append(to, entry, source);
      break;
    case FileFormat::kLogfmt:
      AppendLogfmt(to, entry);
      break;
    case FileFormat::kRaw:
      to.Append(entry.line);
      // Of a Docker log with its own newline, say.
      if (entry.line.ends_with('\n')) return;
      break;
  }
  to.Append("\n");
}

void EntryFormat::AppendLogfmt(GrowingBuffer& to, const Entry& entry) {
  to.Append("time=");
  const std::size_t begin = to.size();
  AppendJsonTime(to, entry.timestamp_ns);
  // Without the quotes.
  char* const time = to.data() + begin;
  const std::size_t size = to.size() - begin - 2;
  std::copy(time + 1, time + 1 + size, time);
  to.ShrinkTo(begin + size);
  to.Append(LabelText(entry.labels));
  for (const Metadata& pair : entry.metadata)
    AppendPair(to, pair.name, pair.value);
  std::string_view line = entry.line;
  while (line.ends_with('\n'))
    line.remove_suffix(1);
  AppendPair(to, "line", line);
}

const std::string& EntryFormat::LabelText(LabelSetId labels) {
  const bool known = has_text_ && text_of_ == labels && epoch_ == sets_.epoch();
  if (known) return text_;
  GrowingBuffer text;
  for (const Label& label : sets_.Get(labels))
    AppendPair(text, label.name, label.value);
  text_.assign(text.data(), text.size());
  has_text_ = true;
  text_of_ = labels;
  epoch_ = sets_.epoch();
  return text_;
}

}  // namespace agent::file
