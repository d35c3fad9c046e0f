#include "outputs/elasticsearch/delivery.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "outputs/http_answer.h"

namespace agent::elasticsearch {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMinHold{60'000};  // Half of it at least, by the backoff's formula.
constexpr milliseconds kMaxHold{300'000};
// Answers that say nothing of the documents: after so many somebody has to look.
constexpr uint32_t kMaxBadAnswers = 10;
constexpr uint32_t kFailuresToSplit = 10;
constexpr uint32_t kAttemptsToBeAlone = 3;
constexpr uint16_t kNotFound = 404;
constexpr int64_t kCeilingKeptNs = 3600 * kNanosPerSecond;

std::string FirstWord(std::string_view reason) {
  return std::string(reason.substr(0, reason.find(':')));
}

// Of the id that we gave, and not of a field that is called so: `[_id]`, `user_id`.
bool IsAboutOurId(std::string_view reason) {
  constexpr std::string_view kId = "_id ";
  for (std::size_t at = reason.find(kId); at != std::string_view::npos;
       at = reason.find(kId, at + 1)) {
    if (at == 0 || reason[at - 1] == ' ') return true;
  }
  return false;
}

// Those of Elasticsearch and its kin are JSON; what stands before them speaks HTML or nothing.
bool IsOfProxy(const HttpResponse& response) {
  const std::size_t first = response.body.find_first_not_of(" \t\r\n");
  return first == std::string::npos || response.body[first] != '{';
}

std::string_view CategoryOf(uint16_t status) {
  switch (status) {
    case 400:
      return "mapping";
    case 403:
      return "not_allowed";
    case 404:
      return "index_missing";
    default:
      return "refused";
  }
}

}  // namespace

Delivery::Delivery(Batch batch, DeliveryContext& context, Random random)
    : batch_(std::move(batch)),
      context_(context),
      backoff_(context.options.min_backoff, context.options.max_backoff, Random(random.Next())),
      hold_backoff_(kMinHold, kMaxHold, Random(random.Next())) {
  pieces_.emplace_back();
  if (!batch_.unsendable.empty()) RefuseUnsendable();
  SplitToCeiling();
}

void Delivery::RefuseUnsendable() {
  for (const uint32_t entry : batch_.unsendable) {
    Refuse(entry, "no_index", "no index: a value is missing, or there are too many", 0);
  }
  std::vector<uint32_t> rest;
  for (uint32_t entry = 0; entry < batch_.entries(); ++entry) {
    if (refused_.find(entry) == refused_.end()) rest.push_back(entry);
  }
  pieces_.clear();
  if (!rest.empty()) pieces_.emplace_back().entries = std::move(rest);
}

// Not again what was too large for the receiver a moment ago.
void Delivery::SplitToCeiling() {
  const std::size_t ceiling =
      context_.clock.MonotonicNanos() < context_.max_raw_until_ns ? context_.max_raw_bytes : 0;
  if (ceiling == 0 || pieces_.empty() || batch_.raw_size < ceiling || !TakeApart()) return;
  const std::vector<uint32_t> entries = EntriesOf(pieces_.front());
  pieces_.clear();
  std::size_t bytes = 0;
  for (const uint32_t entry : entries) {
    const std::size_t size = apart_->RawSize({&entry, 1});
    if (pieces_.empty() || bytes + size >= ceiling) {
      pieces_.emplace_back();
      bytes = 0;
    }
    pieces_.back().entries.push_back(entry);
    bytes += size;
  }
}

// False when the body cannot be read, which is a bug: it is sent whole then.
bool Delivery::TakeApart() {
  if (apart_) return true;
  auto parsed =
      BulkBody::Parse(batch_.body, batch_.raw_size, context_.options.compression_level > 0);
  if (!parsed || parsed->size() != batch_.entries()) {
    context_.logger.WriteLimited(LogLevel::kError, "bulk_parse", "elasticsearch",
                                 "a batch of our own cannot be read: it is not split");
    return false;
  }
  apart_ = std::move(*parsed);
  batch_.memory.Resize(batch_.memory.bytes() + apart_->memory_bytes());
  return true;
}

std::size_t Delivery::PieceSize(const Piece& piece) const {
  return piece.entries.empty() ? batch_.entries() : piece.entries.size();
}

std::vector<uint32_t> Delivery::EntriesOf(const Piece& piece) const {
  if (!piece.entries.empty()) return piece.entries;
  std::vector<uint32_t> all(batch_.entries());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

bool Delivery::compressed() const {
  return context_.options.compression_level > 0 && !context_.gzip_refused;
}

std::string_view Delivery::body() {
  Piece& piece = pieces_.front();
  ++piece.attempts;
  holding_ = false;
  const bool as_encoded =
      piece.entries.empty() && compressed() == (context_.options.compression_level > 0);
  if (as_encoded || !TakeApart()) return {batch_.body.data.get(), batch_.body.size};
  piece.body = apart_->Encode(EntriesOf(piece), compressed() ? context_.deflater : nullptr);
  return {piece.body.data.get(), piece.body.size};
}

NextStep Delivery::OnAnswer(const HttpResponse& response) {
  Piece& piece = pieces_.front();
  if (piece.attempts > 1) {
    context_.counters.retried_entries.fetch_add(PieceSize(piece), std::memory_order_relaxed);
  }
  switch (response.status) {
    case 200: {
      auto items = ParseBulkAnswer(response.body, PieceSize(piece), context_.options.require_items);
      return items ? OnItems(*items) : OnBadAnswer(items.error());
    }
    case 400:
      // It has not seen the documents: none of them is at fault.
      if (IsOfProxy(response)) return Hold(Describe(response));
      return Smaller("bad_request", response);
    case 413:
      context_.max_raw_bytes = TakeApart() ? apart_->RawSize(EntriesOf(piece)) : batch_.raw_size;
      context_.max_raw_until_ns = context_.clock.MonotonicNanos() + kCeilingKeptNs;
      return Smaller("too_large", response);
    case 406:
    case 415:
      return WithoutGzip(response);
    case 429:
      return Retry(response, /*host_failed=*/false);
    case 0:
    case 408:
      return Retry(response, /*host_failed=*/true);
    default:
      break;
  }
  if (response.status >= 500) return Retry(response, /*host_failed=*/response.status != 500);
  return Hold(Describe(response));
}

NextStep Delivery::OnItems(const std::vector<BulkItem>& items) {
  const bool no_ids = std::all_of(items.begin(), items.end(), [](const BulkItem& item) {
    return item.verdict == ItemVerdict::kRefused && IsAboutOurId(item.reason);
  });
  if (no_ids && context_.options.id_mode == DocumentIdMode::kOffset) {
    // Every document there will be would go the same way.
    return Hold("the index takes no ids of ours; set id_mode: none (" + items.front().reason + ")");
  }
  const Piece piece = std::move(pieces_.front());
  pieces_.pop_front();
  const std::vector<uint32_t> entries = EntriesOf(piece);
  const bool expired = Expired(piece);
  std::vector<uint32_t> again;
  std::vector<uint32_t> blocked;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const BulkItem& item = items[i];
    if (item.verdict <= ItemVerdict::kDuplicate) continue;
    last_error_ = item.reason;
    const bool may_expire = item.verdict == ItemVerdict::kRetry || item.status == kNotFound;
    if (item.verdict == ItemVerdict::kRefused || (expired && may_expire)) {
      Refuse(entries[i], CategoryOf(item.status), item.reason, item.status);
    } else {
      (item.verdict == ItemVerdict::kRetry ? again : blocked).push_back(entries[i]);
    }
  }
  CountStored(items);
  if (again.empty() && blocked.empty()) return PieceDone();
  return RetryItems(piece, again, blocked);
}

void Delivery::CountStored(const std::vector<BulkItem>& items) {
  const auto count = [&items](ItemVerdict verdict) {
    return static_cast<uint64_t>(
        std::count_if(items.begin(), items.end(),
                      [verdict](const auto& item) { return item.verdict == verdict; }));
  };
  const uint64_t duplicates = count(ItemVerdict::kDuplicate);
  const uint64_t stored = count(ItemVerdict::kStored) + duplicates;
  context_.counters.duplicates.fetch_add(duplicates, std::memory_order_relaxed);
  context_.counters.sent_entries.fetch_add(stored, std::memory_order_relaxed);
  if (stored == 0) return;
  ++context_.accepted;
  backoff_.Reset();
}

// Others pass, and these have failed for so long that the fault is theirs.
bool Delivery::Expired(const Piece& piece) const {
  if (!OthersPass(piece)) return false;
  const int64_t age = context_.clock.MonotonicNanos() - piece.failing_since_ns;
  return age > std::chrono::nanoseconds(context_.options.max_item_retry).count();
}

// What was refused for now goes in front of what is left, in its order.
NextStep Delivery::RetryItems(const Piece& before, const std::vector<uint32_t>& entries,
                              const std::vector<uint32_t>& blocked) {
  Piece& piece = pieces_.emplace_front();
  piece.entries.resize(entries.size() + blocked.size());
  std::merge(entries.begin(), entries.end(), blocked.begin(), blocked.end(), piece.entries.begin());
  if (!TakeApart()) piece.entries.clear();
  piece.attempts = before.attempts;
  piece.suspicion = before.suspicion + 1;
  piece.failing_since_ns = before.failing_since_ns;
  piece.accepted_at_first_failure = before.accepted_at_first_failure;
  NoteFailure(piece);
  NextStep step;
  if (!entries.empty()) {
    step.kind = WhoWaits(piece);
    step.delay = backoff_.Next();
  } else {
    step.kind = NextStep::Kind::kWaitThis;
    step.delay = hold_backoff_.Next();
    holding_ = true;
  }
  LogRetry(step.delay);
  return step;
}

// A receiver that asks for less asks everybody; unless what others send passes all the time.
NextStep::Kind Delivery::WhoWaits(const Piece& piece) const {
  const bool alone = piece.attempts >= kAttemptsToBeAlone && OthersPass(piece);
  return alone ? NextStep::Kind::kWaitThis : NextStep::Kind::kWaitAll;
}

void Delivery::NoteFailure(Piece& piece) const {
  if (piece.failing_since_ns != 0) return;
  piece.failing_since_ns = context_.clock.MonotonicNanos();
  piece.accepted_at_first_failure = context_.accepted;
}

NextStep Delivery::PieceDone() {
  if (!pieces_.empty()) return {};
  return {.kind = NextStep::Kind::kDone};
}

// The receiver says yes, and nothing that fits the question.
NextStep Delivery::OnBadAnswer(const Error& error) {
  Piece& piece = pieces_.front();
  NextStep step;
  if (++piece.bad_answers > kMaxBadAnswers) {
    step = Hold(error.message);
  } else {
    last_error_ = error.message;
    ++piece.suspicion;
    step = {.kind = NextStep::Kind::kWaitAll, .delay = backoff_.Next()};
    LogRetry(step.delay);
  }
  step.answer_is_bad = true;
  return step;
}

// The request as a whole was refused, and nothing of it stored: find out which document it is.
NextStep Delivery::Smaller(std::string_view category, const HttpResponse& response) {
  last_error_ = Describe(response);
  Piece& piece = pieces_.front();
  if (PieceSize(piece) < 2 || !TakeApart()) {
    return RefusePiece(category, last_error_, static_cast<uint16_t>(response.status));
  }
  const std::vector<uint32_t> entries = EntriesOf(piece);
  const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(entries.size() / 2);
  pieces_.pop_front();
  pieces_.emplace_front().entries.assign(middle, entries.end());
  pieces_.emplace_front().entries.assign(entries.begin(), middle);
  return {};
}

NextStep Delivery::RefusePiece(std::string_view category, const std::string& reason,
                               uint16_t status) {
  for (const uint32_t entry : EntriesOf(pieces_.front()))
    Refuse(entry, category, reason, status);
  pieces_.pop_front();
  return PieceDone();
}

bool Delivery::OthersPass(const Piece& piece) const {
  return piece.failing_since_ns != 0 && context_.accepted > piece.accepted_at_first_failure;
}

NextStep Delivery::Retry(const HttpResponse& response, bool host_failed) {
  Piece& piece = pieces_.front();
  last_error_ = Describe(response);
  NoteFailure(piece);
  ++piece.failures;
  // Whatever else was to go to a host that cannot be reached would have fared like this.
  if (response.status != 0 || !response.never_sent) ++piece.suspicion;
  const int limit = context_.options.max_retries.value_or(0);
  if (limit > 0 && piece.attempts >= static_cast<uint32_t>(limit)) {
    return RefusePiece("max_retries", last_error_, static_cast<uint16_t>(response.status));
  }
  if (const auto handled = HandledAsPoison(response, host_failed)) return *handled;
  NextStep step{.kind = WhoWaits(piece), .delay = milliseconds(0), .host_failed = host_failed};
  // The pool waits for a host that failed; another one may take it now.
  if (host_failed) {
    step.kind = NextStep::Kind::kSend;
  } else {
    step.delay = backoff_.Next();
  }
  if (const auto asked = RetryAfter(response, context_.clock.WallNanos())) {
    step.delay = std::max(step.delay, backoff_.Jittered(*asked));
  }
  // How long a host is left alone the pool knows.
  if (!host_failed) LogRetry(step.delay);
  return step;
}

// What fails again and again while others pass is wrong itself.
std::optional<NextStep> Delivery::HandledAsPoison(const HttpResponse& response, bool host_failed) {
  const Piece& piece = pieces_.front();
  if (piece.failures < kFailuresToSplit || !OthersPass(piece)) return std::nullopt;
  NextStep step = Smaller("fails_always", response);
  step.host_failed = host_failed;
  return step;
}

NextStep Delivery::WithoutGzip(const HttpResponse& response) {
  if (!compressed()) return Hold(Describe(response));
  context_.gzip_refused = true;
  last_error_ = Describe(response);
  context_.logger.Warn("elasticsearch", "the receiver takes no gzip: bodies are sent uncompressed",
                       {{"output", context_.options.name}, {"error", last_error_}});
  return {};
}

// Credentials, address or permission: nothing is wrong with the documents.
NextStep Delivery::Hold(std::string what) {
  holding_ = true;
  last_error_ = std::move(what);
  context_.logger.WriteLimited(
      LogLevel::kError, "es_hold:" + context_.options.name, "elasticsearch",
      "receiver refuses everything: documents are kept, and tried now and then",
      {{"output", context_.options.name},
       {"error", last_error_},
       {"hint", "check hosts, credentials and privileges of the output"}});
  return {.kind = NextStep::Kind::kWaitAll, .delay = hold_backoff_.Next()};
}

void Delivery::Refuse(uint32_t entry, std::string_view category, std::string reason,
                      uint16_t status) {
  context_.counters.Refuse(category, 1);
  context_.logger.WriteLimited(
      LogLevel::kError, "es_refused:" + context_.options.name + ":" + FirstWord(reason),
      "elasticsearch", "a document is refused for good: it goes to the dead letter",
      {{"output", context_.options.name}, {"status", status}, {"reason", reason}});
  refused_[entry] = {category, std::move(reason), status};
}

void Delivery::LogRetry(milliseconds delay) {
  context_.logger.WriteLimited(
      LogLevel::kWarn, "es_retry:" + context_.options.name, "elasticsearch",
      "documents not stored yet, will retry",
      {{"output", context_.options.name}, {"error", last_error_}, {"wait_ms", delay.count()}});
}

void Delivery::Finish() {
  if (!refused_.empty()) WriteDeadLetter();
  std::vector<bool> refused;
  if (!refused_.empty()) {
    refused.resize(batch_.entries());
    for (const auto& [entry, refusal] : refused_)
      refused[entry] = true;
  }
  batch_.Settle(refused);
}

void Delivery::WriteDeadLetter() {
  if (!TakeApart()) return;
  std::vector<DeadLetterEntry> entries;
  std::deque<std::string> texts;  // What the entries point to.
  for (const auto& [number, refusal] : refused_) {
    const BulkBody::Document document = apart_->At(number);
    DeadLetterEntry& entry = entries.emplace_back();
    entry.reason = refusal.reason;
    entry.output = context_.options.name;
    entry.status = refusal.status;
    entry.index = texts.emplace_back(ActionValue(document.action, "_index"));
    entry.id = texts.emplace_back(ActionValue(document.action, "_id"));
    entry.document = document.document;
    const EntryOrigin& origin = batch_.origins[number];
    if (origin.pin != EntryOrigin::kNoPin) {
      const SourceProgress& source = *batch_.pins[origin.pin].progress;
      entry.job = source.job();
      entry.source = source.identity().name;
    }
    entry.offset = origin.offset;
  }
  if (context_.dead_letter.Append(entries)) {
    context_.counters.dead_lettered.fetch_add(entries.size(), std::memory_order_relaxed);
  }
}

}  // namespace agent::elasticsearch
