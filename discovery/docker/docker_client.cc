#include "discovery/docker/docker_client.h"

#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

namespace agent {
namespace {

// A list of ten thousand containers takes a third of it.
constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 20;

Error ToError(const HttpResponse& response) {
  if (response.status == 0) {
    const bool denied = response.error.find("denied") != std::string::npos;
    return {denied ? ErrorCode::kPermission : ErrorCode::kUnavailable, response.error};
  }
  if (response.status / 100 == 2) {
    if (response.error.empty()) return {ErrorCode::kIo, "the daemon ended the answer"};
    return {ErrorCode::kUnavailable, response.error};
  }
  ErrorCode code = ErrorCode::kUnavailable;
  if (response.status == 404) code = ErrorCode::kNotFound;
  if (response.status == 401 || response.status == 403) code = ErrorCode::kPermission;
  return {code, response.status_text + ": " + response.body.substr(0, 300)};
}

void AppendJsonString(std::string_view text, std::string& json) {
  json += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      json += escaped.data();
    } else {
      json += c;
    }
  }
  json += '"';
}

}  // namespace

DockerClient::DockerClient(Loop& loop, const Clock& clock, Logger& logger,
                           const DockerOptions& options)
    : base_url_(options.base_url), http_(loop, clock, logger, options.http) {}

HttpRequest DockerClient::Request(const std::string& path) const {
  HttpRequest request;
  request.method = "GET";
  request.url = base_url_ + path;
  request.headers = {{"User-Agent", "log-agent/" AGENT_VERSION}};
  request.keep_bytes = kMaxAnswerBytes;
  return request;
}

void DockerClient::Get(const std::string& path, std::function<void(Result<std::string>)> done) {
  http_.Send(Request(path), [done = std::move(done)](const HttpResponse& response) {
    if (response.status == 200) {
      done(response.body);
    } else {
      done(ToError(response));
    }
  });
}

DockerClient::Id DockerClient::Follow(const std::string& path, Stream stream) {
  HttpRequest request = Request(path);
  request.timeout = std::chrono::milliseconds(0);
  request.on_head = std::move(stream.begun);
  request.on_data = std::move(stream.data);
  return http_.Send(
      std::move(request),
      [end = std::move(stream.end)](const HttpResponse& response) { end(ToError(response)); });
}

std::string UrlEncoded(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4U];
      encoded += kDigits[byte & 15U];
    }
  }
  return encoded;
}

std::string DockerFilters(
    const std::vector<std::pair<std::string, std::vector<std::string>>>& filters) {
  // The same name may stand there twice; a JSON object has each once.
  std::map<std::string, std::set<std::string>> together;
  for (const auto& [name, values] : filters)
    together[name].insert(values.begin(), values.end());
  std::string json = "{";
  for (const auto& [name, values] : together) {
    if (json.size() > 1) json += ',';
    AppendJsonString(name, json);
    json += ":{";
    bool first = true;
    for (const std::string& value : values) {
      if (!std::exchange(first, false)) json += ',';
      AppendJsonString(value, json);
      json += ":true";
    }
    json += '}';
  }
  return json + "}";
}

}  // namespace agent
