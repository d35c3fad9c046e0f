#include "base/http/http_oauth2.h"

#include <string_view>
#include <utility>

#include <simdjson.h>

#include "base/http/http_auth.h"
#include "base/http/http_client.h"
#include "base/read_file.h"

namespace agent {
namespace {

constexpr int64_t kRenewBeforeNs = 10 * kNanosPerSecond;

std::string FormEncoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

void AppendPair(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form += FormEncoded(name);
  form += '=';
  form += FormEncoded(value);
}

HttpOptions ClientOptions(const HttpOauth2Options& options) {
  HttpOptions client;
  client.tls = options.tls;
  client.proxy = options.proxy;
  return client;
}

}  // namespace

Oauth2Tokens::Oauth2Tokens(Loop& loop, const Clock& clock, Logger& logger,
                           HttpOauth2Options options)
    : clock_(clock),
      options_(std::move(options)),
      client_(std::make_unique<HttpClient>(loop, clock, logger, ClientOptions(options_))) {}

Oauth2Tokens::~Oauth2Tokens() = default;

void Oauth2Tokens::Get(Done done) {
  const bool expired = expires_ns_ != 0 && clock_.MonotonicNanos() >= expires_ns_ - kRenewBeforeNs;
  if (!token_.empty() && !expired) {
    used_ = true;
    done(token_);
    return;
  }
  waiting_.push_back(std::move(done));
  if (!fetching_) Fetch();
}

bool Oauth2Tokens::Forget() {
  const bool may_help = used_ && !token_.empty();
  token_.clear();
  return may_help;
}

void Oauth2Tokens::Fetch() {
  std::string secret = options_.client_secret;
  if (!options_.client_secret_file.empty()) {
    Result<std::string> read = ReadSecretFile(options_.client_secret_file);
    if (!read.ok()) {
      Finish(std::move(read).error());
      return;
    }
    secret = std::move(*read);
  }
  HttpRequest request;
  request.url = options_.token_url;
  request.keep_bytes = HttpClient::kMaxAnswerBytes;
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  form_.clear();
  AppendPair(form_, "grant_type", "client_credentials");
  if (style_ == Style::kHeader) {
    request.headers.emplace_back(
        "Authorization",
        "Basic " + Base64(FormEncoded(options_.client_id) + ":" + FormEncoded(secret)));
  } else {
    AppendPair(form_, "client_id", options_.client_id);
    AppendPair(form_, "client_secret", secret);
  }
  if (!options_.scopes.empty()) {
    std::string scopes;
    for (const std::string& scope : options_.scopes)
      scopes += (scopes.empty() ? "" : " ") + scope;
    AppendPair(form_, "scope", scopes);
  }
  for (const auto& [name, value] : options_.endpoint_params)
    AppendPair(form_, name, value);
  request.body = form_;
  fetching_ = true;
  client_->Send(std::move(request), [this](const HttpResponse& answer) { OnAnswer(answer); });
}

void Oauth2Tokens::OnAnswer(const HttpResponse& answer) {
  fetching_ = false;
  const bool refused = answer.status >= 400 && answer.status < 500;
  if (refused && !style_known_) {
    // Try the other way once; if that is refused too, the next fetch starts over.
    const bool first = style_ == Style::kHeader;
    style_ = first ? Style::kForm : Style::kHeader;
    if (first) {
      Fetch();
      return;
    }
  }
  Result<std::string> token = Parse(answer);
  if (token.ok()) {
    style_known_ = true;
    token_ = *token;
    used_ = false;
  }
  Finish(token);
}

Result<std::string> Oauth2Tokens::Parse(const HttpResponse& answer) {
  if (answer.status == 0) {
    return Error{ErrorCode::kUnavailable, "fetch oauth2 token: " + answer.error};
  }
  if (answer.status / 100 != 2) {
    return Error{ErrorCode::kPermission, "fetch oauth2 token: server returned HTTP status " +
                                             std::to_string(answer.status)};
  }
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::string_view token;
  if (parser.parse(simdjson::padded_string(answer.body)).get(document) != simdjson::SUCCESS ||
      document["access_token"].get(token) != simdjson::SUCCESS || token.empty()) {
    return Error{ErrorCode::kInvalid, "fetch oauth2 token: the answer has no access_token"};
  }
  std::string_view type;
  if (document["token_type"].get(type) != simdjson::SUCCESS || type.empty() || type == "bearer") {
    type = "Bearer";
  }
  int64_t seconds = 0;
  expires_ns_ = 0;
  if (document["expires_in"].get(seconds) == simdjson::SUCCESS && seconds > 0) {
    expires_ns_ = clock_.MonotonicNanos() + seconds * kNanosPerSecond;
  }
  return std::string(type) + " " + std::string(token);
}

void Oauth2Tokens::Finish(const Result<std::string>& token) {
  std::vector<Done> waiting;
  waiting.swap(waiting_);
  for (const Done& done : waiting)
    done(token);
}

}  // namespace agent
