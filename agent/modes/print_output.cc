#include "agent/modes/print_output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace agent {
namespace {

constexpr std::string_view kTimeColor = "\x1b[32m";
constexpr std::string_view kLabelsColor = "\x1b[36m";
constexpr std::string_view kNoColor = "\x1b[0m";

// A screenful comes out at once; a flood comes in pieces that do not tear lines apart.
constexpr std::size_t kMaxTextBytes = std::size_t{64} << 10;
// Nobody who watches wants to wait for a batch to fill.
constexpr int64_t kMaxWaitNs = 50 * kNanosPerMilli;

class PrintEncoder final : public Encoder {
 public:
  PrintEncoder(LabelSets& sets, BatchSink sink, bool color, std::size_t index, MemoryBudget& budget)
      : sets_(sets), sink_(std::move(sink)), color_(color), index_(index), budget_(budget) {}

  void BeginSource(std::shared_ptr<SourceProgress> progress) override {
    progress_ = std::move(progress);
  }

  void Add(const Entry& entry, int64_t now_ns) override {
    if (batch_.origins.empty()) due_ns_ = now_ns + kMaxWaitNs;
    Append(color_ ? kTimeColor : "", FormatEntryTime(entry.timestamp_ns));
    Append(color_ ? kLabelsColor : "", sets_.Text(entry.labels));
    text_.append(entry.line);
    text_ += '\n';
    Account(entry);
    if (text_.size() >= kMaxTextBytes) Flush(INT64_MAX);
  }

  [[nodiscard]] std::optional<int64_t> NextDeadline() const override {
    if (batch_.origins.empty()) return std::nullopt;
    return due_ns_;
  }

  void Flush(int64_t now_ns) override {
    if (batch_.origins.empty() || now_ns < due_ns_) return;
    batch_.output = index_;
    batch_.body.size = text_.size();
    batch_.body.data.reset(new char[text_.size()]);
    std::memcpy(batch_.body.data.get(), text_.data(), text_.size());
    batch_.memory = budget_.Reserve(text_.size());
    text_.clear();
    sink_(std::exchange(batch_, Batch()));
    pinned_ = nullptr;
  }

  void Abandon() override {
    text_.clear();
    std::exchange(batch_, Batch()).Abandon();
    pinned_ = nullptr;
  }

  [[nodiscard]] std::size_t open_bytes() const override { return text_.capacity(); }

 private:
  void Append(std::string_view color, std::string_view text) {
    text_.append(color);
    text_.append(text);
    if (!color.empty()) text_.append(kNoColor);
    text_ += '\t';
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
  const bool color_;
  const std::size_t index_;
  MemoryBudget& budget_;
  std::shared_ptr<SourceProgress> progress_;
  const SourceProgress* pinned_ = nullptr;  // Whose pin is the last one of the batch.
  std::string text_;
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

std::string FormatEntryTime(int64_t ns) {
  int64_t seconds = ns / kNanosPerSecond;
  int64_t nanos = ns % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  const auto time = static_cast<time_t>(seconds);
  std::tm local{};
  localtime_r(&time, &local);
  char text[64];
  std::string out(text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local));
  if (nanos > 0) {
    std::string fraction = std::to_string(nanos + kNanosPerSecond).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += '.';
    out += fraction;
  }
  out.append(text, std::strftime(text, sizeof(text), "%z", &local));
  return out;
}

PrintOutput::PrintOutput(int fd, bool color, std::size_t index, MemoryBudget& budget,
                         std::function<void()> closed)
    : fd_(fd), color_(color), index_(index), budget_(budget), closed_(std::move(closed)) {}

std::unique_ptr<Encoder> PrintOutput::MakeEncoder(LabelSets& sets, BatchSink sink) {
  return std::make_unique<PrintEncoder>(sets, std::move(sink), color_, index_, budget_);
}

void PrintOutput::Enqueue(Batch batch) {
  if (!WriteAll(fd_, batch.body.data.get(), batch.body.size)) {
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

void PrintOutput::CollectMetrics(MetricSink& sink) const {
  sink.Add("promtail_sent_entries_total", {name_}, static_cast<double>(entries_));
}

}  // namespace agent
