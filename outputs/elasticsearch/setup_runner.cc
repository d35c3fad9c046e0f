#include "outputs/elasticsearch/setup_runner.h"

#include <chrono>
#include <utility>

#include "base/http/http_url.h"
#include "outputs/http_answer.h"

namespace agent::elasticsearch {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTimeout{30'000};
constexpr milliseconds kMinForbiddenWait{60'000};
constexpr milliseconds kMaxForbiddenWait{3'600'000};
// So long a receiver may answer without saying anything, before documents go on without it.
constexpr int64_t kMaxHeldNs = 60 * kNanosPerSecond;
constexpr std::size_t kKeepBytes = std::size_t{1} << 20;
constexpr std::size_t kTriesOnce = 3;

}  // namespace

SetupRunner::SetupRunner(const ElasticsearchOptions& options, const Dependencies& dependencies,
                         Random random, Mode mode)
    : options_(options),
      dependencies_(dependencies),
      mode_(mode),
      setup_(std::make_unique<Setup>(*options.setup)),
      client_(dependencies.loop, dependencies.clock, dependencies.logger, options.http),
      backoff_(options.min_backoff, options.max_backoff, Random(random.Next())),
      forbidden_wait_(kMinForbiddenWait, kMaxForbiddenWait, Random(random.Next())),
      timer_(dependencies.loop) {}

void SetupRunner::Start(std::function<void()> over) {
  on_over_ = std::move(over);
  Again(milliseconds(0));
}

void SetupRunner::Again(milliseconds delay) {
  timer_.StartOnce(delay, [this] {
    if (setup_->done()) {
      OnDone();
    } else {
      Send();
    }
  });
}

void SetupRunner::Send() {
  SetupCall call = setup_->Call();
  body_ = std::move(call.body);
  HttpRequest request;
  request.method = std::move(call.method);
  request.url = options_.hosts[host_] + call.path;
  request.body = body_;
  request.keep_bytes = kKeepBytes;
  request.timeout = kTimeout;
  if (!body_.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("User-Agent", options_.user_agent);
  request_ = client_.Send(std::move(request),
                          [this](const HttpResponse& response) { OnAnswer(response); });
}

void SetupRunner::OnAnswer(const HttpResponse& response) {
  request_.reset();
  if (response.status != 0 && first_answer_ns_ == 0)
    first_answer_ns_ = dependencies_.clock.MonotonicNanos();
  if (!setup_->OnAnswer(response)) return OnNothing(response);
  backoff_.Reset();
  failures_ = 0;
  last_error_.clear();
  Again(milliseconds(0));
}

// The next host may do better.
void SetupRunner::OnNothing(const HttpResponse& response) {
  last_error_ = Describe(response);
  host_ = (host_ + 1) % options_.hosts.size();
  ++failures_;
  if (mode_ == Mode::kOnce && failures_ >= kTriesOnce * options_.hosts.size()) return Over();
  const bool next_host = failures_ % options_.hosts.size() != 0;
  const milliseconds delay = next_host ? milliseconds(0) : backoff_.Next();
  if (mode_ == Mode::kForEver) {
    dependencies_.logger.WriteLimited(
        LogLevel::kWarn, "es_setup:" + options_.name, "elasticsearch",
        "template, policy and alias not set up yet, will retry",
        {{"output", options_.name}, {"error", last_error_}, {"wait_ms", delay.count()}});
  }
  Again(delay);
  const int64_t now = dependencies_.clock.MonotonicNanos();
  if (first_answer_ns_ != 0 && now - first_answer_ns_ > kMaxHeldNs) Over();
}

void SetupRunner::OnDone() {
  if (mode_ == Mode::kForEver) {
    LogNotes();
    if (setup_->anything_forbidden()) {
      setup_ = std::make_unique<Setup>(*options_.setup);
      Again(forbidden_wait_.Next());
    }
  }
  Over();
}

void SetupRunner::Over() {
  if (std::exchange(over_, true)) return;
  std::exchange(on_over_, nullptr)();
}

void SetupRunner::LogNotes() {
  for (const SetupNote& note : setup_->notes()) {
    if (!IsFailure(note.outcome)) {
      dependencies_.logger.Info("elasticsearch", "set up",
                                {{"output", options_.name},
                                 {"what", note.what},
                                 {"name", note.name},
                                 {"outcome", OutcomeName(note.outcome)},
                                 {"receiver", setup_->receiver()}});
      continue;
    }
    dependencies_.logger.WriteLimited(
        LogLevel::kWarn, "es_setup:" + options_.name + ":" + std::string(note.what),
        "elasticsearch", "cannot be set up: documents are sent all the same",
        {{"output", options_.name},
         {"what", note.what},
         {"name", note.name},
         {"error", note.detail},
         {"hint", note.outcome == SetupNote::Outcome::kForbidden
                      ? "give the privilege, or make it by hand: agent setup shows what is missing"
                      : "agent setup tries it at once, after a change"}});
  }
}

}  // namespace agent::elasticsearch
