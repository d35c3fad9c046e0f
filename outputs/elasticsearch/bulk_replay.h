// Documents of the dead letter as bulk requests: the same index and id, `create`, so that what is
// stored already is not stored again.

#pragma once

#include <cstdint>
#include <string>

#include "outputs/document/document_replay.h"
#include "outputs/elasticsearch/elasticsearch_options.h"

namespace agent::elasticsearch {

class BulkReplay final : public DocumentReplay {
 public:
  BulkReplay(ElasticsearchOptions options, Dependencies dependencies);

  [[nodiscard]] std::string WhyNot(const ReplayedDocument& document) const override;
  void Add(const ReplayedDocument& document, const Entry& entry, int64_t now_ns) override;

 private:
  const ElasticsearchOptions options_;
};

}  // namespace agent::elasticsearch
