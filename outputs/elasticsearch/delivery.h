// A batch on its way into Elasticsearch: what of it is still to be sent, and what an answer means
// for the rest. Decides, and sends nothing itself.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/http/http_client.h"
#include "base/log.h"
#include "base/random.h"
#include "outputs/batch.h"
#include "outputs/dead_letter.h"
#include "outputs/deflate.h"
#include "outputs/elasticsearch/bulk_answer.h"
#include "outputs/elasticsearch/bulk_body.h"
#include "outputs/elasticsearch/elasticsearch_options.h"
#include "outputs/output_counters.h"

namespace agent::elasticsearch {

// What the deliveries of an output know in common. Loop thread.
struct DeliveryContext {
  const ElasticsearchOptions& options;
  OutputCounters& counters;
  const Clock& clock;
  Logger& logger;
  DeadLetter& dead_letter;
  Deflater* deflater = nullptr;  // For what is sent again in part; null: bodies are not compressed.
  uint64_t accepted = 0;         // Answers so far that stored anything.
  bool gzip_refused = false;     // Bodies are sent as they are from now on.
  std::size_t max_raw_bytes = 0;  // A request of this size was too large; 0: none was.
  int64_t max_raw_until_ns = 0;   // And is forgotten then.
};

// What to do after an answer.
struct NextStep {
  enum class Kind : uint8_t {
    kSend,      // body() has more.
    kWaitThis,  // The same, after the delay; other batches go on.
    kWaitAll,   // The receiver asks everybody to wait.
    kDone,      // Finish() it.
  };
  Kind kind = Kind::kSend;
  std::chrono::milliseconds delay{0};  // With kSend: of the host that failed.
  bool host_failed = false;            // Another host may do better, at once.
  bool answer_is_bad = false;          // It has the status of success, and says nothing.
};

// Loop thread.
class Delivery {
 public:
  // `context` outlives it. `batch` stays in it until Finish() or Abandon().
  Delivery(Batch batch, DeliveryContext& context, Random random);
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  ~Delivery() = default;

  // Nothing is left to be sent: Finish() it.
  [[nodiscard]] bool done() const { return pieces_.empty(); }
  // What to send now; good until the next OnAnswer(). Counts as an attempt.
  std::string_view body();
  [[nodiscard]] bool compressed() const;
  NextStep OnAnswer(const HttpResponse& response);

  // Writes what was refused to the dead letter, and settles the batch.
  void Finish();
  // It stays unsettled, and is read again.
  void Abandon() { batch_.Abandon(); }

  [[nodiscard]] const Batch& batch() const { return batch_; }
  [[nodiscard]] uint32_t attempts() const { return pieces_.empty() ? 0 : pieces_.front().attempts; }
  // How often it has failed in a way that may be its own fault.
  [[nodiscard]] uint32_t suspicion() const {
    return pieces_.empty() ? 0 : pieces_.front().suspicion;
  }
  [[nodiscard]] bool holding() const { return holding_; }
  [[nodiscard]] const std::string& last_error() const { return last_error_; }

 private:
  // Documents that are sent together.
  struct Piece {
    std::vector<uint32_t> entries;  // Empty: the whole batch as it was encoded.
    Bytes body;                     // Of the entries; made when it is sent.
    uint32_t attempts = 0;
    uint32_t bad_answers = 0;
    uint32_t failures = 0;
    uint32_t suspicion = 0;
    uint64_t accepted_at_first_failure = 0;
    int64_t failing_since_ns = 0;  // 0: it is not.
  };
  struct Refusal {
    std::string_view category;
    std::string reason;
    uint16_t status = 0;
  };

  void RefuseUnsendable();
  bool TakeApart();
  [[nodiscard]] std::size_t PieceSize(const Piece& piece) const;
  // The piece's documents, by number. The batch has been taken apart.
  [[nodiscard]] std::vector<uint32_t> EntriesOf(const Piece& piece) const;
  void SplitToCeiling();

  NextStep OnItems(const std::vector<BulkItem>& items);
  NextStep OnBadAnswer(const Error& error);
  NextStep Smaller(std::string_view category, const HttpResponse& response);
  NextStep Retry(const HttpResponse& response, bool host_failed);
  NextStep Hold(std::string what);
  NextStep WithoutGzip(const HttpResponse& response);
  NextStep PieceDone();
  NextStep RefusePiece(std::string_view category, const std::string& reason, uint16_t status);
  std::optional<NextStep> HandledAsPoison(const HttpResponse& response, bool host_failed);
  NextStep RetryItems(const Piece& before, const std::vector<uint32_t>& entries,
                      const std::vector<uint32_t>& blocked);
  void CountStored(const std::vector<BulkItem>& items);
  [[nodiscard]] NextStep::Kind WhoWaits(const Piece& piece) const;
  void NoteFailure(Piece& piece) const;
  [[nodiscard]] bool Expired(const Piece& piece) const;
  [[nodiscard]] bool OthersPass(const Piece& piece) const;
  void Refuse(uint32_t entry, std::string_view category, std::string reason, uint16_t status);
  void LogRetry(std::chrono::milliseconds delay);
  void WriteDeadLetter();

  Batch batch_;
  DeliveryContext& context_;
  Backoff backoff_;
  Backoff hold_backoff_;
  std::deque<Piece> pieces_;
  std::optional<BulkBody> apart_;
  std::map<uint32_t, Refusal> refused_;  // By entry.
  bool holding_ = false;
  std::string last_error_;
};

}  // namespace agent::elasticsearch
