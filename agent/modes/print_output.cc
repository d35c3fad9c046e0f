#include "agent/modes/print_output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/modes/inspect/entry_line.h"
#include "base/clock.h"

namespace agent {
namespace {

// A screenful comes out at once; a flood comes in pieces that do not tear lines apart.
constexpr std::size_t kMaxTextBytes = std::size_t{64} << 10;
// Nobody who watches wants to wait for a batch to fill.
constexpr int64_t kMaxWaitNs = 50 * kNanosPerMilli;

// A batch's body is a row of pieces, each with where it goes and how long it is in front of it.
struct PieceHead {
  bool is_entries = false;  // Else it is what an inspector has to say.
  std::size_t size = 0;
};

class PieceWriter {
 public:
  void Append(bool is_entries, std::string_view text) {
    if (text.empty()) return;
    if (bytes_.empty() || head_.is_entries != is_entries) {
      at_ = bytes_.size();
      head_ = {is_entries, 0};
      bytes_.append(sizeof(PieceHead), '\0');
    }
    bytes_.append(text);
    head_.size += text.size();
    std::memcpy(bytes_.data() + at_, &head_, sizeof(head_));
  }
  void Clear() { bytes_.clear(); }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t at_ = 0;  // Of the last piece.
  PieceHead head_;      // Of the last piece.
};

// Takes the first piece off.
PieceHead TakePiece(std::string_view& bytes, std::string_view& text) {
  PieceHead head;
  std::memcpy(&head, bytes.data(), sizeof(head));
  text = bytes.substr(sizeof(head), head.size);
  bytes.remove_prefix(sizeof(head) + head.size);
  return head;
}

class PrintEncoder final : public Encoder {
 public:
  PrintEncoder(LabelSets& sets, BatchSink sink, const PrintOptions& options, std::size_t index,
               MemoryBudget& budget)
      : sets_(sets), sink_(std::move(sink)), options_(options), index_(index), budget_(budget) {}

  void BeginSource(std::shared_ptr<SourceProgress> progress) override {
    progress_ = std::move(progress);
  }

  void Add(const Entry& entry, int64_t now_ns) override {
    if (pieces_.bytes().empty()) due_ns_ = now_ns + kMaxWaitNs;
    if (options_.inspector != nullptr) pieces_.Append(false, options_.inspector->TakeNext());
    line_.clear();
    AppendEntryLine(entry.timestamp_ns, sets_.Text(entry.labels), entry.line, options_.color,
                    line_);
    pieces_.Append(true, line_);
    Account(entry);
    if (pieces_.bytes().size() >= kMaxTextBytes) HandOver();
  }

  [[nodiscard]] std::optional<int64_t> NextDeadline() const override {
    if (pieces_.bytes().empty()) return std::nullopt;
    return due_ns_;
  }

  void Flush(int64_t now_ns) override {
    // What is told of entries that have not come here (dropped, kept back) comes behind the others.
    if (options_.inspector != nullptr) {
      if (pieces_.bytes().empty()) due_ns_ = 0;
      pieces_.Append(false, options_.inspector->TakeOthers());
    }
    if (!pieces_.bytes().empty() && now_ns >= due_ns_) HandOver();
  }

  void Abandon() override {
    pieces_.Clear();
    std::exchange(batch_, Batch()).Abandon();
    pinned_ = nullptr;
  }

  [[nodiscard]] std::size_t open_bytes() const override { return pieces_.bytes().capacity(); }

 private:
  void HandOver() {
    const std::string& bytes = pieces_.bytes();
    batch_.output = index_;
    batch_.body.size = bytes.size();
    batch_.body.data.reset(new char[bytes.size()]);
    std::memcpy(batch_.body.data.get(), bytes.data(), bytes.size());
    batch_.memory = budget_.Reserve(bytes.size());
    pieces_.Clear();
    sink_(std::exchange(batch_, Batch()));
    pinned_ = nullptr;
  }

  void Account(const Entry& entry) {
    EntryOrigin origin;
    if (entry.source_bytes > 0) {
      if (pinned_ != progress_.get()) {
        batch_.pins.push_back({progress_, progress_->Pin(index_, entry.offset)});
        pinned_ = progress_.get();
      }
      origin.pin = static_cast<uint32_t>(batch_.pins.size() - 1);
      origin.source_bytes = entry.source_bytes;
      origin.offset = entry.offset;
    }
    for (const auto& held : entry.holds) {
      batch_.holds.push_back({static_cast<uint32_t>(batch_.origins.size()), held});
    }
    batch_.origins.push_back(origin);
  }

  LabelSets& sets_;
  BatchSink sink_;
  const PrintOptions options_;
  const std::size_t index_;
  MemoryBudget& budget_;
  std::shared_ptr<SourceProgress> progress_;
  const SourceProgress* pinned_ = nullptr;  // Whose pin is the last one of the batch.
  PieceWriter pieces_;
  std::string line_;
  Batch batch_;
  int64_t due_ns_ = 0;
};

// Writes all of it. False when nobody reads any more.
bool WriteAll(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written >= 0) {
      data += written;
      size -= static_cast<std::size_t>(written);
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

PrintOutput::PrintOutput(const PrintOptions& options, std::size_t index, MemoryBudget& budget,
                         std::function<void()> closed)
    : options_(options), index_(index), budget_(budget), closed_(std::move(closed)) {}

std::unique_ptr<Encoder> PrintOutput::MakeEncoder(LabelSets& sets, BatchSink sink) {
  return std::make_unique<PrintEncoder>(sets, std::move(sink), options_, index_, budget_);
}

void PrintOutput::Enqueue(Batch batch) {
  std::string_view bytes(batch.body.data.get(), batch.body.size);
  while (!bytes.empty()) {
    std::string_view text;
    const bool is_entries = TakePiece(bytes, text).is_entries;
    const bool written =
        WriteAll(is_entries ? options_.entries_fd : options_.stories_fd, text.data(), text.size());
    if (written || !is_entries) continue;
    batch.Abandon();
    if (closed_) std::exchange(closed_, nullptr)();
    return;
  }
  entries_ += batch.entries();
  batch.Settle();
}

void PrintOutput::Drain(std::chrono::milliseconds /*deadline*/, std::function<void()> done) {
  done();
}

OutputTotals PrintOutput::Totals() const {
  return {.sent_entries = entries_};
}

void PrintOutput::CollectMetrics(MetricSink& sink) const {
  sink.Add("promtail_sent_entries_total", {name_}, static_cast<double>(entries_));
}

}  // namespace agent
