#include "base/net/host_lookup.h"

#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include <uv.h>

#include "base/check.h"

namespace agent {

std::string SocketAddress::text() const {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(get(), size, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  const std::string name(host.data());
  const std::string shown = storage.ss_family == AF_INET6 ? "[" + name + "]" : name;
  return shown + ":" + port.data();
}

struct HostLookup::Request {
  uv_getaddrinfo_t request{};
  std::string host;
  HostLookup* owner = nullptr;  // Null: nobody wants to know any more.
  Found found;

  static void OnDone(uv_getaddrinfo_t* request, int status, addrinfo* list);
};

void HostLookup::Request::OnDone(uv_getaddrinfo_t* request, int status, addrinfo* list) {
  const std::unique_ptr<Request> self(static_cast<Request*>(request->data));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(list, uv_freeaddrinfo);
  if (self->owner == nullptr) return;
  self->owner->request_ = nullptr;
  if (status != 0) {
    return self->found(
        Error{ErrorCode::kUnavailable, "look up " + self->host + ": " + uv_strerror(status)});
  }
  std::vector<SocketAddress> found;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    SocketAddress& address = found.emplace_back();
    if (at->ai_addrlen > sizeof(address.storage)) {
      found.pop_back();
      continue;
    }
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.size = at->ai_addrlen;
  }
  if (found.empty()) {
    return self->found(Error{ErrorCode::kUnavailable, "look up " + self->host + ": no address"});
  }
  self->found(std::move(found));
}

HostLookup::HostLookup(Loop& loop, const std::string& host, uint16_t port, int socket_type,
                       Found found)
    : request_(new Request) {
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  request_->request.data = request_;
  request_->host = in_brackets ? host.substr(1, host.size() - 2) : host;
  request_->owner = this;
  request_->found = std::move(found);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = socket_type;
  hints.ai_flags = AI_NUMERICSERV;
  const std::string service = std::to_string(port);
  const int started = uv_getaddrinfo(loop.uv(), &request_->request, Request::OnDone,
                                     request_->host.c_str(), service.c_str(), &hints);
  // It copies what it is given; all that can fail is that a name is longer than names can be.
  if (started != 0) {
    uv_getaddrinfo(loop.uv(), &request_->request, Request::OnDone, "invalid.", service.c_str(),
                   &hints);
  }
}

HostLookup::~HostLookup() {
  if (request_ == nullptr) return;
  request_->owner = nullptr;
  request_->found = nullptr;
  // What is under way already ends by itself.
  uv_cancel(reinterpret_cast<uv_req_t*>(&request_->request));
}

}  // namespace agent
