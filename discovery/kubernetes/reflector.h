// A copy of the API server's objects of one kind, kept true: listed once, then watched. What breaks
// is begun again where it broke; what is too old to go on from is listed anew. While the server is
// away the copy stays as it was.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/http/http_client.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "discovery/kubernetes/objects.h"
#include "discovery/kubernetes/parse.h"

namespace agent {

// What is asked for.
struct KubeResource {
  KubeKind kind = KubeKind::kPod;
  std::string ns;  // Empty: all namespaces.
  std::string label_selector;
  std::string field_selector;

  // "pods in namespace x where spec.nodeName=y", for pages and logs.
  [[nodiscard]] std::string Describe() const;
};

struct KubeReflectorCounters {
  uint64_t lists = 0;            // Asked for.
  uint64_t watches = 0;          // Asked for.
  uint64_t events = 0;           // Bookmarks too.
  uint64_t failures = 0;         // Answers that were none.
  uint64_t expired = 0;          // Times that a version was too old.
  uint64_t ignored_objects = 0;  // Nonsense, or more than there is room for.
};

// Loop thread.
class KubeReflector {
 public:
  // By namespace and name, with a "/" between them.
  using Objects = std::map<std::string, KubeObject, std::less<>>;

  static constexpr std::size_t kMaxObjects = 100'000;
  static constexpr std::size_t kMaxListBytes = std::size_t{64} << 20;

  struct Dependencies {
    Loop& loop;
    const Clock& clock;
    Logger& logger;
    HttpClient& client;
  };
  struct Events {
    // The objects have changed; also after the first list when there are none. `gone` are those
    // that are no more, and those in whose place another one is.
    std::function<void(std::vector<KubeObject> gone)> changed;
    // The server did not let us in: what leads to it may have changed.
    std::function<void()> refused;
  };

  // `server` without a slash at its end. Calls back never from within a call.
  KubeReflector(Dependencies dependencies, std::string server, KubeResource resource, Random random,
                Events events);
  KubeReflector(const KubeReflector&) = delete;
  KubeReflector& operator=(const KubeReflector&) = delete;
  ~KubeReflector();

  void Start();
  void Stop();
  // There is something that a watch should have told of. If nothing came for a while the connection
  // may be dead without either side knowing: the watch is begun anew.
  void Doubt();

  [[nodiscard]] const Objects& objects() const { return objects_; }
  // It has been listed, if long ago.
  [[nodiscard]] bool synced() const { return synced_; }
  // The last answer was a good one.
  [[nodiscard]] bool well() const { return error_.empty() && synced_; }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const KubeResource& resource() const { return resource_; }
  [[nodiscard]] const KubeReflectorCounters& counters() const { return counters_; }

 private:
  enum class Next : uint8_t { kNone, kList, kWatch };

  void List();
  void Watch();
  [[nodiscard]] std::string Url(const std::string& query) const;
  void ListAnswered(const HttpResponse& response);
  void ListComplete();
  void WatchAnswered(const HttpResponse& response);
  void WatchData(std::string_view bytes);
  bool TakeEvent(std::string_view line);
  void Apply(KubeEvent event);
  void EndWatch(Next next);
  void Failed(const std::string& error, Next next, std::chrono::milliseconds at_least);
  void Refused(const HttpResponse& response, Next next);
  void Schedule(std::chrono::milliseconds wait, Next next);
  void Report();

  Dependencies dependencies_;
  const std::string server_;
  const KubeResource resource_;
  Random random_;
  const Events events_;
  Backoff backoff_;
  KubeParser parser_;
  KubeLines lines_;
  Timer timer_;         // The next attempt.
  Timer report_timer_;  // Tells of changes when libcurl has been left.

  Objects objects_;
  Objects listed_;  // By the list under way.
  std::string continue_;
  std::string version_;
  bool fresh_list_ = false;  // No old copy of the server will do.
  bool synced_ = false;
  std::string error_;
  HttpClient::Id request_ = 0;
  int64_t watch_began_ns_ = 0;
  int64_t heard_ns_ = 0;
  bool list_after_watch_ = false;
  Next end_watch_ = Next::kNone;  // How to go on: the watch under way is of no more use.
  std::vector<KubeObject> gone_;
  KubeReflectorCounters counters_;
};

}  // namespace agent
