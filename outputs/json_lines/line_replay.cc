#include "outputs/json_lines/line_replay.h"

#include <utility>

namespace agent::json_lines {

LineReplay::LineReplay(JsonLinesOptions options, Dependencies dependencies)
    : DocumentReplay({options.batch_bytes, options.batch_entries, options.batch_wait},
                     std::move(dependencies), nullptr),
      options_(std::move(options)) {}

std::string LineReplay::WhyNot(const ReplayedDocument& document) const {
  if (document.document.size() <= options_.max_line_bytes) return {};
  return "the document is longer than max_line_size of '" + options_.name + "'";
}

void LineReplay::Add(const ReplayedDocument& document, const Entry& entry, int64_t now_ns) {
  GrowingBuffer& to = batch().Begin();
  to.Append(document.document);
  to.Append("\n");
  batch().End(source(), entry, now_ns);
}

}  // namespace agent::json_lines
