// Documents of the dead letter as lines.

#pragma once

#include <cstdint>
#include <string>

#include "outputs/document/document_replay.h"
#include "outputs/json_lines/json_lines_options.h"

namespace agent::json_lines {

class LineReplay final : public DocumentReplay {
 public:
  LineReplay(JsonLinesOptions options, Dependencies dependencies);

  [[nodiscard]] std::string WhyNot(const ReplayedDocument& document) const override;
  void Add(const ReplayedDocument& document, const Entry& entry, int64_t now_ns) override;

 private:
  const JsonLinesOptions options_;
};

}  // namespace agent::json_lines
