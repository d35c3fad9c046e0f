#include "tests/agent/http/loopback_client.h"

#include <chrono>
#include <utility>

#include "base/check.h"

namespace agent {
namespace {

// A broken server must not hang the test.
constexpr std::chrono::seconds kPatience(20);

size_t Append(char* bytes, size_t size, size_t count, void* text) {
  static_cast<std::string*>(text)->append(bytes, size * count);
  return size * count;
}

}  // namespace

LoopbackClient::LoopbackClient(Loop& loop) : loop_(loop), multi_(curl_multi_init()) {}

LoopbackClient::~LoopbackClient() {
  if (easy_ != nullptr) End();
  curl_multi_cleanup(multi_);
}

void LoopbackClient::Begin(const std::string& url, const std::function<void(CURL*)>& prepare) {
  CHECK(easy_ == nullptr);
  answer_ = {};
  done_ = false;
  easy_ = curl_easy_init();
  curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &answer_.body);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, Append);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, &answer_.head);
  if (prepare) prepare(easy_);
  curl_multi_add_handle(multi_, easy_);
}

bool LoopbackClient::Turn() {
  int running = 0;
  for (int i = 0; i < 20 && !done_; ++i) {
    curl_multi_perform(multi_, &running);
    loop_.RunOnce();
    curl_multi_poll(multi_, nullptr, 0, /*timeout_ms=*/1, nullptr);
    int left = 0;
    if (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      answer_.error = message->data.result;
      done_ = true;
    }
  }
  return done_;
}

ClientAnswer LoopbackClient::End() {
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &answer_.status);
  curl_multi_remove_handle(multi_, easy_);
  curl_easy_cleanup(easy_);
  easy_ = nullptr;
  return std::move(answer_);
}

ClientAnswer LoopbackClient::Ask(const std::string& url,
                                 const std::function<void(CURL*)>& prepare) {
  Begin(url, prepare);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!Turn()) {
    if (std::chrono::steady_clock::now() < deadline) continue;
    answer_.error = CURLE_OPERATION_TIMEDOUT;
    break;
  }
  return End();
}

}  // namespace agent
