// Bytes over a connected socket that does not block: plain, or as TLS.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace agent {

// Why a stream has ended, as far as somebody acts on it.
enum class StreamEndKind : uint8_t {
  kUnreachable,  // Nobody was there: no such name, refused, no route, not within the time.
  kUntrusted,    // TLS: one of the two does not accept the other.
  kClosed,       // By the peer, in good order.
  kBroken,       // Reset, timed out, or cut.
};

struct StreamEnd {
  StreamEndKind kind = StreamEndKind::kClosed;
  std::string error;  // Empty when it was closed.
  // Closed, and the peer's system had taken everything of ours up to our own end before: a peer
  // that closes when it has read that end has read everything.
  bool answers_ours = false;
};

// Used by one thread. Calls never wait.
class Transport {
 public:
  enum class State : uint8_t {
    kDone,
    kWait,   // Again once wanted_events() are there; a write with the same bytes in front.
    kEnded,  // See end().
  };
  struct Outcome {
    State state = State::kDone;
    std::size_t size = 0;  // Of what was read or taken.
  };

  virtual ~Transport() = default;
  // Until it is done, nothing is read or written.
  virtual Outcome Handshake() = 0;
  virtual Outcome Read(std::span<char> buffer) = 0;
  // May take a part.
  virtual Outcome Write(std::string_view bytes) = 0;
  // Nothing more is written; reading goes on.
  virtual Outcome Shutdown() = 0;
  // Of libuv; what the last call that said kWait waits for.
  [[nodiscard]] virtual int wanted_events() const = 0;
  // After kEnded.
  [[nodiscard]] virtual const StreamEnd& end() const = 0;
};

// `fd` is the caller's, and outlives it.
std::unique_ptr<Transport> MakePlainTransport(int fd);

}  // namespace agent
