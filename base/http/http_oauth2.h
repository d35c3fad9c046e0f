// Tokens by OAuth 2.0's client credentials flow: fetched when needed, kept until shortly before
// they end.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/http/http_options.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/result.h"

namespace agent {

class HttpClient;
struct HttpResponse;

// Loop thread.
class Oauth2Tokens {
 public:
  using Done = std::function<void(Result<std::string>)>;

  Oauth2Tokens(Loop& loop, const Clock& clock, Logger& logger, HttpOauth2Options options);
  Oauth2Tokens(const Oauth2Tokens&) = delete;
  Oauth2Tokens& operator=(const Oauth2Tokens&) = delete;
  ~Oauth2Tokens();  // Callbacks that wait are not called.

  // Calls back, maybe at once, with "TYPE TOKEN". All who ask while one is fetched get the same
  // one.
  void Get(Done done);
  // Drops the token. False when there was none, or it had only just been fetched.
  bool Forget();

 private:
  // Where the client's name and secret go: receivers take one or the other.
  enum class Style { kHeader, kForm };

  void Fetch();
  void OnAnswer(const HttpResponse& answer);
  Result<std::string> Parse(const HttpResponse& answer);
  void Finish(const Result<std::string>& token);

  const Clock& clock_;
  const HttpOauth2Options options_;
  std::unique_ptr<HttpClient> client_;
  Style style_ = Style::kHeader;
  bool style_known_ = false;
  bool fetching_ = false;
  std::string form_;
  std::string token_;
  int64_t expires_ns_ = 0;  // Monotonic; 0: never.
  bool used_ = false;       // The token has been handed out more than once.
  std::vector<Done> waiting_;
};

}  // namespace agent
