// The Authorization header: basic, a token, or OAuth 2.0. Files are read again for each request.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/http/http_options.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/result.h"

namespace agent {

class Oauth2Tokens;

std::string Base64(std::string_view bytes);

// Loop thread.
class HttpAuth {
 public:
  HttpAuth(Loop& loop, const Clock& clock, Logger& logger, HttpAuthOptions options);
  HttpAuth(const HttpAuth&) = delete;
  HttpAuth& operator=(const HttpAuth&) = delete;
  ~HttpAuth();  // Callbacks that wait are not called.

  // Calls back, maybe at once, with the header's value; empty: no header.
  void Authorize(std::function<void(Result<std::string>)> done);

  // The receiver said 401. True: a token was forgotten, and a request with a new one may pass.
  bool ForgetToken();

 private:
  Result<std::string> FromOptions() const;

  const HttpAuthOptions options_;
  std::unique_ptr<Oauth2Tokens> tokens_;  // For OAuth 2.0 only.
};

}  // namespace agent
