#include "base/http/http_auth.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/http/http_oauth2.h"
#include "base/read_file.h"

namespace agent {
namespace {

// The value, or what its file says now.
Result<std::string> ValueOrFile(const std::string& value, const std::string& file) {
  if (file.empty()) return value;
  return ReadSecretFile(file);
}

}  // namespace

std::string Base64(std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) {
      return at < bytes.size() ? uint32_t{static_cast<unsigned char>(bytes[at])} : 0U;
    };
    const uint32_t three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += kAlphabet[three >> 18];
    out += kAlphabet[three >> 12 & 63];
    out += i + 1 < bytes.size() ? kAlphabet[three >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? kAlphabet[three & 63] : '=';
  }
  return out;
}

HttpAuth::HttpAuth(Loop& loop, const Clock& clock, Logger& logger, HttpAuthOptions options)
    : options_(std::move(options)) {
  if (options_.kind == HttpAuthKind::kOauth2) {
    tokens_ = std::make_unique<Oauth2Tokens>(loop, clock, logger, options_.oauth2);
  }
}

HttpAuth::~HttpAuth() = default;

void HttpAuth::Authorize(std::function<void(Result<std::string>)> done) {
  if (tokens_ != nullptr) {
    tokens_->Get(std::move(done));
  } else {
    done(FromOptions());
  }
}

bool HttpAuth::ForgetToken() {
  return tokens_ != nullptr && tokens_->Forget();
}

Result<std::string> HttpAuth::FromOptions() const {
  if (options_.kind == HttpAuthKind::kBasic) {
    Result<std::string> username =
        ValueOrFile(options_.basic.username, options_.basic.username_file);
    if (!username.ok()) return username;
    Result<std::string> password =
        ValueOrFile(options_.basic.password, options_.basic.password_file);
    if (!password.ok()) return password;
    return "Basic " + Base64(*username + ":" + *password);
  }
  if (options_.kind == HttpAuthKind::kCredentials) {
    Result<std::string> credentials = ValueOrFile(options_.credentials, options_.credentials_file);
    if (!credentials.ok()) return credentials;
    return options_.type + " " + *credentials;
  }
  return std::string();
}

}  // namespace agent
