// What an Elasticsearch output is configured with.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/http/http_options.h"
#include "base/labels.h"
#include "outputs/document/document_options.h"
#include "outputs/elasticsearch/setup_options.h"
#include "outputs/event_pattern.h"

namespace agent {

enum class DocumentIdMode : uint8_t {
  kOffset,  // From where the entry came: sent again, it is known.
  kNone,    // The server's: what is sent again is there twice.
};

// An index for entries that meet a condition.
struct ConditionalIndex {
  EventPattern index;
  std::string field;                  // As in EventPattern's references.
  std::optional<std::string> equals;  // Of equals and contains, what is set.
  std::optional<std::string> contains;
};

struct ElasticsearchOptions {
  std::string name;
  std::vector<std::string> hosts;  // "http://h:9200/prefix"; at least one.
  bool load_balance = true;        // All in turn; else one, until it fails.
  std::size_t workers = 1;         // Requests at a time, for each host.

  EventPattern index;
  std::vector<ConditionalIndex> indices;  // The first that fits, before `index`.
  std::string index_fallback;             // Where a value is missing; empty: the dead letter.
  std::size_t max_indices_per_hour = 200;
  bool creates = false;  // A data stream: `create` alone is taken.
  bool require_alias = false;
  DocumentIdMode id_mode = DocumentIdMode::kOffset;
  std::string pipeline;  // Ingest pipeline; empty: none.
  // If not, `"errors": false` is believed of an answer that lists no documents.
  bool require_items = true;

  DocumentOptions document;
  std::size_t batch_bytes = std::size_t{5} << 20;  // Uncompressed.
  std::size_t batch_entries = 1600;
  std::chrono::milliseconds batch_wait{1'000};
  int compression_level = 1;  // 0: none.

  std::chrono::milliseconds min_backoff{1'000};
  std::chrono::milliseconds max_backoff{60'000};
  std::optional<int> max_retries;             // Attempts of a batch in all; unset: for ever.
  std::chrono::seconds max_item_retry{3600};  // Of an entry that alone is refused again and again.
  HttpOptions http;
  std::string user_agent;
  std::optional<SetupOptions> setup;  // What is made before documents come; unset: nothing.
};

}  // namespace agent
