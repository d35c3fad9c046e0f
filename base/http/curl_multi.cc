#include "base/http/curl_multi.h"

#include <chrono>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "base/check.h"

namespace agent {
namespace {

// Idle connections kept; an output talks to one host, with one request for each tenant.
constexpr long kMaxConnections = 32;

// libcurl wants this once before anything else; a local static is set up by one thread only.
void InitCurl() {
  static const CURLcode kCode = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(kCode == CURLE_OK);
}

CURLM* MakeMulti() {
  InitCurl();
  CURLM* multi = curl_multi_init();
  CHECK(multi != nullptr);
  return multi;
}

}  // namespace

CurlMulti::CurlMulti(Loop& loop, std::function<void(CURL*, int)> finished)
    : loop_(loop), finished_(std::move(finished)), multi_(MakeMulti()), timer_(loop) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxConnections);
}

CurlMulti::~CurlMulti() {
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
  curl_multi_cleanup(multi_);
}

void CurlMulti::Add(CURL* easy) {
  CHECK(curl_multi_add_handle(multi_, easy) == CURLM_OK);
}

void CurlMulti::Remove(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);
}

int CurlMulti::OnSocket(CURL* /*easy*/, int socket, int what, void* self, void* /*watcher*/) {
  auto& multi = *static_cast<CurlMulti*>(self);
  if (what == CURL_POLL_REMOVE) {
    multi.watchers_.erase(socket);
    return 0;
  }
  std::unique_ptr<FdWatcher>& watcher = multi.watchers_[socket];
  if (watcher == nullptr) watcher = std::make_unique<FdWatcher>(multi.loop_, socket);
  int events = 0;
  if (what != CURL_POLL_OUT) events |= UV_READABLE;
  if (what != CURL_POLL_IN) events |= UV_WRITABLE;
  watcher->Start(events, [&multi, socket](int status, int ready) {
    int action = status < 0 ? CURL_CSELECT_ERR : 0;
    if ((ready & UV_READABLE) != 0) action |= CURL_CSELECT_IN;
    if ((ready & UV_WRITABLE) != 0) action |= CURL_CSELECT_OUT;
    multi.Act(socket, action);
  });
  return 0;
}

int CurlMulti::OnTimer(CURLM* /*multi*/, long timeout_ms, void* self) {
  auto& multi = *static_cast<CurlMulti*>(self);
  if (timeout_ms < 0) {
    multi.timer_.Stop();
  } else {
    multi.timer_.StartOnce(std::chrono::milliseconds(timeout_ms),
                           [&multi] { multi.Act(CURL_SOCKET_TIMEOUT, 0); });
  }
  return 0;
}

void CurlMulti::Act(int socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, events, &running);
  ReapFinished();
}

void CurlMulti::ReapFinished() {
  // A message is gone with its handle: take what it says first.
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const int code = message->data.result;
    curl_multi_remove_handle(multi_, easy);
    finished_(easy, code);
  }
}

}  // namespace agent
