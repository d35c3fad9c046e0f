#include "discovery/kubernetes/reflector.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kMinBackoff{500};
constexpr milliseconds kMaxBackoff{30'000};
constexpr milliseconds kMaxRetryAfter{600'000};
constexpr milliseconds kListTimeout{60'000};
// How long a watch is asked to last: between one and two times that.
constexpr int kWatchSeconds = 180;
constexpr seconds kWatchGrace{30};
// A watch that ends sooner is not begun again at once.
constexpr int64_t kShortWatchNanos = 2 * kNanosPerSecond;
constexpr int64_t kDoubtNanos = 10 * kNanosPerSecond;
constexpr std::string_view kPageObjects = "500";

struct Path {
  std::string_view group;
  std::string_view plural;
};

Path PathOf(KubeKind kind) {
  switch (kind) {
    case KubeKind::kPod:
      return {"/api/v1", "pods"};
    case KubeKind::kNode:
      return {"/api/v1", "nodes"};
    case KubeKind::kNamespace:
      return {"/api/v1", "namespaces"};
    case KubeKind::kService:
      return {"/api/v1", "services"};
    case KubeKind::kEndpoints:
      return {"/api/v1", "endpoints"};
    case KubeKind::kEndpointSlice:
      return {"/apis/discovery.k8s.io/v1", "endpointslices"};
    case KubeKind::kIngress:
      break;
  }
  return {"/apis/networking.k8s.io/v1", "ingresses"};
}

std::string Encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kHex[byte >> 4U];
    encoded += kHex[byte & 0xfU];
  }
  return encoded;
}

void AddParameter(std::string& query, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  query += query.empty() ? '?' : '&';
  query.append(name).append("=").append(Encoded(value));
}

milliseconds RetryAfter(const HttpResponse& response) {
  const auto header = response.headers.find("retry-after");
  if (header == response.headers.end()) return milliseconds(0);
  uint32_t wait = 0;
  const std::string& text = header->second;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), wait);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return milliseconds(0);
  return std::min<milliseconds>(seconds(wait), kMaxRetryAfter);
}

std::string KeyOf(const KubeObject& object) {
  return object.ns + "/" + object.name;
}

}  // namespace

std::string KubeResource::Describe() const {
  std::string text(PathOf(kind).plural);
  if (!ns.empty()) text += " in namespace " + ns;
  for (const std::string& selector : {label_selector, field_selector}) {
    if (!selector.empty()) text += " with " + selector;
  }
  return text;
}

KubeReflector::KubeReflector(Dependencies dependencies, std::string server, KubeResource resource,
                             Random random, Events events)
    : dependencies_(dependencies),
      server_(std::move(server)),
      resource_(std::move(resource)),
      random_(random),
      events_(std::move(events)),
      backoff_(kMinBackoff, kMaxBackoff, Random(random_.Next())),
      timer_(dependencies.loop),
      report_timer_(dependencies.loop) {}

KubeReflector::~KubeReflector() {
  Stop();
}

void KubeReflector::Start() {
  Schedule(milliseconds(0), Next::kList);
}

void KubeReflector::Stop() {
  timer_.Stop();
  report_timer_.Stop();
  if (request_ != 0) dependencies_.client.Cancel(std::exchange(request_, 0));
}

void KubeReflector::Doubt() {
  const bool watching = request_ != 0 && watch_began_ns_ != 0 && end_watch_ == Next::kNone;
  if (!watching || dependencies_.clock.MonotonicNanos() - heard_ns_ < kDoubtNanos) return;
  EndWatch(Next::kWatch);
}

std::string KubeReflector::Url(const std::string& query) const {
  const Path path = PathOf(resource_.kind);
  std::string url = server_;
  url.append(path.group);
  if (!resource_.ns.empty()) url += "/namespaces/" + Encoded(resource_.ns);
  url.append("/").append(path.plural).append(query);
  return url;
}

// --- Listing.

void KubeReflector::List() {
  ++counters_.lists;
  watch_began_ns_ = 0;
  std::string query;
  AddParameter(query, "labelSelector", resource_.label_selector);
  AddParameter(query, "fieldSelector", resource_.field_selector);
  AddParameter(query, "limit", kPageObjects);
  if (!continue_.empty()) {
    AddParameter(query, "continue", continue_);
  } else if (!fresh_list_) {
    // What the server has in memory will do: a thousand agents may come at once.
    AddParameter(query, "resourceVersion", "0");
  }
  HttpRequest request;
  request.method = "GET";
  request.url = Url(query);
  request.headers = {{"Accept", "application/json"}, {"User-Agent", "log-agent"}};
  request.keep_bytes = kMaxListBytes;
  request.timeout = kListTimeout;
  request_ = dependencies_.client.Send(
      std::move(request), [this](const HttpResponse& response) { ListAnswered(response); });
}

void KubeReflector::ListAnswered(const HttpResponse& response) {
  request_ = 0;
  if (response.status != 200) {
    listed_.clear();
    const bool expired = response.status == 410;
    counters_.expired += expired ? 1 : 0;
    fresh_list_ = fresh_list_ || expired;
    continue_.clear();
    return Refused(response, Next::kList);
  }
  Result<KubeListPage> page = parser_.ParseList(resource_.kind, response.body);
  if (!page) {
    listed_.clear();
    continue_.clear();
    const bool too_big = response.body.size() >= kMaxListBytes;
    fresh_list_ = fresh_list_ || too_big;  // Such a list comes in pages.
    return Failed(too_big ? "the list is larger than 64 MiB" : page.error().message, Next::kList,
                  milliseconds(0));
  }
  counters_.ignored_objects += page->ignored;
  for (KubeObject& object : page->objects) {
    if (listed_.size() >= kMaxObjects) {
      ++counters_.ignored_objects;
      continue;
    }
    object.resource_version.clear();
    std::string key = KeyOf(object);
    listed_.insert_or_assign(std::move(key), std::move(object));
  }
  continue_ = page->next;
  version_ = page->resource_version;
  if (continue_.empty()) {
    ListComplete();
  } else {
    Schedule(milliseconds(0), Next::kList);
  }
}

void KubeReflector::ListComplete() {
  for (auto& [key, object] : objects_) {
    const auto now = listed_.find(key);
    if (now == listed_.end() || now->second.uid != object.uid) gone_.push_back(std::move(object));
  }
  objects_ = std::exchange(listed_, {});
  synced_ = true;
  fresh_list_ = false;
  list_after_watch_ = false;
  error_.clear();
  backoff_.Reset();
  Report();
  Schedule(milliseconds(0), Next::kWatch);
}

// --- Watching.

void KubeReflector::Watch() {
  ++counters_.watches;
  const int lasts = kWatchSeconds + static_cast<int>(random_.Uniform() * kWatchSeconds);
  std::string query = "?watch=true&allowWatchBookmarks=true";
  AddParameter(query, "labelSelector", resource_.label_selector);
  AddParameter(query, "fieldSelector", resource_.field_selector);
  AddParameter(query, "resourceVersion", version_);
  AddParameter(query, "timeoutSeconds", std::to_string(lasts));
  HttpRequest request;
  request.method = "GET";
  request.url = Url(query);
  request.headers = {{"Accept", "application/json"}, {"User-Agent", "log-agent"}};
  request.keep_bytes = std::size_t{16} << 10;
  request.timeout = seconds(lasts) + kWatchGrace;
  request.on_head = [this] {
    error_.clear();
    heard_ns_ = dependencies_.clock.MonotonicNanos();
  };
  request.on_data = [this](std::string_view bytes) { WatchData(bytes); };
  lines_ = KubeLines();
  end_watch_ = Next::kNone;
  watch_began_ns_ = dependencies_.clock.MonotonicNanos();
  heard_ns_ = watch_began_ns_;
  request_ = dependencies_.client.Send(
      std::move(request), [this](const HttpResponse& response) { WatchAnswered(response); });
}

// Called from within libcurl.
void KubeReflector::WatchData(std::string_view bytes) {
  heard_ns_ = dependencies_.clock.MonotonicNanos();
  if (end_watch_ != Next::kNone) return;
  if (!lines_.Feed(bytes, [this](std::string_view line) { return TakeEvent(line); }) &&
      end_watch_ == Next::kNone) {
    ++counters_.ignored_objects;
    fresh_list_ = true;
    error_ = "an event is larger than 16 MiB";
    EndWatch(Next::kList);
  }
}

bool KubeReflector::TakeEvent(std::string_view line) {
  Result<KubeEvent> event = parser_.ParseEvent(resource_.kind, line);
  if (!event) {
    // The next list shows what it was about.
    ++counters_.ignored_objects;
    list_after_watch_ = true;
    dependencies_.logger.WriteLimited(
        LogLevel::kWarn, "kubernetes_event:" + resource_.Describe(), "kubernetes",
        "an event of the API server is left out",
        {{"resource", resource_.Describe()}, {"error", event.error().message}});
    return true;
  }
  ++counters_.events;
  if (event->type != KubeEventType::kError) {
    backoff_.Reset();
    Apply(std::move(*event));
    return true;
  }
  if (event->code == 410) {
    ++counters_.expired;
    fresh_list_ = true;
    EndWatch(Next::kList);
  } else {
    error_ = "the watch ended with " + std::to_string(event->code) + ": " + event->message;
    EndWatch(Next::kWatch);
  }
  return false;
}

void KubeReflector::Apply(KubeEvent event) {
  KubeObject& object = event.object;
  if (!object.resource_version.empty())
    version_ = std::exchange(object.resource_version, std::string());
  if (event.type == KubeEventType::kBookmark) return;
  const std::string key = KeyOf(object);
  const auto known = objects_.find(key);
  if (event.type == KubeEventType::kDeleted) {
    // Its last state: labels may have come with it.
    gone_.push_back(std::move(object));
    if (known != objects_.end()) objects_.erase(known);
    return Report();
  }
  if (known != objects_.end()) {
    if (known->second == object) return;
    if (known->second.uid != object.uid) gone_.push_back(std::move(known->second));
    known->second = std::move(object);
  } else if (objects_.size() < kMaxObjects) {
    objects_.emplace(key, std::move(object));
  } else {
    ++counters_.ignored_objects;
    return;
  }
  Report();
}

// Not from within libcurl: on the loop's next turn.
void KubeReflector::EndWatch(Next next) {
  end_watch_ = next;
  timer_.StartOnce(milliseconds(0), [this] {
    if (request_ != 0) dependencies_.client.Cancel(std::exchange(request_, 0));
    const Next how = std::exchange(end_watch_, Next::kNone);
    if (error_.empty()) {
      Schedule(backoff_.Next(), how);
    } else {
      Failed(std::string(error_), how, milliseconds(0));
    }
  });
}

void KubeReflector::WatchAnswered(const HttpResponse& response) {
  request_ = 0;
  if (end_watch_ != Next::kNone) return;  // Its timer goes on.
  const bool short_lived =
      dependencies_.clock.MonotonicNanos() - watch_began_ns_ < kShortWatchNanos;
  watch_began_ns_ = 0;
  const Next next = list_after_watch_ ? Next::kList : Next::kWatch;
  fresh_list_ = fresh_list_ || list_after_watch_;
  if (response.status == 410) {
    ++counters_.expired;
    fresh_list_ = true;
    return Schedule(backoff_.Next(), Next::kList);
  }
  if (response.status != 200) return Refused(response, Next::kWatch);
  if (!response.error.empty() || lines_.has_rest()) {
    // Broken off, maybe in the middle of an event: it comes again, with all after the last whole
    // one.
    return Failed(response.error.empty() ? "the watch ended within an event" : response.error, next,
                  milliseconds(0));
  }
  Schedule(short_lived ? backoff_.Next() : milliseconds(0), next);
}

// --- When it does not go well.

void KubeReflector::Refused(const HttpResponse& response, Next next) {
  std::string error = response.error;
  if (response.status != 0) {
    error = response.status_text;
    const std::string message = parser_.StatusMessage(response.body);
    if (!message.empty()) error += ": " + message;
  }
  if (error.empty()) error = "no answer";
  if (response.status == 401 || response.status == 0) events_.refused();
  Failed(error, next, RetryAfter(response));
}

void KubeReflector::Failed(const std::string& error, Next next, milliseconds at_least) {
  ++counters_.failures;
  error_ = error;
  const milliseconds wait = std::max(backoff_.Next(), backoff_.Jittered(at_least));
  dependencies_.logger.WriteLimited(
      LogLevel::kWarn, "kubernetes_api:" + resource_.Describe(), "kubernetes",
      "the API server does not answer as it should; trying again",
      {{"resource", resource_.Describe()}, {"error", error}, {"wait_ms", wait.count()}});
  Schedule(wait, next);
}

void KubeReflector::Schedule(milliseconds wait, Next next) {
  timer_.StartOnce(wait, [this, next] {
    if (next == Next::kList) {
      List();
    } else {
      Watch();
    }
  });
}

void KubeReflector::Report() {
  if (report_timer_.active()) return;
  report_timer_.StartOnce(milliseconds(0), [this] { events_.changed(std::exchange(gone_, {})); });
}

}  // namespace agent
