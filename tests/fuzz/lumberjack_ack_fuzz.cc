// What a server of lumberjack may send, in any pieces: acknowledgements never settle more than was
// sent, nor a window twice.

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>

#include "base/check.h"
#include "outputs/logstash/session.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using agent::Bytes;
  using agent::logstash::Session;
  constexpr std::size_t kBody = 4;
  agent::logstash::SessionOptions options;
  options.pipelining = 3;
  Session session(options, 0);
  std::map<uint64_t, uint32_t> left;  // Events that are not acknowledged, by window.
  uint64_t next = 1;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (std::size_t at = 0; at < input.size();) {
    const auto how = static_cast<unsigned char>(input[at++]);
    if (session.may_send(0)) {
      const uint32_t events = how % 5 + 1U;
      Bytes body{std::make_unique_for_overwrite<char[]>(kBody), kBody};
      std::memset(body.data.get(), '2', kBody);
      left[next] = events;
      session.Send(next++, events, body, 0);
      while (how % 2 == 0 && !session.unwritten().empty())
        session.Wrote(session.unwritten().size(), 0);
    }
    const std::string_view piece = input.substr(at, how % 13);
    at += piece.size();
    for (const Session::Acked& acked : session.OnReceived(piece, 0)) {
      CHECK(left.at(acked.window) >= acked.events);
      left[acked.window] -= acked.events;
      CHECK(acked.whole == (left[acked.window] == 0));
      if (acked.whole) left.erase(acked.window);
    }
    CHECK(session.unfinished().size() == left.size());
    if (!session.problem().empty()) CHECK(session.OnReceived("2A", 0).empty());
  }
  return 0;
}
