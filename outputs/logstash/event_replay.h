// Events of the dead letter as lumberjack's frames.

#pragma once

#include <cstdint>
#include <string>

#include "outputs/document/document_replay.h"
#include "outputs/logstash/lumberjack_options.h"

namespace agent::logstash {

class EventReplay final : public DocumentReplay {
 public:
  EventReplay(LumberjackOptions options, Dependencies dependencies);

  // What was not meant for Logstash has no `@metadata`, of which its outputs make names.
  [[nodiscard]] std::string WhyNot(const ReplayedDocument& document) const override;
  void Add(const ReplayedDocument& document, const Entry& entry, int64_t now_ns) override;

 private:
  const LumberjackOptions options_;
  uint32_t sequence_ = 0;
};

}  // namespace agent::logstash
