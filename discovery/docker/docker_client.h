// Asks a Docker daemon. Only ever GET: nothing that the agent does can change anything there.

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/http/http_client.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/result.h"
#include "discovery/docker/docker_options.h"

namespace agent {

// Loop thread.
class DockerClient {
 public:
  using Id = HttpClient::Id;

  // All but `options` outlive the client.
  DockerClient(Loop& loop, const Clock& clock, Logger& logger, const DockerOptions& options);

  // The whole answer. kNotFound for 404, kPermission when it may not be asked, else kUnavailable.
  void Get(const std::string& path, std::function<void(Result<std::string>)> done);

  // An answer that goes on until the daemon, or Cancel(), ends it. `begun` and `data` follow the
  // rules of HttpRequest::on_data. `end` always has an error; kIo: the answer
  // was whole.
  struct Stream {
    std::function<void()> begun;
    std::function<void(std::string_view)> data;
    std::function<void(Error)> end;
  };
  Id Follow(const std::string& path, Stream stream);
  void Cancel(Id id) { http_.Cancel(id); }
  void Pause(Id id) { http_.Pause(id); }
  void Resume(Id id) { http_.Resume(id); }

 private:
  [[nodiscard]] HttpRequest Request(const std::string& path) const;

  const std::string base_url_;
  HttpClient http_;
};

// The value of a query parameter.
std::string UrlEncoded(std::string_view text);
// `{"label":{"a=b":true}}`: the value of the parameter `filters`, not encoded.
std::string DockerFilters(
    const std::vector<std::pair<std::string, std::vector<std::string>>>& filters);

}  // namespace agent
